"""What a page of the log comes to: sums by account, vouchers to write, steps and setup in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from ledger.domain.chart import CHART
from ledger.domain.claim_roles import REMOTE_ACCOUNTS
from ledger.domain.entry import Book
from ledger.domain.fund import parent
from ledger.events.cases import CaseGrouped
from ledger.events.clearing import ClearingFact
from ledger.events.intake import IntakeFact
from ledger.events.month import MonthFact
from ledger.events.reconciliation import ReconciliationRecorded
from ledger.events.setup import AreaFact

#: What a movement is by nature: openings and adjustments are neither income nor expense, and
#: year-end transfers (年终结转) must not wipe out the year they close.
FLOW, OPENING, ADJUSTMENT, CLOSING = "flow", "opening", "adjustment", "closing"


class SlimPosting(msgspec.Struct, gc=False):
    """A posting as a page reads it."""

    fund: str
    debit: str
    credit: str
    fen: int
    party: str | None = None


class SlimSource(msgspec.Struct, frozen=True, gc=False):
    """The intake and line of a fact."""

    intake: str | None = None
    line: int | None = None


class SlimClaim(msgspec.Struct, gc=False):
    """The fields of a settlement, or of its reversal, that are added up."""

    area: str
    booked_on: str
    postings: list[SlimPosting]
    institution: str
    clr_type: str
    belongs_to: str
    source: SlimSource
    refund: bool = False


class SlimDocument(msgspec.Struct, gc=False):
    """The fields of a fact of the cash book that a voucher shows."""

    area: str
    booked_on: str
    postings: list[SlimPosting]
    prepared_by: str
    fund: str
    summary: str
    doc_no: str | None = None
    revision: int | None = None
    item: str | None = None
    date: str | None = None
    belongs_to: str | None = None
    counterparty: str | None = None
    attachments: int = 0
    original_position: int | None = None
    run: str | None = None
    source: SlimSource = SlimSource()


#: Sums are keyed by plain tuples, in the order of their table's columns; a named tuple would cost a
#: tenth of the whole fold.
MovementKey = tuple[str, str, str, str, str]  # area, booked_on, fund, account, nature
MonthSumKey = tuple[str, str, str, str, str]  # area, fund, account, booked_month, nature
PartyKey = tuple[str, str, str, str, str]  # area, fund, account, party, booked_month
CareKey = tuple[str, str, str, str, str]  # area, fund, account, booked_month, belongs_to
ObligationKey = tuple[str, str, str, str, str]  # area, institution, fund, month, clr_type
PairKey = tuple[str, str, str, str, str, str]  # area, fund, debit, credit, booked_on, nature
#: fund, debit, credit, party, area, booked_month, institution, month of care, clr_type
ClaimKey = tuple[str, str, str, str | None, str, str, str, str, str]

#: The account of the obligations book that settlements raise (应付—已记账).
OWED = "owed.booked"

#: What an obligation is added up in: settlements raise the first, ``OBLIGATION_COLUMNS`` says by
#: which account the others rise (its credits less its debits). What none of them took is still only booked.
OBLIGATION_SUMS = (
    *("booked_fen", "paid_fen", "settlements", "refunds"),
    *("declared_fen", "approved_fen", "deposit_fen", "ordered_fen"),
    *("refused_fen", "offset_fen", "prepaid_fen", "cleared_fen", "forfeited_fen"),
    *("insurer_fen", "manual_fen"),
)
OBLIGATION_COLUMNS = {
    key: OBLIGATION_SUMS.index(f"{key.partition('.')[2]}_fen")
    for key, account in CHART.items()
    if account.book is Book.OBLIGATIONS and key not in {"claims.incurred", OWED, *REMOTE_ACCOUNTS}
}
_NOTHING = (0,) * (len(OBLIGATION_SUMS) - 4)


@dataclass(slots=True)
class Bucket:
    """Sums that become known at the same position.

    ``pairs`` are sums by (debit, credit) of one posting, with the number of postings. What a
    settlement says by name and by institution stands once in ``claims``: sum, settlements, refunds.
    """

    pairs: dict[PairKey, list[int]] = field(default_factory=dict)
    claims: dict[ClaimKey, list[int]] = field(default_factory=dict)
    parties: dict[tuple[str, str, str, str, str, str], int] = field(default_factory=dict)
    care: dict[CareKey, list[int]] = field(default_factory=dict)
    settled: dict[ObligationKey, list[int]] = field(default_factory=dict)

    def movements(self) -> dict[MovementKey, list[int]]:
        """Spell the pairs out: (debit_fen, credit_fen, lines) per account and day."""
        found: dict[MovementKey, list[int]] = {}
        for (area, fund, debit, credit, day, nature), (fen, lines) in self.pairs.items():
            add_sums(found, (area, day, fund, debit, nature), [fen, 0, lines])
            add_sums(found, (area, day, fund, credit, nature), [0, fen, lines])
        return found

    def month_sums(self) -> dict[MonthSumKey, list[int]]:
        """Spell the pairs out as ``movements`` does, per account and booking month."""
        found: dict[MonthSumKey, list[int]] = {}
        for (area, day, fund, account, nature), sums in self.movements().items():
            add_sums(found, (area, fund, account, day[:7], nature), sums)
        return found

    def party_movements(self) -> dict[PartyKey, list[int]]:
        """Spell what has a name out: (debit_fen, credit_fen) per account, name and month."""
        found: dict[PartyKey, list[int]] = {}
        for (area, fund, debit, credit, party, month), fen in self.parties.items():
            add_sums(found, (area, fund, debit, party, month), [fen, 0])
            add_sums(found, (area, fund, credit, party, month), [0, fen])
        for (fund, debit, credit, name, area, month, *_), (fen, _, _) in self.claims.items():
            if name is not None:
                add_sums(found, (area, fund, debit, name, month), [fen, 0])
                add_sums(found, (area, fund, credit, name, month), [0, fen])
        return found

    def obligations(self) -> dict[ObligationKey, list[int]]:
        """Spell out what institutions are owed, in the order of ``OBLIGATION_SUMS``."""
        found = {key: list(sums) for key, sums in self.settled.items()}
        for (fund, debit, credit, _, area, _, *whose), sums in self.claims.items():
            if OWED in (debit, credit):
                institution, month, clr_type = whose
                fen, settlements, refunds = sums
                booked = fen if credit == OWED else -fen
                key = (area, institution, fund, month, clr_type)
                add_sums(found, key, [booked, 0, settlements, refunds, *_NOTHING])
        return found

    def absorb(self, other: "Bucket") -> None:
        """Add another bucket's sums to these."""
        for pair, sums in other.pairs.items():
            add_sums(self.pairs, pair, sums)
        for claim, sums in other.claims.items():
            add_sums(self.claims, claim, sums)
        for name, fen in other.parties.items():
            self.parties[name] = self.parties.get(name, 0) + fen
        for care, sums in other.care.items():
            add_sums(self.care, care, sums)
        for owed, sums in other.settled.items():
            add_sums(self.settled, owed, sums)

    def settle(self, key: ObligationKey, account: str, fen: int) -> None:
        """Add to what an account of the obligations book says of an institution's month."""
        sums = self.settled.setdefault(key, [0] * len(OBLIGATION_SUMS))
        column = OBLIGATION_COLUMNS.get(account)
        if column is not None:
            sums[column] += fen


