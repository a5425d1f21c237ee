"""Rows of a statement of bank, treasury, fiscal bureau or tax office (对账单): typed, or rejected.

The running balance must add up, account by account, whichever way round the bank lists its lines.
A line is known by account, reference, day and amount, and by which of several equal lines it is: a
statement that overlaps an earlier one repeats those lines and changes nothing.
"""

import datetime as dt
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from settlement.banking import BankLayout, NoSuchAccount, Place
from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Cell, Parser, choice
from settlement.intake.control_totals import ControlTotals
from settlement.intake.counterparties import summary_without_person, without_person
from settlement.intake.moments import parse_day
from settlement.intake.readers import Table
from settlement.intake.rejections import (
    MOST_REJECTED_ROWS,
    FileProblem,
    FileRefused,
    Rejection,
    refuse,
)
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.statement_rows import CheckedStatements
from settlement.intake.vocabulary import by_word

_Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRow:
    """One line of a statement; the amount is signed, + is money in."""

    line: int
    place: Place
    date: dt.date
    fen: int
    balance_fen: int | None
    counterparty: str | None
    institution: str | None
    summary: str | None
    ref: str
    fund: str | None
    nth: int = 1

    @property
    def period(self) -> str:
        return str(Period.of(self.date))

    @property
    def key(self) -> tuple[str, str, int, int]:
        """Tell the line among those of its account."""
        return self.ref, self.date.isoformat(), self.fen, self.nth


def check_payments(table: Table, context: CheckContext) -> CheckedStatements[Any]:
    """Check every row of a ``bank_statement`` table, then that the balances follow each other."""
    checked: CheckedStatements[Any] = CheckedStatements(problems=list(table.notices))
    checker, totals = _Checker(table, context), ControlTotals(table.head)
    rows = rejected = 0
    try:
        for line, cells in table.rows():
            if totals.is_control_row(cells):
                totals.set_control_row(line, cells)
                continue
            rows += 1
            row = checker.check(line, cells)
            if isinstance(row, _Read):
                totals.add(line, cells, row.amounts)
                checked.rows.append(row.row)
                continue
            totals.add(line, cells, None)
            checked.rejections += row
            rejected += 1
            if rejected >= MOST_REJECTED_ROWS:
                raise refuse("too_many_rejected", rows=rejected, line=line)
    except FileRefused as wrong:
        checked.problems += wrong.problems
    if not checked.stopped:
        checked.problems += [*totals.problems(), *([] if rows else [FileProblem("no_rows")])]
        _follow_balances(checked, sorted({one.line for one in checked.rejections}))
    return checked


class _Read(NamedTuple):
    """A typed row, with its amounts as the file has them, for the control totals."""

    row: BankRow
    amounts: tuple[int, ...]


