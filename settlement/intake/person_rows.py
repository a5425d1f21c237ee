"""Rows of ``person_payments`` (个人待遇付款): whom to pay what, typed or rejected; masked in messages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.domain.chart import BENEFIT_KINDS
from ledger.events.persons import payment_name
from settlement.intake import cells as read
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import Parser, choice
from settlement.intake.columns import PERSON_PAYMENTS
from settlement.intake.order_rows import Fault, OrderForm, check_orders, fund_faults
from settlement.intake.readers import Table
from settlement.intake.row_reader import CheckContext
from settlement.intake.statement_rows import CheckedStatements
from settlement.intake.vocabulary import FUND_WORDS, Words, by_word

MANUAL = "manual"
_KIND_WORDS: Words = {kind: (zh,) for kind, (zh, _) in BENEFIT_KINDS.items()}
_PARSERS: dict[str, Parser] = {
    "ref": read.parse_identifier,
    "psn_no": read.parse_identifier,
    "psn_name": read.parse_text,
    "bank_account": read.parse_identifier,
    "bank_name": read.parse_text,
    "fund": choice(by_word(FUND_WORDS), code="unknown_fund"),
    "kind": choice(by_word(_KIND_WORDS)),
    "amount": parse_amount,
    "note": read.parse_text,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One payment to a person; name and account are for the bank's file only."""

    line: int
    ref: str
    psn_no: str
    psn_name: str
    bank_account: str
    bank_name: str | None
    fund: str
    kind: str
    fen: int

    @property
    def group(self) -> str:
        """Name the payment: one reference may be owed by several funds."""
        return payment_name(self.fund, self.ref)

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        whom = self.psn_no, self.psn_name, self.bank_account, self.bank_name
        return self.ref, *whom, self.fund, self.kind, self.fen


def check_persons(table: Table, context: CheckContext) -> CheckedStatements[PersonRow]:
    """Check every row of a ``person_payments`` table."""

    def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
        yield from fund_faults(row["fund"], context.funds)
        if row["amount"] is not None and row["amount"] <= 0:
            yield "amount", "person_amount_not_positive", {}

    form = OrderForm(
        kind=PERSON_PAYMENTS,
        parsers=_PARSERS,
        faults=faults,
        typed=_typed,
        named=lambda row: row.ref,
    )
    return check_orders(table, form)


def _typed(line: int, row: Mapping[str, Any]) -> PersonRow:
    return PersonRow(
        line=line,
        ref=row["ref"],
        psn_no=row["psn_no"],
        psn_name=row["psn_name"],
        bank_account=row["bank_account"],
        bank_name=row["bank_name"],
        fund=row["fund"],
        kind=row["kind"] or MANUAL,
        fen=row["amount"],
    )
