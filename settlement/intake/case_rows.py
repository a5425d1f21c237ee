"""Rows of ``groupings``, ``case_reviews`` and ``assessments``: typed, or rejected with every fault.

What a row says is checked here by itself; whether the settlement is there, and what was recorded of
it before, is for ``post_cases``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ledger.domain.fund import FUNDS, is_leaf
from ledger.domain.money import decimal_text, format_yuan
from settlement.clearing.cases.priced import MAX_AMOUNT_FEN
from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Cell, Parser, choice
from settlement.intake.columns import ASSESSMENTS, CASE_REVIEWS, GROUPINGS, Kind
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.statement_rows import CheckedStatements, known_institution, rows_of
from settlement.intake.vocabulary import by_word

ACCEPTED, REJECTED = "accepted", "rejected"
_DECISION_WORDS: vocabulary.Words = {
    ACCEPTED: ("通过", "同意", "认可"),
    REJECTED: ("不通过", "不同意", "不予认可"),
}
_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")
_BETWEEN_HITS = re.compile(r"[\s+,;、，；|]+")
_MOST_POINTS = 100_000  # of one case
_FIRST_YEAR, _HIGHEST_SCORE = 2000, 100
_UNITS = 10_000
_Fault = tuple[str, str, dict[str, Any]]
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingRow:
    """The group of a case (入组)."""

    line: int
    setl_id: str
    institution: str | None  # as the file names it, to be held against the settlement
    dise_code: str
    auxiliary: str
    reason: str

    @property
    def group(self) -> str:
        return self.setl_id

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        return self.setl_id, self.dise_code, self.auxiliary, self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """What experts decided about a case (特例单议)."""

    line: int
    setl_id: str
    institution: str | None
    review_no: str
    decision: str
    points4: int | None
    amount_fen: int | None
    reason: str

    @property
    def group(self) -> str:
        return self.setl_id

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        given = self.points4, self.amount_fen
        return self.setl_id, self.review_no, self.decision, *given, self.reason

    @property
    def given(self) -> dict[str, str]:
        """Give what the review makes of the case, by column, as a reader writes it."""
        found: dict[str, str] = {}
        if self.points4 is not None:
            found["points"] = decimal_text(Fraction(self.points4, _UNITS), 4)
        if self.amount_fen is not None:
            found["amount"] = format_yuan(self.amount_fen)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRow:
    """An institution's score of a year (年度考核)."""

    line: int
    institution: str
    year: str
    fund: str | None
    score: str
    deduction_fen: int

    @property
    def group(self) -> tuple[str, str, str | None]:
        return self.institution, self.year, self.fund

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        return *self.group, self.score, self.deduction_fen


CaseRow = GroupingRow | ReviewRow | AssessmentRow


def _parse_decimal(cell: Cell) -> Fraction | None:
    """Read decimal text with at most four digits behind the point; a float is written out first."""
    text = repr(cell) if type(cell) in {int, float} else read.parse_text(cell)
    if text is None:
        return None
    text = read.plain(text).removesuffix(".0")
    if not _DECIMAL.fullmatch(text):
        raise BadCell("not_a_decimal")
    return Fraction(text)


def _parsers(context: CheckContext) -> dict[str, Parser]:
    return {
        "setl_id": read.parse_identifier,
        "fixmedins_code": known_institution(context.institutions),
        "dise_code": read.parse_code,
        "auxiliary": read.parse_text,
        "reason": read.parse_text,
        "review_no": read.parse_identifier,
        "decision": choice(by_word(_DECISION_WORDS)),
        "points": _parse_decimal,
        "amount": parse_amount,
        "year": read.parse_integer,
        "score": _parse_decimal,
        "deduction": parse_amount,
        "fund": choice(by_word(vocabulary.FUND_WORDS), code="unknown_fund"),
        "note": read.parse_text,
    }


def _review_faults(row: _Row) -> Iterator[_Fault]:
    given = {key: row[key] for key in ("points", "amount") if row[key] is not None}
    if row["decision"] == REJECTED:
        yield from ((key, "points_not_accepted", {}) for key in given)
        return
    if len(given) > 1:
        yield "amount", "points_and_amount", {}
    if not 0 < given.get("points", 1) <= _MOST_POINTS:
        yield "points", "number_out_of_range", {"lowest": 0, "highest": _MOST_POINTS}
    if not 0 <= given.get("amount", 0) <= MAX_AMOUNT_FEN:
        most = format_yuan(MAX_AMOUNT_FEN)
        yield "amount", "number_out_of_range", {"lowest": 0, "highest": most}


