"""Small builders of stored facts, so that a test of the read models says only what it is about."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ledger.application import FundLedger
from ledger.domain.entry import Entry, red_letter
from ledger.domain.fund import parent
from ledger.domain.identity import (
    area_stream,
    case_stream,
    claim_stream,
    document_stream,
    intake_stream,
    month_stream,
    settlement_stream,
)
from ledger.domain.period import Period
from ledger.domain.posting_rules import Flow, claim_entry, entry_of
from ledger.events import cases, cash, claim, intake, month, settlement, setup
from ledger.events.base import Envelope, Fact, Posted, Source
from ledger.store.commit import BookKey, Commit, OpenBook, Receipt
from settlement.booking import booked_months, first_months, totals_of

AREA = "330604"
H1, H2 = "H33060400001", "H33060400002"


class Clock:
    """A clock that goes one second further each time it is read."""

    def __init__(self) -> None:
        self.moment = datetime(2024, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


def flow(
    item: str,
    fund: str,
    fen: int,
    day: str,
    *,
    doc_no: str | None = None,
    revision: int = 1,
    intake_id: str | None = None,
    area: str = AREA,
    **more: Any,
) -> cash.CashFact:
    """One document of the cash book, posted by the product's own rules."""
    known = {
        name: more[name]
        for name in (
            "counterparty",
            "counterparty_fund",
            "money_account",
            "original_year",
            "account",
        )
        if name in more
    }
    entry = entry_of(Flow(item=item, fund=fund, fen=fen, year=int(day[:4]), **known))
    return _CLASSES.get(item, cash.BenefitPaid)(
        area=area,
        booked_on=more.pop("booked_on", day),
        postings=entry,
        rules_version=1,
        prepared_by="clerk1",
        doc_no=doc_no or f"{item}-{fund}-{day}-{fen}",
        revision=revision,
        fund=fund,
        item=item,
        date=day,
        belongs_to=more.pop("belongs_to", day[:7]),
        amount_fen=fen,
        summary=f"{item} {fen}",
        content="",
        source=Source(intake=intake_id, line=2 if intake_id else None),
        **more,
    )


_CLASSES: dict[str, type[cash.CashFact]] = {
    "opening_balance": cash.OpeningRecorded,
    "opening_adjustment": cash.OpeningAdjusted,
    "contribution.employer": cash.ContributionReceived,
    "contribution.individual": cash.ContributionReceived,
    "contribution.pending": cash.ContributionReceived,
    "superior_subsidy": cash.IncomeReceived,
    "interest": cash.IncomeReceived,
    "remit_up": cash.ExpensePaid,
    "personal_credit": cash.PersonalAccountCredited,
    "assisted_participation": cash.ParticipationAssisted,
    "prepayment": cash.PrepaymentBooked,
    "benefit_returned": cash.BenefitReturned,
}


def settled(
    setl_id: str,
    owed: dict[str, int],
    day: str,
    *,
    institution: str = H1,
    clr_type: str = "11",
    intake_id: str | None = None,
    area: str = AREA,
) -> claim.ClaimFact:
    """One settlement; negative amounts make it a refund."""
    total = sum(owed.values())
    refund = total < 0
    return (claim.ClaimRefunded if refund else claim.ClaimSettled)(
        area=area,
        booked_on=day,
        postings=claim_entry(owed, institution),
        rules_version=1,
        prepared_by="clerk1",
        setl_id=setl_id,
        person="token",
        person_key=1,
        insutype="310",
        institution=institution,
        med_type="21",
        clr_type=clr_type,
        setl_date=day,
        belongs_to=day[:7],
        amounts=claim.ClaimAmounts(
            medfee_sumamt=total, fund_pay_sumamt=total, acct_pay=0, psn_cash_pay=0
        ),
        details={},
        content="",
        source=Source(intake=intake_id, line=2),
    )


def stepped(
    number: int, entry: Entry, day: str, *, institution: str = H1, belongs_to: str | None = None
) -> settlement.RefusalDecided:
    """One step of settling with an institution, with the entry of any of them."""
    return settlement.RefusalDecided(
        area=AREA,
        booked_on=day,
        postings=entry,
        rules_version=1,
        prepared_by="clerk1",
        fund=entry[0].fund,
        institution=institution,
        belongs_to=belongs_to or day[:7],
        date=day,
        summary="审核拒付",
        doc_no=f"J{number}",
        revision=1,
        amount_fen=1,
        reason_code="01",
        reason="重复收费",
        approved_by="reviewer1",
    )


