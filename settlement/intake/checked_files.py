"""One pass over a table: typed rows out, and everything that is wrong with rows and file.

A row that repeats an earlier one of the same file word for word is ``Repeated`` (it counts as
already there); the same number with other content is rejected (for claims, ``repetitions`` sees to
that). Control totals are compared at the end, over all rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from settlement.intake.blocks import Block
from settlement.intake.cells import BadCell, Cell, parse_identifier
from settlement.intake.claim_columns import ClaimColumns, exact_sum
from settlement.intake.claim_rows import ClaimChecker, ClaimRow
from settlement.intake.clean_claims import CleanClaims
from settlement.intake.control_totals import ControlTotals
from settlement.intake.fund_flow_rows import (
    FundFlowChecker,
    FundFlowRow,
    check_reclassifications,
)
from settlement.intake.readers import Table, is_blank
from settlement.intake.rejections import (
    MOST_REJECTED_ROWS,
    FileProblem,
    FileRefused,
    Rejection,
    refuse,
)
from settlement.intake.repetitions import Repeated
from settlement.intake.row_reader import CheckContext

_RECLASSIFICATION = "reclassification"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row with all its rejections, and its cells as the file has them (for the rejects file)."""

    line: int
    cells: tuple[Cell, ...]
    rejections: tuple[Rejection, ...]


class CheckedClaims(NamedTuple):
    """The rows of one block: those that are in order, and the rejected ones."""

    claims: ClaimColumns
    rejected: list[Rejected]


class ClaimsCheck:
    """Checks a ``claims`` table block by block, each row by itself."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        self._table = table
        self._checker = ClaimChecker(table.head, context)
        self._clean = CleanClaims(table.head, self._checker)
        self._totals = ControlTotals(table.head)
        self._rejected = 0
        self.rows = 0
        self.problems: list[FileProblem] = list(table.notices)

    @property
    def stopped(self) -> bool:
        """Tell whether a problem of the file keeps all of it out; final after ``blocks``."""
        return any(problem.stops for problem in self.problems)

    def blocks(self) -> Iterator[CheckedClaims]:
        """Give all rows in file order; afterwards ``problems`` is complete."""
        try:
            for block in self._table.blocks():
                checked = self._checked(block)
                yield checked
                if self._rejected >= MOST_REJECTED_ROWS:
                    raise _too_many(self._rejected, checked.rejected[-1].line)
        except FileRefused as wrong:
            self.problems += wrong.problems
        self.problems += _end_of_file(self._totals, self.rows, stopped=self.stopped)

    def _checked(self, block: Block) -> CheckedClaims:
        clean, doubtful = self._clean.split(block)
        accepted: list[ClaimRow] = []
        rejected: list[Rejected] = []
        for line, cells in doubtful:
            if is_blank(cells):
                continue
            if self._totals.is_control_row(cells):
                self._totals.set_control_row(line, cells)
                continue
            self.rows += 1
            row = self._checker.check(line, cells)
            if isinstance(row, ClaimRow):
                self._totals.add(line, cells, (row.medfee_sumamt, row.fund_pay_sumamt))
                accepted.append(row)
            else:
                self._totals.add(line, cells, None)
                rejected.append(Rejected(line, tuple(cells), row))
                self._rejected += 1
        sums = [exact_sum(clean.plain(key)) for key in ("medfee_sumamt", "fund_pay_sumamt")]
        self._totals.add_many(clean.lines, sums)
        self.rows += len(clean)
        return CheckedClaims(clean.merged(ClaimColumns.of_rows(accepted)), rejected)


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
                if len(checked.rejected) >= MOST_REJECTED_ROWS:
                    raise _too_many(len(checked.rejected), line)
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


def _too_many(rows: int, line: int) -> FileRefused:
    """Stop where so much is wrong that the file is wrong as a whole."""
    return refuse("too_many_rejected", rows=rows, line=line)


def _end_of_file(totals: ControlTotals, rows: int, *, stopped: bool) -> list[FileProblem]:
    """Compare control totals where the file could be read to its end."""
    if stopped:
        return []
    return [*totals.problems(), *([] if rows else [FileProblem("no_rows")])]
