"""Recording groupings (入组), reviews (特例单议) and assessments (年度考核): what is new, what is barred.

The same content again counts as already there. A grouping or an assessment with other content is a
newer fact, and the latest counts. A review's number stands for one decision: other content under it
is a conflict; a case that is decided about again has a review of another number. Where a case is no
case (unknown, refunded, reversed) or belongs to somebody else, its row is rejected; so is what comes
after the year's result was approved, unless the institution disputes it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from ledger.aggregates.area import Area
from ledger.aggregates.clearing_year import YearClearing, fold_year
from ledger.application import FundLedger
from ledger.domain.identity import (
    assessment_stream,
    case_stream,
    claim_stream,
    clearing_stream,
    put_up_stream,
)
from ledger.events.base import Envelope, Fact, Source
from ledger.events.cases import AssessmentRecorded, CaseGrouped, CaseReviewed, CasesPutUp
from ledger.events.claim import ClaimFact
from ledger.store.codec import StoredRow, decode_fact
from settlement.clearing.month.review_caps import ReviewCaps, review_caps
from settlement.clearing.owed import Records
from settlement.intake.case_rows import (
    AssessmentRow,
    CaseRow,
    GroupingRow,
    ReviewRow,
    conflict,
)
from settlement.intake.columns import ASSESSMENTS, CASE_REVIEWS, GROUPINGS
from settlement.intake.owing import BASIC_FUND
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection
from settlement.intake.review_methods import ReviewMethods
from settlement.policies import load_policies

_BATCH = 5_000
_History = Sequence[tuple[int, Fact]]
_Head = tuple[int, Fact]


@dataclass(frozen=True, slots=True)
class _Books:
    """What the books know of the settlements of a file, and of what was recorded before."""

    settled: Mapping[UUID, _Head]
    before: Mapping[UUID, _History]


def new_case_facts(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[CaseRow],
    *,
    intake: str,
    user: str,
    ask: Callable[[], Records] | None = None,
) -> New:
    """Give the facts for what the log does not say already, and the rows that it bars.

    ``ask`` gives the archive that reviews are counted in.
    """
    books = _read(ledger, area.code, rows)
    closed, caps = _ClosedYears(ledger, area), _Caps(ledger, area.code, ask)
    methods = ReviewMethods(ledger, area)
    found: list[Envelope] = []
    rejections: list[Rejection] = []
    for row in rows:
        stream = _stream(area.code, row)
        history = books.before.get(stream, ())
        settled = _settlement(books, area.code, row)
        if isinstance(settled, Rejection):
            rejections.append(settled)
            continue
        said = _said_before(row, history) or closed.bars(row, settled)
        if isinstance(said, Rejection):
            rejections.append(said)
        elif not said:
            barred = [*methods.faults(row, settled)]
            if not barred and isinstance(above := caps.bars(row, settled), Rejection):
                barred = [above]
            if barred:
                rejections += barred
                continue
            source = Source(intake=intake, line=row.line)
            fact = _fact(area.code, row, settled, by=user, source=source)
            found.append(Envelope(stream, len(history) + 1, fact))
    counted = caps.envelopes(by=user, intake=intake)
    return New([*found, *counted], len(found), tuple(rejections))


def _stream(area: str, row: CaseRow) -> UUID:
    if isinstance(row, AssessmentRow):
        return assessment_stream(area, row.institution, row.year)
    return case_stream(area, row.setl_id)


def _read(ledger: FundLedger, area: str, rows: Sequence[CaseRow]) -> _Books:
    cases = [row.setl_id for row in rows if not isinstance(row, AssessmentRow)]
    claims = [claim_stream(area, one, refund=refund) for one in cases for refund in (False, True)]
    settled = {
        row.originator_id: (row.position, decode_fact(row.topic, row.state, position=row.position))
        for row in _heads(ledger.log.heads, claims)
    }
    own = dict.fromkeys(_stream(area, row) for row in rows)
    before = {
        row.originator_id: [
            (position, one.fact) for position, one in ledger.history(row.originator_id)
        ]
        for row in _heads(ledger.log.heads, own)
    }
    return _Books(settled, before)


def _heads(
    heads: Callable[[Sequence[bytes]], list[StoredRow]], streams: Iterable[UUID]
) -> Iterator[StoredRow]:
    rest = iter(streams)
    while batch := list(islice(rest, _BATCH)):
        yield from heads([stream.bytes for stream in batch])


def _settlement(books: _Books, area: str, row: CaseRow) -> ClaimFact | Rejection | None:
    """Give the settlement that a case is of; an assessment has none."""
    if isinstance(row, AssessmentRow):
        return None
    kind = GROUPINGS.name if isinstance(row, GroupingRow) else CASE_REVIEWS.name

    def bar(key: str, code: str, value: str, **facts: Any) -> Rejection:
        return Rejection(row.line, key, code, value, facts, kind)

    head = books.settled.get(claim_stream(area, row.setl_id, refund=False))
    if head is None:
        return bar("setl_id", "unknown_settlement", row.setl_id)
    position, fact = head
    refund = books.settled.get(claim_stream(area, row.setl_id, refund=True))
    if not isinstance(fact, ClaimFact):
        return bar("setl_id", "settlement_cancelled", row.setl_id, position=position)
    if refund is not None and isinstance(refund[1], ClaimFact) and refund[0] > position:
        return bar("setl_id", "settlement_cancelled", row.setl_id, position=refund[0])
    if row.institution not in {None, fact.institution}:
        where = {"setl_id": row.setl_id, "institution": fact.institution}
        return bar("fixmedins_code", "institution_differs", row.institution or "", **where)
    return fact


def _said_before(row: CaseRow, history: _History) -> bool | Rejection:
    """Tell whether the log says it already; a review under a known number may be in conflict."""
    if isinstance(row, GroupingRow):
        grouped = [one for _, one in history if isinstance(one, CaseGrouped)]
        return bool(grouped) and _told(grouped[-1]) == row.said
    if isinstance(row, AssessmentRow):
        assessed = [
            one
            for _, one in history
            if isinstance(one, AssessmentRecorded) and one.fund == row.fund
        ]
        return bool(assessed) and _told(assessed[-1]) == row.said
    for position, one in history:
        if isinstance(one, CaseReviewed) and one.review_no == row.review_no:
            return True if _told(one) == row.said else conflict(row, {"position": position})
    return False


class _ClosedYears:
    """Which years are cleared for good (年度已清算): nothing more is taken for them but in a dispute."""

    def __init__(self, ledger: FundLedger, area: Area) -> None:
        self._ledger, self._area = ledger, area
        self._years: dict[tuple[str, str], YearClearing] = {}

    def bars(self, row: CaseRow, settled: ClaimFact | None) -> Rejection | bool:
        """Reject a row about a year whose result binds the institution."""
        if isinstance(row, AssessmentRow):
            institution, year = row.institution, row.year
            funds = [row.fund] if row.fund is not None else sorted(self._area.leaf_funds)
            place = ("year", ASSESSMENTS.name)
        elif settled is not None:
            institution, year = settled.institution, settled.belongs_to[:4]
            funds = [BASIC_FUND.get(settled.insutype, settled.insutype)]
            kind = GROUPINGS if isinstance(row, GroupingRow) else CASE_REVIEWS
            place = ("setl_id", kind.name)
        else:
            return False
        for fund in funds:
            result = self._year(fund, year).closed_to(institution)
            if result is not None:
                value = year if isinstance(row, AssessmentRow) else row.setl_id
                facts = {"year": year, "run": result.id, "institution": institution}
                return Rejection(row.line, place[0], "year_cleared", value, facts, place[1])
        return False

    def _year(self, fund: str, year: str) -> YearClearing:
        if (fund, year) not in self._years:
            code = self._area.code
            history = self._ledger.history(clearing_stream(code, fund, year))
            self._years[fund, year] = fold_year(
                code, fund, year, ((position, one.fact) for position, one in history)
            )
        return self._years[fund, year]


@dataclass(frozen=True, slots=True)
class _PutUp:
    """The cases of an institution's year that were put up before, and with those of the file."""

    before: frozenset[str]
    version: int  # of the stream that they were counted on
    cases: set[str]


