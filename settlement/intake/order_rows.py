"""Rows about payment orders (付款单、预付单、个人付款): read cell by cell, typed, or rejected with every fault."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from ledger.domain.fund import FUNDS, is_leaf
from settlement.intake.cells import Cell, Parser
from settlement.intake.columns import Kind
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import RowReader
from settlement.intake.statement_rows import CheckedStatements, WholeRow, rows_of

Order = TypeVar("Order", bound=WholeRow)
#: A column, what is wrong with it, and the facts of that.
Fault = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderForm(Generic[Order]):
    """How the rows of one kind of file are read."""

    kind: Kind
    parsers: Mapping[str, Parser]
    faults: Callable[[Mapping[str, Any]], Iterator[Fault]]  # beyond single cells
    typed: Callable[[int, Mapping[str, Any]], Order]
    named: Callable[[Order], str]  # what stands in the key column


def check_orders(table: Table, form: OrderForm[Order]) -> CheckedStatements[Order]:
    """Check every row of a table; each order stands once."""
    reader = RowReader(table.head, dict(form.parsers))

    def check(line: int, cells: Sequence[Cell]) -> Order | tuple[Rejection, ...]:
        values, rejections = reader.examine(line, cells)
        row = dict(zip((column.key for column in form.kind), values, strict=True))
        bad = {rejection.field for rejection in rejections}
        for key, code, facts in form.faults(row):
            if key not in bad:
                rejections.append(reader.rejection(line, cells, key, code, facts))
        return tuple(rejections) or form.typed(line, row)

    def conflict(row: Order, first_line: int) -> Rejection:
        where = form.kind.key_column, "row_conflict", form.named(row)
        return Rejection(row.line, *where, {"first_line": first_line}, form.kind.name)

    checked: CheckedStatements[Order] = CheckedStatements()
    checked.rows.extend(cast("Iterator[Order]", rows_of(table, check, conflict, checked)))
    return checked


def fund_faults(fund: str | None, funds: frozenset[str]) -> Iterator[Fault]:
    """Say why a payment cannot be of this fund: a leaf fund of the book is needed."""
    if fund is not None and not is_leaf(fund):
        yield "fund", "sub_fund_needed", {"fund": fund, "choices": FUNDS[fund].leaves}
    elif fund is not None and fund not in funds:
        yield "fund", "fund_not_in_book", {"fund": fund, "funds": tuple(sorted(funds))}