def add_sums(sums: dict[Any, list[int]], key: Any, more: list[int]) -> None:
    """Add amounts to those kept under a key."""
    mine = sums.get(key)
    if mine is None:
        sums[key] = list(more)
    else:
        for place, amount in enumerate(more):
            mine[place] += amount


@dataclass(frozen=True, slots=True)
class Document:
    """A fact that may need a voucher, with its cash postings only."""

    position: int
    topic: str
    body: SlimDocument
    cash: tuple[SlimPosting, ...]

    def funds(self) -> tuple[str, ...]:
        """List the parent funds that need a voucher of their own for it."""
        return tuple(dict.fromkeys(parent(posting.fund) for posting in self.cash))


class Release(NamedTuple):
    """A claims intake is complete: what was staged for it before this page counts from here on."""

    area: str
    intake: str
    known_from: int


class Span(NamedTuple):
    """A claims intake from its start to its completion (None while it runs)."""

    area: str
    intake: str
    started: int
    completed: int | None


@dataclass(slots=True)
class Page:
    """What a stretch of whole commits adds to the read models."""

    after: int
    last: int
    counted: dict[int, Bucket] = field(default_factory=dict)
    staged: dict[tuple[str, str], Bucket] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    openings: list[tuple[int, str]] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    months: list[tuple[int, MonthFact]] = field(default_factory=list)
    intakes: list[tuple[int, IntakeFact]] = field(default_factory=list)
    setup: list[tuple[int, AreaFact]] = field(default_factory=list)
    clearing: list[tuple[int, ClearingFact | CaseGrouped | ReconciliationRecorded]] = field(
        default_factory=list
    )
    #: Intake → first and last position of the rows it posted.
    rows_of: dict[tuple[str, str], list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What folding must know of the log before the page: running intakes, opening facts."""

    running: Mapping[tuple[str, str], int] = field(default_factory=dict)
    openings: Mapping[int, str] = field(default_factory=dict)