class _Checker:
    """Checks the rows of one table against one area's accounts."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        layout = context.banks.layouts.get(table.kind.layout or "")
        self._layout = layout or BankLayout(name="")
        self._keys = [column.key for column in table.kind]
        self._context = context
        parsers = _parsers(self._layout)
        self._reader = RowReader(table.head, {key: parsers[key] for key in self._keys})

    def check(self, line: int, cells: Sequence[Cell]) -> _Read | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(self._keys, values, strict=True))
        bad = {rejection.field for rejection in rejections}
        place: Place | None = None
        try:
            place = self._place(row)
        except NoSuchAccount as wrong:
            if not bad & {"account", "source"}:
                rejections.append(self._reader.rejection(line, cells, "account", wrong.code, {}))
        for key, code, facts in self._faults(row):
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        if rejections or place is None:
            return tuple(rejections)
        amounts = (row[key] or 0 for key in ("amount", "paid_in", "paid_out") if key in row)
        return _Read(self._typed(line, row, place), tuple(amounts))

    def _typed(self, line: int, row: _Row, place: Place) -> BankRow:
        said = row["counterparty"]
        institution = self._context.parties.get(read.word_of(said) or "")
        return BankRow(
            line=line,
            place=place,
            date=row["date"],
            fen=_signed(row, self._layout),
            balance_fen=row["balance"],
            counterparty=said if institution else without_person(said),
            institution=institution,
            summary=summary_without_person(row["summary"], said),
            ref=row["bank_ref"] or "",
            fund=row["fund"],
        )

    def _place(self, row: _Row) -> Place:
        source = row["source"] or self._context.source or self._layout.source
        return self._context.banks.place(source, row["account"] or self._layout.account)

    def _faults(self, row: _Row) -> Iterator[tuple[str, str, dict[str, Any]]]:
        today = self._context.today
        if row["date"] is not None and row["date"] > today:
            yield "date", "date_in_future", {"limit": today.isoformat()}
        if "paid_in" in row:
            if bool(row["paid_in"]) == bool(row["paid_out"]):
                yield "paid_in", "one_amount_needed", {}
        elif row["amount"] == 0:
            yield "amount", "zero_amount", {}
        fund, books = row["fund"], self._context.funds
        if fund is not None and not any(one.split(".")[0] == fund or one == fund for one in books):
            yield "fund", "fund_not_in_book", {"fund": fund, "funds": tuple(sorted(books))}


def _signed(row: _Row, layout: BankLayout) -> int:
    """Give the amount with + for money in, however the bank says it."""
    if "paid_in" in row:
        fen = (row["paid_in"] or 0) - (row["paid_out"] or 0)
    elif "direction" in row:
        fen = row["amount"] if row["direction"] == "in" else -row["amount"]
    else:
        fen = row["amount"]
    return -fen if layout.reversed_sign else fen


def _parsers(layout: BankLayout) -> dict[str, Parser]:
    directions = by_word(vocabulary.DIRECTION_WORDS)
    if layout.in_words or layout.out_words:
        directions = {read.word_of(word) or "": "in" for word in layout.in_words}
        directions |= {read.word_of(word) or "": "out" for word in layout.out_words}
    return {
        "date": _dated(layout.date_format) if layout.date_format else parse_day,
        **dict.fromkeys(("amount", "paid_in", "paid_out", "balance"), _amount),
        "direction": choice(directions),
        "counterparty": read.parse_text,
        "summary": read.parse_text,
        "bank_ref": read.parse_identifier,
        "account": _account,
        "fund": choice(by_word(vocabulary.FUND_WORDS), code="unknown_fund"),
        "source": choice(by_word(vocabulary.SOURCE_WORDS)),
    }


def _amount(cell: Cell) -> int | None:
    """Read an amount that may name its sign, also ``+``."""
    text = read.readable(cell) if isinstance(cell, str) else ""
    if text.startswith("+") and text[1:2] not in {"", "+", "-"}:
        return parse_amount(text[1:])
    return parse_amount(cell)


_MONEY_ACCOUNTS = by_word(vocabulary.MONEY_ACCOUNT_WORDS)


def _account(cell: Cell) -> str | None:
    """Read an account number as it is compared, without spaces and dashes, or a money account."""
    text = read.parse_identifier(cell)
    if text is None:
        return None
    number = re.sub(r"[\s-]+", "", read.plain(text))
    return _MONEY_ACCOUNTS.get(number.lower(), number)


_PARTS = {"YYYY": r"(?P<y>\d{4})", "YY": r"(?P<y>\d{2})", "MM": r"(?P<m>\d{1,2})"}
_PARTS["DD"] = r"(?P<d>\d{1,2})"


def _dated(form: str) -> Parser:
    """Read dates in the one form that a profile names; a date cell of a workbook as it is."""
    pieces = re.split(r"(YYYY|YY|MM|DD)", form)
    pattern = re.compile("".join(_PARTS.get(piece) or re.escape(piece) for piece in pieces))

    def parse(cell: Cell) -> dt.date | None:
        text = read.readable(cell) if isinstance(cell, str) else None
        if text is None:
            return parse_day(cell)
        if not text:
            return None
        found = pattern.fullmatch(text)
        if found is None:
            raise BadCell("not_a_date")
        year = found["y"] if len(found["y"]) == 4 else f"20{found['y']}"
        return parse_day(f"{year}-{found['m']:0>2}-{found['d']:0>2}")

    return parse


def _follow_balances(checked: CheckedStatements[Any], refused: Sequence[int]) -> None:
    """Number equal lines, put lines in the order of time, and reject balances that do not follow."""
    accounts: dict[Place, list[BankRow]] = {}
    for row in checked.rows:
        accounts.setdefault(row.place, []).append(row)
    checked.rows = []
    for rows in accounts.values():
        forward, backward = list(_breaks(rows, refused)), list(_breaks(rows[::-1], refused))
        newest_first = len(backward) < len(forward)
        ordered = rows[::-1] if newest_first else rows
        breaks = backward if newest_first else forward
        broken = {row.line for row, _, _ in breaks}
        checked.rejections += [_broken(*one) for one in breaks]
        seen: Counter[tuple[str, str, int]] = Counter()
        for row in ordered:
            if row.line not in broken:
                seen[row.key[:3]] += 1
                checked.rows.append(replace(row, nth=seen[row.key[:3]]))
    if accounts and all(row.balance_fen is None for rows in accounts.values() for row in rows):
        checked.problems.append(FileProblem("balance_unchecked"))


def _breaks(
    rows: Sequence[BankRow], refused: Sequence[int]
) -> Iterator[tuple[BankRow, BankRow, int]]:
    """Give each line whose balance is not that of the one before plus its amount.

    After a line that was refused, or says no balance, there is nothing to compare with.
    """
    for before, row in pairwise(rows):
        if before.balance_fen is None or row.balance_fen is None:
            continue
        low, high = sorted((before.line, row.line))
        if bisect_right(refused, low) < bisect_left(refused, high):
            continue
        expected = before.balance_fen + row.fen
        if expected != row.balance_fen:
            yield row, before, expected


def _broken(row: BankRow, before: BankRow, expected: int) -> Rejection:
    facts = {"previous": before.line, "expected_fen": expected}
    value = format_yuan(row.balance_fen or 0)
    return Rejection(row.line, "balance", "balance_broken", value, facts, "bank_statement")
