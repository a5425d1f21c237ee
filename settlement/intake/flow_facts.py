"""From checked ``fund_flows`` rows to facts of the cash book: content, class, entry, booking date."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256

from ledger.aggregates.area import Area
from ledger.domain.entry import Entry
from ledger.domain.fund import fund_name
from ledger.domain.posting_rules import RULES_VERSION, Flow, entry_of, reclassification_entry
from ledger.events import cash
from ledger.events.base import Source
from settlement.booking import Books, booking_date, books_touched
from settlement.intake.fund_flow_rows import FundFlowRow
from settlement.intake.vocabulary import ITEM_WORDS

RECLASSIFICATION = "reclassification"
_PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True)

_CLASSES: Mapping[str, type[cash.CashFact]] = {
    "opening_balance": cash.OpeningRecorded,
    "opening_adjustment": cash.OpeningAdjusted,
    "contribution.refund": cash.ContributionRefunded,
    "personal_credit": cash.PersonalAccountCredited,
    "transfer_out": cash.ExpensePaid,
    "other_expense": cash.ExpensePaid,
    "remit_up": cash.ExpensePaid,
    "subsidy_down": cash.ExpensePaid,
    "benefit_returned": cash.BenefitReturned,
    "assisted_participation": cash.ParticipationAssisted,
    "recovery": cash.RecoveryReceived,
    "fine_received": cash.FineRegistered,
    "fine_remitted": cash.FineRemitted,
    RECLASSIFICATION: cash.Reclassified,
}
#: Items that are recognised by their first words.
_PREFIXES: tuple[tuple[str, type[cash.CashFact]], ...] = (
    ("contribution.", cash.ContributionReceived),
    ("subsidy.", cash.SubsidyReceived),
    ("benefit.", cash.BenefitPaid),
    ("catastrophic_", cash.CatastrophicInsuranceBooked),
    ("prepayment", cash.PrepaymentBooked),
    ("remote_", cash.RemoteCareBooked),
    ("move.", cash.MoneyMoved),
    ("deposit_", cash.MoneyMoved),
    ("advance_", cash.AdvanceBooked),
    ("suspense_", cash.AdvanceBooked),
    ("loan_", cash.AdvanceBooked),
)


def fact_class(item: str) -> type[cash.CashFact]:
    """Say which fact an item is; whatever else comes in is income (利息、转移收入、其他收入)."""
    if item in _CLASSES:
        return _CLASSES[item]
    return next(
        (found for start, found in _PREFIXES if item.startswith(start)), cash.IncomeReceived
    )


@dataclass(frozen=True)
class Document:
    """One document (单据): a row, or the rows of a reclassification that share a number."""

    rows: tuple[FundFlowRow, ...]

    @property
    def doc_no(self) -> str:
        return self.rows[0].doc_no

    @property
    def line(self) -> int:
        return self.rows[0].line

    @cached_property
    def content(self) -> str:
        """Hash what the document says, wherever and in which order it stands: equal is the same fact."""
        rows = sorted(_plain(row) for row in self.rows)
        return sha256("\n".join(rows).encode()).hexdigest()[:32]


def documents(rows: Iterable[FundFlowRow]) -> list[Document]:
    """Group rows into documents in file order."""
    grouped: dict[str, list[FundFlowRow]] = {}
    for row in rows:
        grouped.setdefault(row.doc_no, []).append(row)
    return [Document(tuple(group)) for group in grouped.values()]


def _plain(row: FundFlowRow) -> str:
    said = {
        "doc_no": row.doc_no,
        "date": row.date.isoformat(),
        "area": row.area,
        "fund": row.fund,
        "item": row.item,
        "amount_fen": row.amount_fen,
        "belongs_to": str(row.belongs_to),
        "counterparty": row.counterparty,
        "counterparty_fund": row.counterparty_fund,
        "money_account": row.money_account,
        "original_doc": row.original_doc,
        "original_year": row.original_year,
        "method": row.method,
        "account": row.account,
        "channel": row.channel,
        "person_class": row.person_class,
        "note": row.note,
    }
    return _PLAIN.encode(said)


def entry_of_document(document: Document, *, tax_collects: bool) -> Entry:
    """Give the entry of a document; RuleNotApplicable where no posting rule fits it."""
    row = document.rows[0]
    if row.item == RECLASSIFICATION:
        amounts: dict[str, int] = {}
        for part in document.rows:
            account = part.account or ""
            amounts[account] = amounts.get(account, 0) + part.amount_fen
        return reclassification_entry(row.fund, amounts)
    return entry_of(
        Flow(
            item=row.item,
            fund=row.fund,
            fen=row.amount_fen,
            year=row.date.year,
            counterparty=row.counterparty,
            counterparty_fund=row.counterparty_fund,
            money_account=row.money_account,
            original_year=row.original_year,
            method=row.method,
            account=row.account,
            original_doc=row.original_doc,
            tax_collects=tax_collects,
        )
    )


def fact_of_document(
    document: Document,
    entry: Entry,
    *,
    area: Area,
    states: Books,
    revision: int,
    intake: str | None,
    user: str,
) -> cash.CashFact:
    """Make the fact of a document, booked on the date that the open months allow."""
    row = document.rows[0]
    amount = sum(part.amount_fen for part in document.rows if part.amount_fen > 0)
    return fact_class(row.item)(
        area=area.code,
        doc_no=row.doc_no,
        revision=revision,
        fund=row.fund,
        item=row.item,
        date=row.date.isoformat(),
        booked_on=_booked_on(area.code, row.date, entry, states).isoformat(),
        belongs_to=str(row.belongs_to),
        amount_fen=amount if len(document.rows) > 1 else row.amount_fen,
        summary=row.note or summary_of(row, area),
        counterparty=row.counterparty,
        counterparty_fund=row.counterparty_fund,
        money_account=row.money_account,
        original_doc=row.original_doc,
        original_year=row.original_year,
        method=row.method,
        account=row.account,
        channel=row.channel,
        person_class=row.person_class,
        note=row.note,
        content=document.content,
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=user,
        source=Source(intake=intake, line=document.line),
    )


def _booked_on(area: str, day: date, entry: Entry, states: Books) -> date:
    """A register-only fact (a fine that never reached a fund's account) keeps its own date."""
    return booking_date(day, books_touched(area, entry), states) if entry else day


def summary_of(row: FundFlowRow, area: Area) -> str:
    """Write a voucher's summary (摘要) where the document has no note: what, from or to whom."""
    words = [fund_name(row.fund), ITEM_WORDS[row.item][0]]
    if row.counterparty:
        name, _ = area.institutions.get(row.counterparty, (row.counterparty, None))
        words.append(name)
    return " ".join(words)
