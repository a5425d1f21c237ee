"""Rows of ``person_payments`` (个人待遇付款): whom to pay what, typed or rejected; masked in messages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.domain.chart import BENEFIT_KINDS
from ledger.domain.fund import FUNDS, is_leaf
from ledger.events.persons import payment_name
from settlement.intake import cells as read
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import Cell, Parser, choice
from settlement.intake.columns import PERSON_PAYMENTS
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.statement_rows import CheckedStatements, rows_of
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


class _Checker:
    """Checks the rows of one table against one book."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        self._funds = context.funds
        self._reader = RowReader(table.head, _PARSERS)

    def check(self, line: int, cells: Sequence[Cell]) -> PersonRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip((column.key for column in PERSON_PAYMENTS), values, strict=True))
        bad = {rejection.field for rejection in rejections}
        for key, code, facts in self._faults(row):
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        if rejections:
            return tuple(rejections)
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

    def _faults(self, row: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
        fund, fen = row["fund"], row["amount"]
        if fund is not None and not is_leaf(fund):
            yield "fund", "sub_fund_needed", {"fund": fund, "choices": FUNDS[fund].leaves}
        elif fund is not None and fund not in self._funds:
            funds = tuple(sorted(self._funds))
            yield "fund", "fund_not_in_book", {"fund": fund, "funds": funds}
        if fen is not None and fen <= 0:
            yield "amount", "person_amount_not_positive", {}


def check_persons(table: Table, context: CheckContext) -> CheckedStatements[PersonRow]:
    """Check every row of a ``person_payments`` table."""
    checked: CheckedStatements[PersonRow] = CheckedStatements()
    checker = _Checker(table, context)
    for row in rows_of(table, checker.check, _conflict, checked):
        if isinstance(row, PersonRow):
            checked.rows.append(row)
    return checked


def _conflict(row: PersonRow, first_line: int) -> Rejection:
    facts = {"first_line": first_line}
    return Rejection(row.line, "ref", "row_conflict", row.ref, facts, PERSON_PAYMENTS.name)