class Books:
    """Appends facts to a ledger, each call one commit."""

    def __init__(self, ledger: FundLedger, *, area: str = AREA) -> None:
        self.ledger = ledger
        self.area = area
        self._commits = 0
        self._versions: dict[Any, int] = {}

    def found(
        self, *funds: str, first: str | None = None, institutions: Iterable[str] = (H1, H2)
    ) -> Receipt:
        """Set the area up with its funds."""
        facts: list[Fact] = [
            setup.AreaConfigured(area=self.area, by="admin1", name="上虞区", options={"a": 1}),
            *(
                setup.FundOpened(area=self.area, by="admin1", fund=fund, first=first)
                for fund in funds
            ),
            *(
                setup.InstitutionRegistered(area=self.area, by="admin1", code=code, name=code)
                for code in institutions
            ),
            setup.UserEnrolled(area=self.area, by="admin1", user="clerk1", roles=("clerk",)),
        ]
        opened = tuple(
            OpenBook(BookKey(self.area, fund), Period.parse(first) if first else None)
            for fund in funds
        )
        return self.append(facts, transitions=opened)

    def append(self, facts: Sequence[Fact], **commit: Any) -> Receipt:
        """Append facts of any kind in one commit, each on the stream it belongs to."""
        self._commits += 1
        posted = [fact for fact in facts if isinstance(fact, Posted)]
        if "booked" not in commit:
            commit["booked"] = booked_months(posted)
        return self.ledger.append(
            [self._envelope(fact) for fact in facts],
            Commit(
                key=f"{self.area}-{self._commits}",
                input_hash="x",
                totals=totals_of(posted),
                history=first_months(posted),
                **commit,
            ),
        )

    def post(self, *facts: Posted) -> Receipt:
        """Post facts in one commit, without an intake."""
        return self.append(facts)

    def reverse(self, fact: cash.CashFact, position: int, *, day: str) -> Receipt:
        """Reverse a document in red."""
        return self.post(
            cash.DocumentReversed(
                area=self.area,
                booked_on=day,
                postings=red_letter(fact.postings),
                rules_version=1,
                prepared_by="clerk1",
                doc_no=fact.doc_no,
                revision=fact.revision,
                fund=fact.fund,
                date=day,
                belongs_to=fact.belongs_to,
                original_position=position,
                summary=f"冲销 {fact.doc_no}",
                reason="错账",
                source=Source(),
            )
        )

    def reverse_claim(self, fact: claim.ClaimFact, position: int, *, day: str) -> Receipt:
        """Reverse a settlement in red."""
        return self.post(
            claim.ClaimReversed(
                area=self.area,
                booked_on=day,
                postings=red_letter(fact.postings),
                rules_version=1,
                prepared_by="clerk1",
                setl_id=fact.setl_id,
                refund=isinstance(fact, claim.ClaimRefunded),
                institution=fact.institution,
                clr_type=fact.clr_type,
                belongs_to=fact.belongs_to,
                original_position=position,
                reason="错账",
                source=Source(),
            )
        )

    def start_claims(self, intake_id: str, *funds: str) -> Receipt:
        """Start a claims intake."""
        started = intake.IntakeStarted(
            area=self.area,
            intake=intake_id,
            by="clerk1",
            kind="claims",
            file="claims.csv",
            content="c",
            accepted=1,
            rejected=0,
            partial=False,
            funds=funds,
            months=(),
        )
        books = sorted({BookKey(self.area, parent(fund)) for fund in funds})
        return self.append([started], opens_intake=tuple(books), staged_for=intake_id)

    def claims(self, intake_id: str, *facts: claim.ClaimFact) -> Receipt:
        """Post a chunk of a running claims intake."""
        return self.append(sorted(facts, key=lambda fact: fact.setl_id), staged_for=intake_id)

    def complete_claims(self, intake_id: str) -> Receipt:
        """Complete a claims intake."""
        return self.append(
            [self.completed(intake_id, "claims")], releases=intake_id, closes_intake=intake_id
        )

    def completed(self, intake_id: str, kind: str) -> intake.IntakeCompleted:
        """The fact that an intake is complete."""
        return intake.IntakeCompleted(
            area=self.area,
            intake=intake_id,
            by="clerk1",
            kind=kind,
            file=f"{kind}.csv",
            content="c",
            accepted=1,
            rejected=0,
            posted=1,
            already=0,
        )

    def _envelope(self, fact: Fact) -> Envelope:
        stream = _stream(fact)
        self._versions[stream] = self._versions.get(stream, 0) + 1
        return Envelope(stream, self._versions[stream], fact)


def _stream(fact: Fact) -> Any:  # noqa: PLR0911  a return for each kind of stream
    match fact:
        case cash.CashFact() | cash.DocumentReversed():
            return document_stream(fact.area, fact.doc_no)
        case claim.ClaimFact():
            refund = isinstance(fact, claim.ClaimRefunded)
            return claim_stream(fact.area, fact.setl_id, refund=refund)
        case claim.ClaimReversed():
            return claim_stream(fact.area, fact.setl_id, refund=fact.refund)
        case cases.CaseFact():
            return case_stream(fact.area, fact.setl_id)
        case month.MonthFact() | month.YearTransferred():
            return month_stream(fact.area, fact.fund, fact.period)
        case settlement.SettlementFact():
            place = (fact.area, fact.fund, fact.institution, fact.belongs_to)
            return settlement_stream(*place)
        case intake.IntakeFact():
            return intake_stream(fact.area, "claims", fact.intake)
        case setup.AreaFact():
            return area_stream(fact.area)
    raise TypeError(fact)


def day(text: str) -> date:
    """Read a date."""
    return date.fromisoformat(text)
