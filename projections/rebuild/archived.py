"""Pages from the archive (由归档重建): settlements are summed in its columns, the rest is folded.

A range of the archive is a page. DuckDB sums the settlements of intakes that run in it by the keys of
``Bucket``; they wait there as if the fold had read them, and every other fact goes through the fold.
What the columns cannot say simply (a settlement outside of its intake, two postings in one fund) is
read from the states and folded too, so there is one set of rules.
"""

from collections.abc import Collection, Iterable
from typing import Any

import duckdb

from ledger.archive.failures import ArchiveDamaged, ArchiveForeign
from ledger.archive.manifest import Manifest, Part
from ledger.archive.read import Archive
from ledger.events.claim import ClaimRefunded, ClaimSettled
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.store.reading import StoredFact
from projections.fold import Fold, check_posting
from projections.follow import Log, seals_between
from projections.page import FLOW, OWED, Bucket, Page, Remembered

_SUMMED = (ClaimSettled.TOPIC, ClaimRefunded.TOPIC)
_INTAKES = (IntakeStarted.TOPIC, IntakeCompleted.TOPIC)
_MEMORY = "512MB"
_FAR = 2**63 - 1

Key = tuple[str, str]  # area, intake

# The folders' names are left alone: DuckDB would read an area as a number.
_PARTS = "read_parquet(?, union_by_name = true, hive_partitioning = false)"
# Every fund once: then each posting that moves what is owed is one settlement of its fund.
_SIMPLE = """
    CASE len(postings) WHEN 1 THEN true WHEN 2 THEN postings[1].fund <> postings[2].fund
    ELSE len(postings) = len(list_distinct([one.fund for one in postings])) END
"""
_ROWS_OF = """
    SELECT area, source_intake, min(position), max(position), count(*) FROM claims GROUP BY ALL
"""
_IN_PLAIN = """
    EXISTS (FROM plain AS p WHERE p.area = claims.area AND p.intake = claims.source_intake)
"""
_CLAIM = "area, intake, fund, debit, credit, party, month, institution, belongs_to, clr_type"
_PAIR = "area, intake, fund, debit, credit, booked_on"
_SUMS = f"""
    SELECT grouping(booked_on), area, intake, fund, debit, credit, booked_on,
           party, month, institution, belongs_to, clr_type, sum(fen), count(*),
           count(*) FILTER (topic = '{ClaimSettled.TOPIC}' AND '{OWED}' IN (debit, credit)),
           count(*) FILTER (topic = '{ClaimRefunded.TOPIC}' AND '{OWED}' IN (debit, credit)),
           count(*) FILTER (NOT simple)
    FROM (
        SELECT area, intake, topic, booked_on, substr(booked_on, 1, 7) AS month, institution,
               belongs_to, clr_type, simple, unnest(one)
        FROM (
            SELECT area, source_intake AS intake, topic, booked_on, institution, belongs_to,
                   clr_type, {_SIMPLE} AS simple, unnest(postings) AS one
            FROM claims WHERE {{which}}
        )
    )
    GROUP BY GROUPING SETS (({_PAIR}), ({_CLAIM}))
"""
_FOLDED = f"""
    SELECT position, topic, state, coalesce(list_sum([one.fen for one in postings]), 0)
    FROM claims WHERE NOT ({_IN_PLAIN} AND {_SIMPLE})
"""


