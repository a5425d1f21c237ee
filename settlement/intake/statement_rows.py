"""Rows of an institution's statements (3201 对总账, 3202 对明细账): typed, or rejected with every fault.

A statement says what the institution has, so its figures are not held against ours here; only what
could not be compared at all is refused.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ledger.domain.fund import is_institution
from ledger.domain.period import Period
from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Cell, Parser, choice, choice_or_code
from settlement.intake.columns import STATEMENT_DETAILS, STATEMENT_TOTALS, Kind
from settlement.intake.control_totals import ControlTotals
from settlement.intake.moments import parse_day
from settlement.intake.readers import Table
from settlement.intake.rejections import (
    MOST_REJECTED_ROWS,
    FileProblem,
    FileRefused,
    Rejection,
    refuse,
)
from settlement.intake.repetitions import Repeated
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.vocabulary import by_word

_AMOUNTS = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
_Fault = tuple[str, str, dict[str, Any]]
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsRow:
    """An institution's sums of a month for one 险种 and 清算类别; ``refund`` None: both in one."""

    line: int
    institution: str
    insutype: str
    clr_type: str
    period: str
    refund: bool | None
    cases: int
    medfee_fen: int
    fund_fen: int
    account_fen: int

    @property
    def group(self) -> tuple[str, str, str, str, str]:
        """Say what the sums are of: that, once a file."""
        part = {None: "", False: "0", True: "1"}[self.refund]
        return self.institution, self.insutype, self.clr_type, self.period, part

    @property
    def figures(self) -> tuple[int, int, int, int]:
        return self.cases, self.medfee_fen, self.fund_fen, self.account_fen

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        return *self.group, *self.figures


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRow:
    """One settlement as the institution has it; whose it is stays in the file."""

    line: int
    institution: str
    period: str
    setl_id: str
    refund: bool
    medfee_fen: int
    fund_fen: int
    account_fen: int
    mdtrt_id: str | None

    @property
    def group(self) -> tuple[str, bool]:
        """A settlement and its refund may share an id; the flag tells them apart."""
        return self.setl_id, self.refund

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        amounts = self.medfee_fen, self.fund_fen, self.account_fen
        return self.institution, self.period, *self.group, *amounts, self.mdtrt_id


class WholeRow(Protocol):
    """What a row of a file that is recorded in one commit tells of itself."""

    @property
    def line(self) -> int: ...

    @property
    def group(self) -> object: ...

    @property
    def said(self) -> object: ...


Stated = TypeVar("Stated", bound=WholeRow)


def known_institution(known: frozenset[str]) -> Parser:
    """Read one of our institutions: those elsewhere reconcile with their own area (异地清分)."""

    def parse(cell: Cell) -> str | None:
        code = read.parse_identifier(cell)
        if code is None:
            return None
        code = read.plain(code).upper()
        if not is_institution(code):
            raise BadCell("malformed_institution")
        if known and code not in known:
            raise BadCell("unknown_institution")
        return code

    return parse


def _parsers(context: CheckContext) -> dict[str, Parser]:
    return {
        "setl_id": read.parse_identifier,
        "mdtrt_id": read.parse_identifier,
        "psn_no": read.parse_identifier,
        "fixmedins_code": known_institution(context.institutions),
        "insutype": choice(by_word(vocabulary.INSUTYPE_WORDS)),
        "clr_type": choice_or_code(by_word(vocabulary.CLR_TYPE_WORDS)),
        "stmt_begndate": parse_day,
        "stmt_enddate": parse_day,
        **dict.fromkeys(_AMOUNTS, parse_amount),
        "fixmedins_setl_cnt": read.parse_integer,
        "refd_setl_flag": read.parse_flag,
        "note": read.parse_text,
    }


def _month_faults(row: _Row, today: dt.date) -> Iterator[_Fault]:
    first, last = row["stmt_begndate"], row["stmt_enddate"]
    if first is None or last is None:
        return
    month = Period.of(first)
    if (first, last) != (month.first_day, month.last_day):
        yield "stmt_enddate", "statement_not_a_month", {"begndate": first.isoformat()}
    elif last > today:
        yield "stmt_enddate", "date_in_future", {"limit": today.isoformat()}


def _sign_faults(row: _Row, flag: int | None) -> Iterator[_Fault]:
    for key in _AMOUNTS:
        fen = row[key]
        if flag is not None and fen and (fen > 0) == bool(flag):
            yield key, "wrong_sign", {"flag": flag}