class _Caps:
    """How many cases may be put up for review (特例单议), counted once for a file.

    What is put up is counted on a stream of its institution's year. Two files at one moment meet
    there: the later one is counted again, after the first.
    """

    def __init__(self, ledger: FundLedger, area: str, ask: Callable[[], Records] | None) -> None:
        self._ledger, self._area, self._ask = ledger, area, ask
        self._records: Records | None = None
        self._years: dict[tuple[str, str], ReviewCaps | None] = {}
        self._put_up: dict[tuple[str, str], _PutUp] = {}

    def bars(self, row: CaseRow, settled: ClaimFact | None) -> Rejection | bool:
        """Reject a review above the cap of its institution; in the order of the rows."""
        if not isinstance(row, ReviewRow) or settled is None or self._ask is None:
            return False
        year = settled.belongs_to[:4]
        caps = self._of(BASIC_FUND.get(settled.insutype, settled.insutype), year, self._ask)
        cap = None if caps is None else caps.of(settled)
        if cap is None:
            return False
        put_up = self._put_up_of(settled.institution, year)
        cap.reviewed |= put_up.cases
        if cap.takes(row.setl_id):
            put_up.cases.add(row.setl_id)
            return False
        facts = {
            "institution": settled.institution,
            "year": year,
            "cases": cap.cases,
            "allowed": cap.allowed,
        }
        return Rejection(
            row.line, "setl_id", "reviews_above_cap", row.setl_id, facts, CASE_REVIEWS.name
        )

    def envelopes(self, *, by: str, intake: str) -> list[Envelope]:
        """Give the count of what the file puts up, at the places that were read."""
        return [
            Envelope(
                put_up_stream(self._area, institution, year),
                one.version + 1,
                CasesPutUp(
                    area=self._area,
                    institution=institution,
                    year=year,
                    setl_ids=tuple(sorted(one.cases - one.before)),
                    by=by,
                    source=Source(intake=intake),
                ),
            )
            for (institution, year), one in self._put_up.items()
            if one.cases > one.before
        ]

    def _put_up_of(self, institution: str, year: str) -> _PutUp:
        if (institution, year) not in self._put_up:
            history = self._ledger.history(put_up_stream(self._area, institution, year))
            before = {
                setl_id
                for _, one in history
                if isinstance(one.fact, CasesPutUp)
                for setl_id in one.fact.setl_ids
            }
            self._put_up[institution, year] = _PutUp(frozenset(before), len(history), set(before))
        return self._put_up[institution, year]

    def _of(self, fund: str, year: str, ask: Callable[[], Records]) -> ReviewCaps | None:
        if (fund, year) not in self._years:
            self._records = self._records or ask()
            policies = load_policies(self._ledger, self._area)
            self._years[fund, year] = review_caps(self._records, policies, fund, year)
        return self._years[fund, year]


