"""One row of a ``fund_flows`` file (基金收支流水): typed, or rejected with everything wrong with it.

The rules are those of the contract (section 4) and ``domain/corrections.md``; what only the books
can know (open months, what was posted before) is decided later.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.domain.fund import (
    ASSISTANCE,
    FUNDS,
    PERSONAL,
    POOLED,
    is_area,
    is_institution,
    is_leaf,
    leaves,
    parent,
)
from ledger.domain.period import Period
from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import BadCell, Cell, Parser, choice
from settlement.intake.columns import FUND_FLOWS
from settlement.intake.heads import Head
from settlement.intake.moments import parse_date, parse_month, parse_year
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader, head_of
from settlement.intake.vocabulary import by_word

#: Items whose amount may be negative.
SIGNED_ITEMS = frozenset({"opening_adjustment", "reclassification"})
_YEAR_AHEAD = dt.timedelta(days=366)

#: (column, code, facts) of something that is wrong.
_Fault = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FundFlowRow:
    """One money flow as its document tells it; ``fund`` is a leaf, ``account`` an account's key."""

    line: int
    doc_no: str
    date: dt.date
    area: str
    fund: str
    item: str
    amount_fen: int
    belongs_to: Period
    counterparty: str | None = None
    counterparty_fund: str | None = None
    money_account: str | None = None
    original_doc: str | None = None
    original_year: int | None = None
    method: str | None = None
    account: str | None = None
    channel: str | None = None
    person_class: str | None = None
    note: str | None = None

    @property
    def key(self) -> str:
        return self.doc_no

    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands: equal content is the same fact."""
        return tuple(getattr(self, name) for name in _CONTENT)


_CONTENT = tuple(name for name in FundFlowRow.__slots__ if name != "line")
_KEYS = tuple(column.key for column in FUND_FLOWS)


def _area(cell: Cell) -> str | None:
    code = read.word_of(cell)
    if code is not None and not is_area(code):
        raise BadCell("malformed_area")
    return code


def _counterparty(cell: Cell) -> str | None:
    """Read a payer or payee; an institution's code is brought into its one spelling."""
    name = read.parse_text(cell)
    code = read.plain(name).upper() if name else ""
    return code if is_institution(code) else name


def _account(accounts: Mapping[str, str]) -> Parser:
    words = {read.word_of(word): key for word, key in accounts.items()}

    def parse(cell: Cell) -> str | None:
        word = read.word_of(cell)
        if word is not None and word not in words:
            raise BadCell("unknown_account")
        return None if word is None else words[word]

    return parse


def _parsers(context: CheckContext) -> dict[str, Parser]:
    fund = choice(by_word(vocabulary.FUND_WORDS), code="unknown_fund")
    return {
        "doc_no": read.parse_identifier,
        "date": parse_date,
        "area": _area,
        "fund": fund,
        "item": choice(by_word(vocabulary.ITEM_WORDS), code="unknown_item"),
        "amount": parse_amount,
        "belongs_to": parse_month,
        "counterparty": _counterparty,
        "counterparty_fund": fund,
        "money_account": choice(by_word(vocabulary.MONEY_ACCOUNT_WORDS)),
        "original_doc": read.parse_identifier,
        "original_year": parse_year,
        "method": choice(by_word(vocabulary.METHOD_WORDS)),
        "account": _account(context.accounts),
        "channel": choice(by_word(vocabulary.CHANNEL_WORDS)),
        "person_class": read.parse_text,
        "note": read.parse_text,
    }


class FundFlowChecker:
    """Checks the rows of one ``fund_flows`` table against one book."""

    def __init__(self, head: Head, context: CheckContext) -> None:
        self._context = context
        self._reader = RowReader(head, _parsers(context))

    def check(self, line: int, cells: Sequence[Cell]) -> FundFlowRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(_KEYS, values, strict=True))
        if row["item"] == "personal_credit" and row["fund"] in {parent(POOLED), PERSONAL}:
            row["fund"] = POOLED  # 划入个人账户 has one direction: any of 310's codes says enough
        bad = {rejection.field for rejection in rejections}
        for rule in _RULES:
            for key, code, facts in rule(row, self._context):
                if key not in bad:
                    rejections.append(self._reader.rejection(line, cells, key, code, facts))
        if rejections:
            return tuple(rejections)
        row["belongs_to"] = row["belongs_to"] or Period.of(row["date"])
        row["amount_fen"] = row.pop("amount")
        return FundFlowRow(line=line, **row)


def check_fund_flow(
    cells: Mapping[str, Cell], *, line: int, context: CheckContext
) -> FundFlowRow | tuple[Rejection, ...]:
    """Check a single flow given by column (a command's options)."""
    checker = FundFlowChecker(head_of(FUND_FLOWS, tuple(cells)), context)
    return checker.check(line, tuple(cells.values()))


