"""A log as a province writes it, put into the tables directly: claims by the chunk, and documents.

The facts are the product's own, encoded once each with placeholders and then filled in. The
seals are true; what stands beside the log (totals, keys, guards) is left out.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Self
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import inspect, text
from support.facts import flow

from ledger.application import FundLedger
from ledger.domain.posting_rules import claim_entry
from ledger.events.base import Fact, Source
from ledger.events.claim import ClaimAmounts, ClaimFact, ClaimRefunded, ClaimSettled
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.setup import AreaConfigured, FundOpened
from ledger.store import address
from ledger.store.seals import Seal, canonical_row, leaf, merkle_root, seal_after
from projections.store import ReadStore
from projections.tables import STATE_TABLE

AREAS = ("330602", "330603", "330604")
FUNDS = ("310", "390", "610")
#: Of each area and month: files of documents, documents by hand (a commit each), and claims.
FILES, FILE, SINGLES = 5, 400, 60
CLAIMS_A_MONTH = 240_000  # of all areas together: three million a year
CHUNK = 10_000
_ITEMS = ("contribution.employer", "contribution.individual", "interest", "benefit.inpatient")
_INSTITUTIONS = tuple(f"H3306{number:07d}" for number in range(200))
_CLR_TYPES = ("11", "21", "41")
_ENCODE = msgspec.json.Encoder().encode
_FEN = 9_000_000_000
_DAYS = 28

Row = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class _Template:
    """A claim with the places of what differs from one to the next."""

    topic: str
    text: bytes
    funds: int

    def row(self, number: int, month: bytes, random: Random) -> Row:
        bits = random.getrandbits(64)
        day = month + b"-%02d" % (1 + bits % _DAYS)
        fens = [1 + (bits >> shift) % 900_000 for shift in (8, 28, 44)[: self.funds]]
        setl = b"S%015d" % number
        person = b"%016x" % bits
        return self.topic, self.text % (day, *fens, setl, person, person, day, month, setl, number)


def _template(
    area: str, institution: str, owed: tuple[str, ...], clr: str, *, refund: bool
) -> _Template:
    kind: type[ClaimFact] = ClaimRefunded if refund else ClaimSettled
    fens = {fund: _FEN + place for place, fund in enumerate(owed)}
    fact = kind(
        area=area,
        booked_on="<day>",
        postings=claim_entry(fens, institution),
        rules_version=1,
        prepared_by="clerk1",
        setl_id="<setl>",
        person="<person><person>",
        person_key=1,
        insutype=owed[0][:3],
        institution=institution,
        med_type="21",
        clr_type=clr,
        setl_date="<day>",
        belongs_to="<month>",
        amounts=ClaimAmounts(
            medfee_sumamt=1265840, fund_pay_sumamt=861205, acct_pay=120000, psn_cash_pay=284635,
            hosp_part_amt=0, fulamt_ownpay_amt=83000, overlmt_selfpay=12650, preselfpay_amt=61235,
            inscp_scp_amt=1108955, act_pay_dedc=60000, hifp_pay=811205, hifob_pay=50000,
        ),
        details={
            "mdtrt_id": "<setl>", "clr_way": "3", "begndate": "2023-09-28", "enddate": "2023-10-05",
            "psn_type": "12", "pay_loc": "2", "insuplc_admdvs": area, "mdtrtarea_admvs": area,
            "dise_code": "ET15", "days": "7", "setl_time": "2023-10-05T12:30:00",
        },
        content="043a718774c572bd8a25adbeb1bfcd5c",
        source=Source(intake="<intake>", line=_FEN + 9),
    )  # fmt: skip
    text = _ENCODE(fact).replace(b"%", b"%%")
    for fen in fens.values():
        text = text.replace(b"%d" % fen, b"-%d" if refund else b"%d")
    for name in (b"day", b"setl", b"person", b"month"):
        text = text.replace(b"<%s>" % name, b"%s")
    return _Template(fact.TOPIC, text.replace(b"%d" % (_FEN + 9), b"%d"), len(owed))


class Province:
    """Writes months of a province one after the other, commit by commit."""

    def __init__(self, *, seed: int = 7, first_year: int = 2021) -> None:
        self._random = Random(seed)
        self._first_year = first_year
        self._number = 0
        self._templates = {area: self._of(area) for area in AREAS}

    def _of(self, area: str) -> list[_Template]:
        owed = (("310.pooled", "310.personal"), ("390",), ("310.pooled",), ("390", "610"))
        many = [
            _template(area, institution, owed[at % 4], _CLR_TYPES[at % 3], refund=at % 60 == 59)
            for institution in _INSTITUTIONS[AREAS.index(area) :: 2]
            for at in range(12)
        ]
        many += [
            _template(area, institution, owed[at % 4], "11", refund=True)
            for at, institution in enumerate(_INSTITUTIONS[::16])
        ]
        return many

    def founding(self) -> list[Row]:
        """The setup of all areas, one commit."""
        facts: list[Fact] = []
        for area in AREAS:
            facts.append(AreaConfigured(area=area, by="admin1", name=area, options={}))
            facts.extend(
                FundOpened(area=area, by="admin1", fund=fund, first=None) for fund in FUNDS
            )
        return [(fact.TOPIC, _ENCODE(fact)) for fact in facts]

    def commits(self) -> Iterator[list[Row]]:
        """Founding, then month after month."""
        yield self.founding()
        yield from self.months()

    def months(self, claims_a_month: int = CLAIMS_A_MONTH) -> Iterator[list[Row]]:
        """Commits without end: for each month and area files of documents and a claims intake."""
        at = 12 * self._first_year
        while True:
            month = f"{at // 12:04d}-{at % 12 + 1:02d}"
            for area in AREAS:
                for number in range(FILES):
                    yield self._file(area, month, f"F{area}{month}-{number}")
                for number in range(SINGLES):
                    yield [self._stored(self._document(area, month, number))]
                yield from self._claims(area, month, claims_a_month // len(AREAS))
            at += 1

    @staticmethod
    def _stored(fact: Fact) -> Row:
        return fact.TOPIC, _ENCODE(fact)

    def _document(self, area: str, month: str, number: int, intake: str | None = None) -> Fact:
        self._number += 1
        return flow(
            _ITEMS[number % len(_ITEMS)],
            "390",
            1 + self._random.getrandbits(20),
            f"{month}-{1 + number % _DAYS:02d}",
            doc_no=f"D{self._number}",
            area=area,
            intake_id=intake,
            counterparty=_INSTITUTIONS[number % len(_INSTITUTIONS)],
        )

    def _file(self, area: str, month: str, name: str) -> list[Row]:
        facts = [self._document(area, month, number, name) for number in range(FILE)]
        completed = IntakeCompleted(
            area=area, intake=name, by="clerk1", kind="fund_flows", file="f.csv", content="c",
            accepted=FILE, rejected=0, posted=FILE, already=0,
        )  # fmt: skip
        return [self._stored(fact) for fact in (*facts, completed)]

    def _claims(self, area: str, month: str, claims: int) -> Iterator[list[Row]]:
        name = f"I{area}{month}"
        common: dict[str, Any] = {"area": area, "intake": name, "by": "clerk1", "kind": "claims"}
        common |= {"file": "c.csv", "content": "c", "accepted": claims, "rejected": 0}
        started = IntakeStarted(**common, partial=False, funds=FUNDS, months=(month,))
        yield [(started.TOPIC, _ENCODE(started))]
        here = [
            _Template(one.topic, one.text.replace(b"<intake>", name.encode()), one.funds)
            for one in self._templates[area]
        ]
        in_bytes, random, count = month.encode(), self._random, len(here)
        for first in range(0, claims, CHUNK):
            rows = []
            for _ in range(min(CHUNK, claims - first)):
                self._number += 1
                rows.append(
                    here[random.getrandbits(20) % count].row(self._number, in_bytes, random)
                )
            yield rows
        completed = IntakeCompleted(**common, posted=claims, already=0)
        yield [(completed.TOPIC, _ENCODE(completed))]


class Log:
    """The tables of a migrated store, written past the recorder, with true seals."""

    def __init__(self, url: str) -> None:
        where = address.parse(url)
        self._sqlite = sqlite3.connect(where.path) if where.path else None
        self._postgres = psycopg.connect(where.url) if where.url else None
        newest = "SELECT * FROM seals ORDER BY no DESC LIMIT 1"
        found = (self._sqlite or self._postgres).execute(newest).fetchone()
        self._head = Seal._make(found)

    @classmethod
    def filled(cls, url: str, commits: Iterator[list[Row]], until: int) -> Self:
        """Open the log of a store and fill it."""
        log = cls(url)
        log.fill(commits, until)
        return log

    @property
    def position(self) -> int:
        return self._head.last_position

    def fill(self, commits: Iterator[list[Row]], until: int) -> None:
        """Write commits until the log has come to a position, and let the database settle."""
        if self._sqlite:
            self._sqlite.execute("PRAGMA synchronous=OFF")
            while self.position < until:
                self._write_sqlite(self._sqlite, next(commits))
                self._sqlite.commit()
            self._sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if self._postgres:
            while self.position < until:
                self._write_postgres(self._postgres, next(commits))
            self._postgres.commit()
            self._postgres.autocommit = True
            self._postgres.execute("VACUUM ANALYZE events")
            self._postgres.execute("ANALYZE seals")
            self._postgres.autocommit = False

    def close(self) -> None:
        (self._sqlite or self._postgres).close()

    def _seal(self, rows: list[Row]) -> Seal:
        leaves = [
            leaf(canonical_row(at.to_bytes(16, "big"), 1, topic.encode(), state))
            for at, (topic, state) in enumerate(rows, self.position + 1)
        ]
        now_us = 1_700_000_000_000_000 + self._head.no * 1_000_000
        self._head = seal_after(
            self._head, root=merkle_root(leaves), events=len(rows), now_us=now_us, key="",
            input_hash="",
        )  # fmt: skip
        return self._head

    def _write_sqlite(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        seal = self._seal(rows)
        connection.executemany(
            "INSERT INTO events (rowid, originator_id, originator_version, topic, state)"
            " VALUES (?, ?, 1, ?, ?)",
            [
                (at, f"{at:032x}", topic, state)
                for at, (topic, state) in enumerate(rows, seal.first_position)
            ],
        )
        connection.execute(f"INSERT INTO seals VALUES ({', '.join('?' * 8)})", seal)

    def _write_postgres(self, connection: psycopg.Connection[Any], rows: list[Row]) -> None:
        seal = self._seal(rows)
        into = (
            "COPY events (notification_id, originator_id, originator_version, topic, state)"
            " FROM STDIN (FORMAT binary)"
        )
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.set_types(["int8", "uuid", "int8", "text", "bytea"])
            for at, (topic, state) in enumerate(rows, seal.first_position):
                copy.write_row((at, UUID(int=at), 1, topic, state))
        connection.execute(f"INSERT INTO seals VALUES ({', '.join(['%s'] * 8)})", seal)


@contextmanager
def at_work(url: str) -> Iterator[tuple[FundLedger, ReadStore]]:
    """Open a book and its read models."""
    with FundLedger(url, clock=lambda: datetime.now(tz=UTC)) as ledger:
        store = ReadStore.open(url)
        try:
            yield ledger, store
        finally:
            store.close()


def emptied(store: ReadStore) -> None:
    """Throw every read model away, as on a first run."""
    with store.writing() as connection:
        for name in inspect(connection).get_table_names():
            if name == STATE_TABLE or re.search(r"_g\d+$", name):
                connection.execute(text(f'DROP TABLE "{name}"'))
