"""Rows of an allocation (3260 异地清分明细): typed, or rejected with everything wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.domain.fund import is_area, is_institution
from ledger.domain.period import Period
from settlement.intake import cells as read
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Cell, Parser
from settlement.intake.columns import REMOTE_ALLOCATIONS
from settlement.intake.moments import parse_moment, parse_month
from settlement.intake.places import Places
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.statement_rows import CheckedStatements, rows_of

_AMOUNTS = ("medfee_sumamt", "optins_pay_sumamt")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationRow:
    """One settlement as it was allocated; whose it is stays in the file."""

    line: int
    period: str
    setl_id: str
    refund: bool
    mdtrtarea: str
    insuplc: str | None
    institution: str
    medfee_fen: int
    paid_fen: int

    @property
    def group(self) -> tuple[str, str, bool]:
        """A settlement is allocated once a month; its refund is a row of its own."""
        return self.period, self.setl_id, self.refund

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        places = self.mdtrtarea, self.insuplc, self.institution
        return *self.group, *places, self.medfee_fen, self.paid_fen


def _place(cell: Cell) -> str | None:
    code = read.parse_code(cell, limit=6)
    if code is not None and not is_area(code):
        raise BadCell("malformed_area")
    return code


def _institution(cell: Cell) -> str | None:
    code = read.parse_identifier(cell)
    if code is None:
        return None
    code = read.plain(code).upper()
    if not is_institution(code):
        raise BadCell("malformed_institution")
    return code


_PARSERS: dict[str, Parser] = {
    "setl_sn": read.parse_identifier,
    "clr_ym": parse_month,
    "mdtrtarea": _place,
    "insuplc": _place,
    "medins_no": _institution,
    "certno": read.parse_identifier,
    "mdtrt_id": read.parse_identifier,
    "mdtrt_setl_time": parse_moment,
    "fulamt_advpay_flag": read.parse_flag,
    "refd_setl_flag": read.parse_flag,
    **dict.fromkeys(_AMOUNTS, parse_amount),
}


class _Checker:
    """Checks the rows of one table against one book."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        self._keys = [column.key for column in REMOTE_ALLOCATIONS]
        self._reader = RowReader(table.head, {key: _PARSERS[key] for key in self._keys})
        self._places = Places(context.area, context.places, context.institutions)
        self._today = context.today

    def check(self, line: int, cells: Sequence[Cell]) -> AllocationRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(self._keys, values, strict=True))
        bad = {rejection.field for rejection in rejections}
        for key, code, facts in self._faults(row, bad):
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        if rejections:
            return tuple(rejections)
        return AllocationRow(
            line=line,
            period=str(row["clr_ym"]),
            setl_id=row["setl_sn"],
            refund=row["refd_setl_flag"] == 1,
            mdtrtarea=row["mdtrtarea"],
            insuplc=row["insuplc"],
            institution=row["medins_no"],
            medfee_fen=row["medfee_sumamt"],
            paid_fen=row["optins_pay_sumamt"],
        )

    def _faults(
        self, row: dict[str, Any], bad: set[str]
    ) -> Iterator[tuple[str, str, dict[str, Any]]]:
        flag = 1 if row["refd_setl_flag"] == 1 else 0
        for key in _AMOUNTS:
            fen = row[key]
            if fen and (fen > 0) == bool(flag):
                yield key, "wrong_sign", {"flag": flag}
        month = row["clr_ym"]
        if month is not None and Period.parse(str(month)) > Period.of(self._today):
            yield "clr_ym", "date_in_future", {"limit": self._today.isoformat()}
        places = ("insuplc", "mdtrtarea", "medins_no")
        if bad.isdisjoint(places) and row["mdtrtarea"] and row["medins_no"]:
            role = self._places.role(*(row[key] for key in places))
            if role is None:
                yield "insuplc", "not_of_this_area", {"area": self._places.area}


def _conflict(row: AllocationRow, first_line: int) -> Rejection:
    facts, kind = {"first_line": first_line}, REMOTE_ALLOCATIONS.name
    return Rejection(row.line, "setl_sn", "statement_conflict", row.setl_id, facts, kind)


def check_allocations(table: Table, context: CheckContext) -> CheckedStatements[Any]:
    """Check every row of a ``remote_allocations`` table."""
    checked: CheckedStatements[Any] = CheckedStatements()
    checker = _Checker(table, context)
    for row in rows_of(table, checker.check, _conflict, checked):
        checked.rows.append(row)
    return checked