Rule = Callable[[dict[str, Any], CheckContext], Iterator[_Fault]]


def _area_rule(row: dict[str, Any], context: CheckContext) -> Iterator[_Fault]:
    if row["area"] is not None and row["area"] != context.area:
        yield "area", "other_area", {"area": context.area}


def _fund_rule(row: dict[str, Any], context: CheckContext) -> Iterator[_Fault]:
    """A flow names the sub-fund (contract §3), and its fund has a book here."""
    for key in ("fund", "counterparty_fund"):
        fund = row[key]
        if fund is None or (key == "counterparty_fund" and not _needs_own_fund(row)):
            continue
        if not is_leaf(fund):
            yield key, "sub_fund_needed", {"fund": fund, "choices": FUNDS[fund].leaves}
        elif fund not in context.funds:
            funds = tuple(sorted(context.funds))
            yield key, "fund_not_in_book", {"fund": fund, "funds": funds}


def _needs_own_fund(row: dict[str, Any]) -> bool:
    """资助参保 books both sides here, so the other fund needs its book too."""
    return bool(row["item"] == "assisted_participation")


#: Items that belong to certain funds only.
_FITS = {
    "transfer_in": (PERSONAL,),
    "transfer_out": (PERSONAL,),
    "personal_credit": (POOLED,),
    "assisted_participation": (ASSISTANCE,),
}


def _item_rule(row: dict[str, Any], context: CheckContext) -> Iterator[_Fault]:
    item, fund = row["item"], row["fund"]
    fits = _FITS.get(item)
    if fits and fund is not None and is_leaf(fund) and fund not in fits:
        yield "fund", "fund_does_not_fit_item", {"item": item, "fits": fits, "fund": fund}
    if item == "personal_credit" and fund == POOLED and PERSONAL not in context.funds:
        funds = tuple(sorted(context.funds))
        yield "fund", "fund_not_in_book", {"fund": PERSONAL, "funds": funds}
    if item == "recovery" and row["original_year"] is None:
        yield "original_year", "original_year_needed", {}
    if item == "reclassification" and row["account"] is None:
        yield "account", "account_needed", {"item": item}


def _amount_rule(row: dict[str, Any], _context: CheckContext) -> Iterator[_Fault]:
    if row["amount"] == 0:
        yield "amount", "zero_amount", {}
    negative = row["amount"] is not None and row["amount"] < 0
    if negative and row["item"] is not None and row["item"] not in SIGNED_ITEMS:
        yield "amount", "negative_amount", {"item": row["item"]}


def _date_rule(row: dict[str, Any], context: CheckContext) -> Iterator[_Fault]:
    limit, day = context.today + _YEAR_AHEAD, row["date"]
    if day is not None and day > limit:
        yield "date", "date_in_future", {"limit": limit.isoformat()}
    year = row["original_year"]
    if day is not None and year is not None and year > day.year:
        yield "original_year", "original_year_after_date", {"year": day.year}


def _counterparty_rule(row: dict[str, Any], context: CheckContext) -> Iterator[_Fault]:
    other = row["counterparty_fund"]
    if _needs_own_fund(row):
        if other is None:
            yield "counterparty_fund", "counterparty_fund_needed", {}
        elif other == row["fund"]:
            yield "counterparty_fund", "counterparty_fund_same", {"fund": other}
        return
    # both sides of 资助参保 lie in this book: one entry, not two (contract §4)
    payer_is_here = other is not None and not context.funds.isdisjoint(leaves(other))
    if row["item"] == "contribution.assisted" and payer_is_here:
        yield "counterparty_fund", "payer_fund_in_book", {"fund": other, "item": row["item"]}


_RULES: tuple[Rule, ...] = (
    _area_rule,
    _fund_rule,
    _item_rule,
    _amount_rule,
    _date_rule,
    _counterparty_rule,
)


def check_reclassifications(rows: Sequence[FundFlowRow]) -> list[Rejection]:
    """Check 重分类 over a whole file: pairs by document, of one fund and day, that add up to nil."""
    groups: dict[str, list[FundFlowRow]] = {}
    for row in rows:
        if row.item == "reclassification":
            groups.setdefault(row.doc_no, []).append(row)
    rejections = []
    for doc_no, group in groups.items():
        code, field, facts = _group_fault(group)
        if code:
            rejections += [
                Rejection(row.line, field, code, doc_no, facts, FUND_FLOWS.name) for row in group
            ]
    return rejections


def _group_fault(group: Sequence[FundFlowRow]) -> tuple[str, str, dict[str, Any]]:
    if len(group) == 1:
        return "reclassification_alone", "doc_no", {}
    if len({(row.fund, row.date, row.belongs_to) for row in group}) > 1:
        return "reclassification_mixed", "doc_no", {}
    total = sum(row.amount_fen for row in group)
    if total:
        return "reclassification_unbalanced", "amount", {"sum_fen": total}
    return "", "", {}
