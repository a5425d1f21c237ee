"""One pass over a table: typed rows out, and everything that is wrong with rows and file.

A row that repeats an earlier one of the same file word for word is ``Repeated`` (it counts as
already there); the same number with other content is rejected. Control totals are compared at the
end, over all rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from settlement.intake.cells import BadCell, Cell, parse_identifier
from settlement.intake.claim_rows import ClaimChecker, ClaimRow
from settlement.intake.control_totals import ControlTotals
from settlement.intake.fund_flow_rows import (
    FundFlowChecker,
    FundFlowRow,
    check_reclassifications,
)
from settlement.intake.readers import Table
from settlement.intake.rejections import FileProblem, FileRefused, Rejection
from settlement.intake.row_reader import CheckContext

_RECLASSIFICATION = "reclassification"
_LINE_BITS = 32


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row with all its rejections, and its cells as the file has them (for the rejects file)."""

    line: int
    cells: tuple[Cell, ...]
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A row that says the same as an earlier row of the file."""

    line: int
    first_line: int


class ClaimsCheck:
    """Checks a ``claims`` table row by row; memory grows with the settlement ids only."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        self._table = table
        self._checker = ClaimChecker(table.head, context)
        self._totals = ControlTotals(table.head)
        # settlement → hash of its content and its line, packed: a million of them must fit
        self._seen: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self.rows = 0
        self.problems: list[FileProblem] = list(table.notices)

    @property
    def stopped(self) -> bool:
        """Tell whether a problem of the file keeps all of it out; final after ``outcomes``."""
        return any(problem.stops for problem in self.problems)

    def outcomes(self) -> Iterator[ClaimRow | Rejected | Repeated]:
        """Give the outcome of every row in file order; afterwards ``problems`` is complete."""
        totals, check = self._totals, self._checker.check
        try:
            for line, cells in self._table.rows():
                if totals.is_control_row(cells):
                    totals.set_control_row(line, cells)
                    continue
                self.rows += 1
                row = check(line, cells)
                if isinstance(row, ClaimRow):
                    totals.add(line, cells, (row.medfee_sumamt, row.fund_pay_sumamt))
                    yield self._new(row, cells)
                else:
                    totals.add(line, cells, None)
                    yield Rejected(line, tuple(cells), row)
        except FileRefused as wrong:
            self.problems += wrong.problems
        self.problems += _end_of_file(totals, self.rows, stopped=self.stopped)

    def _new(self, row: ClaimRow, cells: Sequence[Cell]) -> ClaimRow | Rejected | Repeated:
        seen = self._seen[row.refd_setl_flag]
        content = hash(row.said())
        first = seen.setdefault(row.setl_id, (content << _LINE_BITS) | row.line)
        first_line = first & ((1 << _LINE_BITS) - 1)
        if first_line == row.line:
            return row
        if first >> _LINE_BITS == content:
            return Repeated(row.line, first_line)
        facts = {"first_line": first_line}
        conflict = Rejection(row.line, "setl_id", "setl_id_conflict", row.setl_id, facts, "claims")
        return Rejected(row.line, tuple(cells), (conflict,))


@dataclass(slots=True)
class CheckedFlows:
    """A whole ``fund_flows`` file, checked: it posts in one transaction, so it fits in memory."""

    rows: list[FundFlowRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    repeated: list[Repeated] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)

    @property
    def stopped(self) -> bool:
        """Tell whether a problem of the file keeps all of it out."""
        return any(problem.stops for problem in self.problems)

    @property
    def rejections(self) -> list[Rejection]:
        return [rejection for row in self.rejected for rejection in row.rejections]


def check_flows(table: Table, context: CheckContext) -> CheckedFlows:
    """Check every row of a ``fund_flows`` table, then what only the whole file can tell."""
    checker, totals = FundFlowChecker(table.head, context), ControlTotals(table.head)
    checked = CheckedFlows(problems=list(table.notices))
    documents: dict[str, list[FundFlowRow]] = {}
    cells_of: dict[int, tuple[Cell, ...]] = {}
    rows = 0
    try:
        for line, cells in table.rows():
            if totals.is_control_row(cells):
                totals.set_control_row(line, cells)
                continue
            rows += 1
            row = checker.check(line, cells)
            if isinstance(row, FundFlowRow):
                totals.add(line, cells, (row.amount_fen,))
                _place(row, tuple(cells), checked, documents)
                if row.item == _RECLASSIFICATION:
                    cells_of[line] = tuple(cells)
            else:
                totals.add(line, cells, None)
                checked.rejected.append(Rejected(line, tuple(cells), row))
    except FileRefused as wrong:
        checked.problems += wrong.problems
    checked.problems += _end_of_file(totals, rows, stopped=checked.stopped)
    _settle_reclassifications(checked, cells_of, table.head.columns["doc_no"])
    return checked


def _place(
    row: FundFlowRow,
    cells: tuple[Cell, ...],
    checked: CheckedFlows,
    documents: dict[str, list[FundFlowRow]],
) -> None:
    """Take a row as new, as a repetition, or as a conflict with an earlier row of its document."""
    earlier = documents.setdefault(row.doc_no, [])
    same = next((other for other in earlier if other.said() == row.said()), None)
    if same:
        checked.repeated.append(Repeated(row.line, same.line))
        return
    if earlier and {row.item, earlier[0].item} != {_RECLASSIFICATION}:
        facts = {"first_line": earlier[0].line}
        conflict = Rejection(row.line, "doc_no", "doc_no_conflict", row.doc_no, facts, "fund_flows")
        checked.rejected.append(Rejected(row.line, cells, (conflict,)))
        return
    earlier.append(row)
    checked.rows.append(row)


def _settle_reclassifications(
    checked: CheckedFlows, cells_of: dict[int, tuple[Cell, ...]], doc_at: int
) -> None:
    """Reject every row of a 重分类 that is not whole: half of one must never be posted."""
    rejected_docs = {_text(row.cells, doc_at): row.line for row in checked.rejected}
    faults = {fault.line: fault for fault in check_reclassifications(checked.rows)}
    for row in checked.rows:
        if row.item == _RECLASSIFICATION and row.doc_no in rejected_docs:
            facts = {"other_line": rejected_docs[row.doc_no]}
            faults[row.line] = Rejection(
                row.line, "doc_no", "reclassification_incomplete", row.doc_no, facts, "fund_flows"
            )
    if not faults:
        return
    checked.rows = [row for row in checked.rows if row.line not in faults]
    checked.rejected += [Rejected(line, cells_of[line], (fault,)) for line, fault in faults.items()]
    checked.rejected.sort(key=lambda row: row.line)


def _text(cells: Sequence[Cell], index: int) -> str | None:
    try:
        return parse_identifier(cells[index]) if index < len(cells) else None
    except BadCell:
        return None


def _end_of_file(totals: ControlTotals, rows: int, *, stopped: bool) -> list[FileProblem]:
    """Compare control totals where the file could be read to its end."""
    if stopped:
        return []
    return [*totals.problems(), *([] if rows else [FileProblem("no_rows")])]
