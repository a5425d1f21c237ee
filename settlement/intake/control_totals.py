"""Control totals (合计行): a last row that says how many rows there are and what they add up to.

``fund_flows``: ``doc_no`` 合计, the count in ``note``, the sum in ``amount``. ``claims``:
``setl_id`` 合计, the count in ``mdtrt_id``, the sums in ``medfee_sumamt`` and, if given,
``fund_pay_sumamt``. ``bank_statement``: ``date`` 合计, the count in ``summary``. Every row counts,
rejected ones too. A file without one is what it is.
"""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ledger.domain.money import format_yuan
from settlement.intake.amounts import parse_amount, parse_amount_wan
from settlement.intake.cells import BadCell, Cell, readable
from settlement.intake.heads import Head
from settlement.intake.rejections import FileProblem, shown

#: How a control row is called, and what else may stand in a control row's key column.
CONTROL_WORDS = frozenset({"合计", "总计", "合計", "total", "totals", "sum"})

_COUNT_COLUMN = {
    "fund_flows": "note",
    "claims": "mdtrt_id",
    "statement_totals": "note",
    "statement_details": "mdtrt_id",
    "groupings": "note",
    "case_reviews": "note",
    "assessments": "note",
    "bank_statement": "summary",
    "clearing_applications": "note",
    "payment_results": "note",
    "remote_allocations": "mdtrt_id",
    "manual_claims": "reason",
    "person_payments": "note",
    "prepayments": "note",
}
_STATED = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")
_SUM_COLUMNS = {
    "fund_flows": ("amount",),
    "claims": ("medfee_sumamt", "fund_pay_sumamt"),
    "statement_totals": (*_STATED, "fixmedins_setl_cnt"),
    "statement_details": _STATED,
    "groupings": (),
    "case_reviews": (),
    "assessments": ("deduction",),
    "bank_statement": ("amount", "paid_in", "paid_out"),
    "clearing_applications": ("medfee_sumamt", "fund_appy_sum", "cash_payamt", "acct_pay"),
    "payment_results": ("amount",),
    "remote_allocations": ("medfee_sumamt", "optins_pay_sumamt"),
    "manual_claims": ("medfee_sumamt",),
    "person_payments": ("amount",),
    "prepayments": ("amount",),
}
_COUNT = re.compile(r"(?:共|合计)?([0-9]{1,9})(?:笔|条|行|rows)?")


class ControlTotals:
    """Adds up the rows of one table and compares them with its control row."""

    def __init__(self, head: Head) -> None:
        self._kind = head.kind.name
        self._key = head.columns[head.kind.key_column]
        self._count_column = _COUNT_COLUMN[self._kind]
        self._count_at = head.columns.get(self._count_column)
        self._sums = [
            (key, head.columns[key], parse_amount_wan if key in head.in_wan else parse_amount)
            for key in _SUM_COLUMNS[self._kind]
            if key in head.columns
        ]
        self._rows = 0
        self._totals = [0] * len(self._sums)
        self._unread = [0] * len(self._sums)
        self._control: tuple[int, Sequence[Cell]] | None = None
        self._following: int | None = None

    def is_control_row(self, cells: Sequence[Cell]) -> bool:
        """Tell whether a row is the control row by the word in its key column."""
        cell = cells[self._key] if self._key < len(cells) else None
        if type(cell) is not str or len(cell) > 10 or cell.isdecimal():
            return False
        return re.sub(r"\s+", "", cell).lower().rstrip(":\uff1a") in CONTROL_WORDS

    def set_control_row(self, line: int, cells: Sequence[Cell]) -> None:
        """Keep the control row until the end of the file; a second one makes the first no last."""
        if self._control is None:
            self._control = (line, cells)
        else:
            self._follows(line)

    def add(self, line: int, cells: Sequence[Cell], read: Sequence[int | None] | None) -> None:
        """Count a row; ``read`` are its amounts if the row was accepted, else they are read here."""
        self._rows += 1
        self._follows(line)
        for place, (_, index, parse) in enumerate(self._sums):
            try:
                fen = read[place] if read else parse(cells[index] if index < len(cells) else None)
            except BadCell:
                fen = None
            if fen is None:
                self._unread[place] += 1
            else:
                self._totals[place] += fen

    def add_many(self, lines: pa.Array, sums: Sequence[int]) -> None:
        """Count accepted rows with the sums of their amounts; the rows between them go first."""
        self._rows += len(lines)
        for place, fen in enumerate(sums):
            self._totals[place] += fen
        if self._control is not None:
            below = lines.filter(pc.greater(lines, self._control[0]))
            if len(below):
                self._follows(below[0].as_py())

    def _follows(self, line: int) -> None:
        """Note a row that stands below the control row, the first of them."""
        if self._control is not None and line > self._control[0]:
            self._following = min(line, self._following or line)

    def problems(self) -> list[FileProblem]:
        """Say what the control row and the rows disagree about, with both figures."""
        if self._control is None:
            return []
        line, cells = self._control
        if self._following is not None:
            facts = {"line": line, "next_line": self._following}
            return [FileProblem("control_row_not_last", facts)]
        return [*self._count_problems(line, cells), *self._sum_problems(line, cells)]

    def _count_problems(self, line: int, cells: Sequence[Cell]) -> list[FileProblem]:
        cell = _at(cells, self._count_at)
        if cell is None:
            return []
        text = f"{cell:.0f}" if isinstance(cell, float) else readable(str(cell))
        found = _COUNT.fullmatch(text.replace(",", ""))
        if found is None:
            return [self._unreadable(line, self._count_column, cell)]
        stated = int(found[1])
        if stated == self._rows:
            return []
        return [self._mismatch(line, self._count_column, str(stated), str(self._rows))]

    def _sum_problems(self, line: int, cells: Sequence[Cell]) -> list[FileProblem]:
        found = []
        stated_any = False
        for place, (key, index, parse) in enumerate(self._sums):
            cell = _at(cells, index)
            if cell is None:
                continue
            stated_any = True
            try:
                stated = parse(cell)
            except BadCell:
                stated = None
            if stated is None:
                found.append(self._unreadable(line, key, cell))
            elif self._unread[place]:
                facts = {"kind": self._kind, "figure": key, "rows": self._unread[place]}
                found.append(FileProblem("control_total_unchecked", facts))
            elif stated != self._totals[place]:
                found.append(
                    self._mismatch(line, key, format_yuan(stated), format_yuan(self._totals[place]))
                )
        if not stated_any and _at(cells, self._count_at) is None:
            found.append(self._unreadable(line, self._sums[0][0], None))
        return found

    def _mismatch(self, line: int, figure: str, stated: str, actual: str) -> FileProblem:
        return FileProblem(
            "control_total_mismatch",
            {
                "kind": self._kind,
                "line": line,
                "figure": figure,
                "stated": stated,
                "actual": actual,
            },
        )

    def _unreadable(self, line: int, figure: str, cell: Cell) -> FileProblem:
        return FileProblem(
            "control_row_unreadable",
            {
                "kind": self._kind,
                "line": line,
                "figure": figure,
                "value": shown(cell),
                "count_column": self._count_column,
                "sum_column": self._sums[0][0],
            },
        )


def _at(cells: Sequence[Cell], index: int | None) -> Cell:
    """Give a cell, None for an empty one."""
    cell = cells[index] if index is not None and index < len(cells) else None
    return None if isinstance(cell, str) and not cell.strip() else cell