def _totals_row(line: int, row: _Row) -> TotalsRow:
    flag = row["refd_setl_flag"]
    return TotalsRow(
        line=line,
        institution=row["fixmedins_code"],
        insutype=row["insutype"],
        clr_type=row["clr_type"],
        period=str(Period.of(row["stmt_begndate"])),
        refund=None if flag is None else bool(flag),
        cases=row["fixmedins_setl_cnt"],
        medfee_fen=row["medfee_sumamt"],
        fund_fen=row["fund_pay_sumamt"],
        account_fen=row["acct_pay"],
    )


def _detail_row(line: int, row: _Row) -> DetailRow:
    return DetailRow(
        line=line,
        institution=row["fixmedins_code"],
        period=str(Period.of(row["stmt_begndate"])),
        setl_id=row["setl_id"],
        refund=row["refd_setl_flag"] == 1,
        medfee_fen=row["medfee_sumamt"],
        fund_fen=row["fund_pay_sumamt"],
        account_fen=row["acct_pay"],
        mdtrt_id=row["mdtrt_id"],
    )


@dataclass(slots=True)
class CheckedStatements(Generic[Stated]):
    """A whole statement file, checked; it is recorded in one commit, so it fits in memory."""

    rows: list[Stated] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        """Tell whether a problem of the file keeps all of it out."""
        return any(problem.stops for problem in self.problems)


class _Checker:
    """Checks the rows of one table against one book."""

    def __init__(self, table: Table, kind: Kind, context: CheckContext) -> None:
        parsers = _parsers(context)
        self._keys = [column.key for column in kind]
        self._totals = kind is STATEMENT_TOTALS
        self._today = context.today
        self._reader = RowReader(table.head, {key: parsers[key] for key in self._keys})

    def check(
        self, line: int, cells: Sequence[Cell]
    ) -> TotalsRow | DetailRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(self._keys, values, strict=True))
        bad = {rejection.field for rejection in rejections}
        flag = row["refd_setl_flag"]
        if flag is None and not self._totals:
            flag = 0
        for key, code, facts in (*_month_faults(row, self._today), *_sign_faults(row, flag)):
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        if rejections:
            return tuple(rejections)
        return _totals_row(line, row) if self._totals else _detail_row(line, row)


def check_totals(table: Table, context: CheckContext) -> CheckedStatements[TotalsRow]:
    """Check every row of a ``statement_totals`` table."""
    checked: CheckedStatements[TotalsRow] = CheckedStatements()
    checker = _Checker(table, STATEMENT_TOTALS, context)
    for row in rows_of(table, checker.check, _conflict, checked):
        if isinstance(row, TotalsRow):
            checked.rows.append(row)
    return checked


def check_details(table: Table, context: CheckContext) -> CheckedStatements[DetailRow]:
    """Check every row of a ``statement_details`` table."""
    checked: CheckedStatements[DetailRow] = CheckedStatements()
    checker = _Checker(table, STATEMENT_DETAILS, context)
    for row in rows_of(table, checker.check, _conflict, checked):
        if isinstance(row, DetailRow):
            checked.rows.append(row)
    return checked


def rows_of(
    table: Table,
    check: Callable[[int, Sequence[Cell]], WholeRow | tuple[Rejection, ...]],
    conflict: Callable[[Any, int], Rejection],
    checked: CheckedStatements[Any],
) -> Iterator[WholeRow]:
    """Give the rows that are in order, each group or settlement once; note all that is wrong."""
    checked.problems += table.notices
    totals = ControlTotals(table.head)
    earlier: dict[Any, WholeRow] = {}
    rows = rejected = 0
    try:
        for line, cells in table.rows():
            if totals.is_control_row(cells):
                totals.set_control_row(line, cells)
                continue
            rows += 1
            totals.add(line, cells, None)
            row = check(line, cells)
            if isinstance(row, tuple):
                checked.rejections += row
                rejected += 1
                if rejected >= MOST_REJECTED_ROWS:
                    raise refuse("too_many_rejected", rows=rejected, line=line)
                continue
            first = earlier.setdefault(row.group, row)
            if first is row:
                yield row
            elif first.said == row.said:
                checked.repeated.append(Repeated(line, first.line))
            else:
                checked.rejections.append(conflict(row, first.line))
    except FileRefused as wrong:
        checked.problems += wrong.problems
    if not checked.stopped:
        checked.problems += [*totals.problems(), *([] if rows else [FileProblem("no_rows")])]


def _conflict(row: TotalsRow | DetailRow, first_line: int) -> Rejection:
    totals = isinstance(row, TotalsRow)
    kind = STATEMENT_TOTALS if totals else STATEMENT_DETAILS
    value = row.institution if isinstance(row, TotalsRow) else row.setl_id
    facts = {"first_line": first_line}
    return Rejection(row.line, kind.key_column, "statement_conflict", value, facts, kind.name)