class ArchivedPages:
    """Gives the ranges of an archive as pages; it holds a database in memory until it is closed."""

    def __init__(self, archive: Archive, log: Log) -> None:
        self._archive = archive
        self._log = log
        self._ranges = {one.first_position: one for one in archive.ranges}
        archive.parts()  # a file that is missing or of another size is told before anything is built
        self._duck = duckdb.connect(config={"memory_limit": _MEMORY})

    def close(self) -> None:
        """Give the memory back."""
        self._duck.close()

    def next_page(self, *, after: int, until: int, remembered: Remembered) -> Page | None:
        """Give the range that begins after a position; None where the log has to be read.

        ArchiveForeign where the range is not of this log, ArchiveDamaged where its rows or amounts
        are not what its manifest says.
        """
        found = self._ranges.get(after + 1)
        if found is None or found.last_position > until:
            return None
        self._check_belonging(found)
        try:
            return self._page(found, after, remembered)
        except duckdb.Error as error:
            raise self._damaged(str(error)) from error
        except (KeyError, ValueError):
            return None  # an event that cannot be added up: the log says at which position

    def _page(self, manifest: Manifest, after: int, remembered: Remembered) -> Page:
        facts = self._others(manifest)
        spans = _spans([one for one in facts if one[1] in _INTAKES], after, remembered)
        self._claims(manifest)
        rows_of: dict[Key, list[int]] = {}
        rows = strays = 0
        for area, intake, first, last, count in self._fetch(_ROWS_OF):
            rows += count
            within = spans.get((area, intake), ())
            if len(within) == 1 and within[0][0] < first and last < within[0][1]:
                rows_of[area, intake] = [first, last]
            else:
                strays += count
        sums, folded, fen = self._sums(rows_of, all_of_them=not strays)
        said = _parts(manifest, _SUMMED)
        if (rows, fen) != (sum(one.rows for one in said), sum(one.fen for one in said)):
            raise self._damaged(f"{manifest.first_position}-{manifest.last_position}")
        fold = Fold(after=after, remembered=remembered)
        fold.page.staged.update(sums)
        in_order = iter(sorted([*facts, *folded]))
        _fold_commits(fold, self._log, in_order, after=after, until=manifest.last_position)
        fold.page.rows_of.update(rows_of)
        fold.page.last = manifest.last_position
        return fold.page

    def _files(self, parts: Iterable[Part]) -> list[str]:
        return [str(self._archive.folder / part.path) for part in parts]

    def _others(self, manifest: Manifest) -> list[StoredFact]:
        """Give every fact of the range that is not a settlement."""
        summed = {part.path for part in _parts(manifest, _SUMMED)}
        files = self._files(part for part in manifest.parts if part.path not in summed)
        if not files:
            return []
        asked = f"SELECT position, topic, state FROM {_PARTS}"
        return [
            (position, topic, state.encode())
            for position, topic, state in self._duck.execute(asked, [files]).fetchall()
        ]

    def _claims(self, manifest: Manifest) -> None:
        """Name the range's settlements ``claims``."""
        files = self._files(_parts(manifest, _SUMMED))
        source = (
            self._duck.read_parquet(files, union_by_name=True, hive_partitioning=False)
            if files
            else self._duck.sql(_NO_CLAIMS)
        )
        source.create_view("claims", replace=True)

    def _sums(
        self, rows_of: Collection[Key], *, all_of_them: bool
    ) -> tuple[dict[Key, Bucket], list[StoredFact], int]:
        """Sum what can be summed, in one reading if that is all; give the rest as facts, and all fen."""
        if all_of_them:
            found = self._fetch(_SUMS.format(which="true"))
            if not any(row[-1] for row in found):
                sums, fen = _buckets(found, rows_of)
                return sums, [], fen
        self._duck.execute("CREATE OR REPLACE TEMP TABLE plain (area VARCHAR, intake VARCHAR)")
        for key in rows_of:
            self._duck.execute("INSERT INTO plain VALUES (?, ?)", key)
        found = self._fetch(_SUMS.format(which=f"{_IN_PLAIN} AND {_SIMPLE}"))
        sums, fen = _buckets(found, rows_of)
        folded: list[StoredFact] = []
        for position, topic, state, amount in self._fetch(_FOLDED):
            folded.append((position, topic, state.encode()))
            fen += amount
        return sums, folded, fen

    def _fetch(self, query: str) -> list[tuple[Any, ...]]:
        return self._duck.execute(query).fetchall()

    def _check_belonging(self, manifest: Manifest) -> None:
        seals = self._log.seals(after=manifest.seal_no - 1, limit=1)
        if not seals or seals[0].digest.hex() != manifest.seal_digest:
            raise ArchiveForeign(
                folder=str(self._archive.folder),
                seal=manifest.seal_no,
                position=manifest.last_position,
            )

    def _damaged(self, reason: str) -> ArchiveDamaged:
        folder = str(self._archive.folder)
        return ArchiveDamaged(folder=folder, reason_zh=reason, reason_en=reason)


def _parts(manifest: Manifest, topics: Collection[str]) -> list[Part]:
    return [part for part in manifest.parts if (folder := part.folder()) and folder.topic in topics]


def _buckets(
    found: Iterable[tuple[Any, ...]], rows_of: Collection[Key]
) -> tuple[dict[Key, Bucket], int]:
    """Spell the answer to _SUMS out as the sums of intakes, and the fen of all."""
    fen = 0
    sums = {key: Bucket() for key in rows_of}
    for of_claims, area, intake, fund, debit, credit, day, *named, _ in found:
        party, month, institution, care, clr_type, total, lines, settlements, refunds = named
        bucket = sums[area, intake]
        if of_claims:
            of_it = (fund, debit, credit, party, area, month, institution, care, clr_type)
            bucket.claims[of_it] = [total, settlements, refunds]
        else:
            check_posting(ClaimSettled.TOPIC, debit, credit, day)
            bucket.pairs[area, fund, debit, credit, day, FLOW] = [total, lines]
            fen += total
    return sums, fen


def _spans(
    steps: list[StoredFact], after: int, remembered: Remembered
) -> dict[Key, list[tuple[int, int]]]:
    """Tell from where to where each claims intake runs, as far as this range shows it."""
    fold = Fold(after=after, remembered=remembered)
    for fact in sorted(steps):
        fold.commit([fact], last=fact[0])
    running = {(*key, started): _FAR for key, started in remembered.running.items()}
    for span in fold.page.spans:
        running[span.area, span.intake, span.started] = span.completed or _FAR
    found: dict[Key, list[tuple[int, int]]] = {}
    for (area, intake, started), completed in running.items():
        found.setdefault((area, intake), []).append((started, completed))
    return found


def _fold_commits(
    fold: Fold, log: Log, facts: Iterable[StoredFact], *, after: int, until: int
) -> None:
    """Fold facts of some commits: each counts from the last position of its own."""
    seals = iter(seals_between(log, after=after, until=until))
    seal = next(seals)
    waiting: list[StoredFact] = []
    for fact in facts:
        if fact[0] > seal.last_position:
            if waiting:
                fold.commit(waiting, last=seal.last_position)
            waiting = []
            while fact[0] > seal.last_position:
                seal = next(seals)
        waiting.append(fact)
    if waiting:
        fold.commit(waiting, last=seal.last_position)


_NO_CLAIMS = """
    SELECT NULL::BIGINT AS position, '' AS topic, '' AS state, '' AS area, '' AS booked_on,
           '' AS institution, '' AS clr_type, '' AS belongs_to, '' AS source_intake,
           NULL::STRUCT(fund VARCHAR, debit VARCHAR, credit VARCHAR, fen BIGINT, party VARCHAR)[]
               AS postings
    LIMIT 0
"""