def _told(fact: Fact) -> tuple[Any, ...]:
    """Say a recorded fact as the row that made it says it."""
    match fact:
        case CaseGrouped():
            return fact.setl_id, fact.dise_code, fact.auxiliary, fact.reason
        case CaseReviewed():
            given = fact.points4, fact.amount_fen
            return fact.setl_id, fact.review_no, fact.decision, *given, fact.reason
        case AssessmentRecorded():
            return (*(fact.institution, fact.year, fact.fund), fact.score, fact.deduction_fen)
        case _:
            raise TypeError(f"not a fact of a case or an assessment: {type(fact).__name__}")


def _fact(area: str, row: CaseRow, settled: ClaimFact | None, *, by: str, source: Source) -> Fact:
    if isinstance(row, AssessmentRow):
        return AssessmentRecorded(
            area=area,
            fund=row.fund,
            institution=row.institution,
            year=row.year,
            score=row.score,
            deduction_fen=row.deduction_fen,
            by=by,
            source=source,
        )
    if settled is None:
        raise TypeError("a case without its settlement")
    common: dict[str, Any] = {
        "area": area,
        "setl_id": row.setl_id,
        "institution": settled.institution,
        "period": settled.belongs_to,
        "reason": row.reason,
        "by": by,
        "source": source,
    }
    if isinstance(row, ReviewRow):
        return CaseReviewed(
            **common,
            decision=row.decision,
            points4=row.points4,
            amount_fen=row.amount_fen,
            review_no=row.review_no,
        )
    return CaseGrouped(**common, dise_code=row.dise_code, auxiliary=row.auxiliary)
