"""One run of the kernel: cases to points by institution, and the record by which it can be replayed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from ledger.archive.read import Archive
from settlement.clearing.cases import kernel
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.readmissions import Readmissions
from settlement.clearing.cases.scoring import Kind, Scope, narrowed, scope_tables, tables
from settlement.clearing.digest import rows_digest, tables_digest
from settlement.clearing.engine import Engine, Parts, Row, Table
from settlement.clearing.policies.policy import Dip


@dataclass(frozen=True, slots=True)
class Tally:
    """Cases of one institution and standing; points in 1/10,000, amounts in fen.

    What is held back is told apart by ``group``: it brings no points until something is added to
    the rules or looked into, and is never guessed.
    """

    institution: str
    standing: Standing
    group: str | None
    cases: int
    points4: int
    cost_fen: int
    booked_fen: int  # 记账: what the fund was charged at the counter
    borne_fen: int  # what persons and other funds bore
    first_position: int

    @property
    def order(self) -> tuple[str, Standing, int]:
        """Give the place of a tally in a list."""
        return self.institution, self.standing, self.first_position

    def plus(self, other: "Tally") -> "Tally":
        """Add other cases of the same institution, standing and group."""
        return replace(
            self,
            cases=self.cases + other.cases,
            points4=self.points4 + other.points4,
            cost_fen=self.cost_fen + other.cost_fen,
            booked_fen=self.booked_fen + other.booked_fen,
            borne_fen=self.borne_fen + other.borne_fen,
            first_position=min(self.first_position, other.first_position),
        )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What has to be equal when the run is done again, and on what it was done.

    Another engine, or the same one years later, gives the same ``result`` for the same ``kernel``,
    ``parameters`` and ``watermark``.
    """

    engine: str
    engine_version: str
    kernel: str
    parameters: str
    watermark: int
    result: str


@dataclass(frozen=True, slots=True)
class Scored:
    """What a run found, in the order of institutions."""

    tallies: tuple[Tally, ...]
    record: RunRecord
    readmissions: Readmissions | None = None  # where they were looked for

    @property
    def points4(self) -> dict[str, int]:
        """Points by institution in 1/10,000: what the budget is shared by."""
        return {
            institution: sum(one.points4 for one in many)
            for institution, many in groupby(self.tallies, key=lambda one: one.institution)
        }

    @property
    def held_back(self) -> list[Tally]:
        """What brings no points for want of a group, a coefficient or a plausible cost."""
        return [one for one in self.tallies if one.standing.held_back]


def parts_of(
    archive: Archive,
    *,
    area: str,
    since: str,
    until: int,
) -> dict[str, Parts]:
    """Name the archived parts of a run: booked in the month ``since`` or later, up to a position.

    A settlement is booked in its month of care or, where that was frozen, in a later one; what takes
    it back is booked later still. A settlement that several funds owe, or none, lies under the first
    of them or under none: parts are not chosen by fund.
    """
    return {
        name: Parts(columns, tuple(archive.parts(topic=topic, area=area, since=since, until=until)))
        for name, (topic, columns) in kernel.ARCHIVE.items()
    }


def score_cases(
    engine: Engine,
    parts: Mapping[str, Parts],
    rules: Dip,
    scope: Scope,
    *,
    watermark: int,
    own: frozenset[Kind] | None = None,
) -> Scored:
    """Score the cases that stood at a log position (``watermark``), on an engine.

    With ``own``, only those of some kinds of the scope; the parameters named are those of all. The
    parts have to reach that position, and no intake may be under way there: both are so at the
    freeze of a month. NotComputable where a number of the rules is out of bounds.
    """
    told = prepared(engine, parts, rules, scope, watermark=watermark)
    rows = engine.answer(kernel.KERNEL, parts, narrowed(told, own))
    record = RunRecord(
        engine=engine.name,
        engine_version=engine.version,
        kernel=kernel.text_hash(kernel.HITS, kernel.KERNEL),
        parameters=tables_digest(told),
        watermark=watermark,
        result=rows_digest(rows),
    )
    return Scored(tallies_of(rows), record)


def prepared(
    engine: Engine, parts: Mapping[str, Parts], rules: Dip, scope: Scope, *, watermark: int
) -> dict[str, Table]:
    """Give what the kernel is told, with what cases hit of the auxiliary directory (辅助目录)."""
    hits: list[str] = []
    if rules.auxiliary4:
        bounds = scope_tables(scope, {}, watermark=watermark)
        hits = [one for (one,) in engine.answer(kernel.HITS, parts, bounds)]
    return tables(rules, scope, watermark=watermark, hits=hits)


def tallies_of(rows: Iterable[Row]) -> tuple[Tally, ...]:
    """Give the tallies that an engine answered, in their order."""
    tallies = (
        Tally(institution, Standing(standing), group, *sums)
        for institution, standing, group, *sums in rows
    )
    return tuple(sorted(tallies, key=lambda one: one.order))