def _assessment_faults(row: _Row, context: CheckContext) -> Iterator[_Fault]:
    year, score, fund = row["year"], row["score"], row["fund"]
    if year is not None and not _FIRST_YEAR <= year <= context.today.year:
        facts = {"lowest": _FIRST_YEAR, "highest": context.today.year}
        yield "year", "number_out_of_range", facts
    if score is not None and score > _HIGHEST_SCORE:
        yield "score", "number_out_of_range", {"lowest": 0, "highest": _HIGHEST_SCORE}
    if (row["deduction"] or 0) < 0:
        yield "deduction", "negative_amount", {}
    if (row["deduction"] or 0) > 0 and fund is None:
        yield "deduction", "deduction_needs_fund", {}
    if fund is not None and not is_leaf(fund):
        yield "fund", "sub_fund_needed", {"fund": fund, "choices": FUNDS[fund].leaves}
    elif fund is not None and fund not in context.funds:
        funds = tuple(sorted(context.funds))
        yield "fund", "fund_not_in_book", {"fund": fund, "funds": funds}


def _typed(kind: Kind, line: int, row: _Row) -> CaseRow:
    if kind is ASSESSMENTS:
        return AssessmentRow(
            line=line,
            institution=row["fixmedins_code"],
            year=str(row["year"]),
            fund=row["fund"],
            score=_score_text(row["score"]),
            deduction_fen=row["deduction"] or 0,
        )
    if kind is GROUPINGS:
        return GroupingRow(
            line=line,
            setl_id=row["setl_id"],
            institution=row["fixmedins_code"],
            dise_code=row["dise_code"],
            auxiliary=_hits(row["auxiliary"]),
            reason=row["reason"],
        )
    points = row["points"]
    return ReviewRow(
        line=line,
        setl_id=row["setl_id"],
        institution=row["fixmedins_code"],
        review_no=row["review_no"],
        decision=row["decision"],
        points4=None if points is None else int(points * _UNITS),
        amount_fen=row["amount"],
        reason=row["reason"],
    )


def _hits(text: str | None) -> str:
    """Write the entries of the auxiliary directory once, whatever their order and separators."""
    return "+".join(sorted({*filter(None, _BETWEEN_HITS.split(text or ""))}))


def _score_text(score: Fraction) -> str:
    """Write a score once: 90, 90.0 and 90.00 are one."""
    return decimal_text(score, 4).rstrip("0").rstrip(".")


class _Checker:
    """Checks the rows of one table against one book."""

    def __init__(self, table: Table, kind: Kind, context: CheckContext) -> None:
        parsers = _parsers(context)
        self._kind = kind
        self._keys = [column.key for column in kind]
        self._context = context
        self._reader = RowReader(table.head, {key: parsers[key] for key in self._keys})

    def check(self, line: int, cells: Sequence[Cell]) -> CaseRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(self._keys, values, strict=True))
        bad = {rejection.field for rejection in rejections}
        faults: Iterator[_Fault] = iter(())
        if self._kind is CASE_REVIEWS:
            faults = _review_faults(row)
        elif self._kind is ASSESSMENTS:
            faults = _assessment_faults(row, self._context)
        for key, code, facts in faults:
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        return tuple(rejections) if rejections else _typed(self._kind, line, row)


def check_cases(table: Table, context: CheckContext) -> CheckedStatements[CaseRow]:
    """Check every row of a table of one of the three kinds."""
    checked: CheckedStatements[CaseRow] = CheckedStatements()
    checker = _Checker(table, table.kind, context)
    for row in rows_of(table, checker.check, _conflict, checked):
        if isinstance(row, CaseRow):
            checked.rows.append(row)
    return checked


def _conflict(row: CaseRow, first_line: int) -> Rejection:
    return conflict(row, {"first_line": first_line})


def conflict(row: CaseRow, where: dict[str, Any]) -> Rejection:
    """Say that something else is known: on a line of the same file or at a position of the books."""
    if isinstance(row, AssessmentRow):
        return Rejection(
            row.line, "fixmedins_code", "row_conflict", row.institution, where, ASSESSMENTS.name
        )
    kind = GROUPINGS if isinstance(row, GroupingRow) else CASE_REVIEWS
    return Rejection(row.line, "setl_id", "row_conflict", row.setl_id, where, kind.name)
