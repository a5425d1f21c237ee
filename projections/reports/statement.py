"""基金收支表: the ministry's statement of income and expense as a table.

Layout of the ministry: items, 小计, then what moves between levels (上级补助、下级上解、上解上级、
补助下级), 合计, 本年收支结余, 年末滚存结余.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ledger.domain.fund import fund_name
from ledger.domain.period import Period
from projections.reports.model import Cell, Column, Kind, Table


@dataclass(frozen=True, slots=True)
class StatementFigures:
    """What a statement is made from, in fen; income and expense positive on their own side.

    ``month`` and ``year`` map account keys to the month's amount and that of January to the month,
    without year-end transfers.
    """

    fund: str
    period: Period
    position: int
    opening_fen: int  # 上年末滚存结余
    adjustments_fen: int  # 期初调整 of this year
    month: Mapping[str, int] = field(default_factory=dict)
    year: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """One printed item: the accounts whose keys begin with one of these."""

    zh: str
    en: str
    keys: tuple[str, ...]


_INCOME = (
    Item("社会保险费收入", "Contributions", ("income.contribution.",)),
    Item("待转保险费收入", "Contributions pending a split", ("income.pending",)),
    Item("财政补贴收入", "Budget subsidies", ("income.subsidy.",)),
    Item("利息收入", "Interest", ("income.interest",)),
    Item("转移收入", "Transfers in", ("income.transfer_in",)),
    Item("其他收入", "Other income", ("income.other",)),
)
_INCOME_BETWEEN = (
    Item("上级补助收入", "From the level above", ("income.superior_subsidy",)),
    Item("下级上解收入", "From the level below", ("income.inferior_remit",)),
)
_EXPENSE = (
    Item("社会保险待遇支出", "Benefits", ("expense.benefit.",)),
    Item("资助参保支出", "Assisted participation", ("expense.assisted_participation",)),
    Item("大病保险支出", "Catastrophic insurance", ("expense.catastrophic",)),
    Item("转移支出", "Transfers out", ("expense.transfer_out",)),
    Item("其他支出", "Other expense", ("expense.other",)),
)
_EXPENSE_BETWEEN = (
    Item("上解上级支出", "To the level above", ("expense.remit_up",)),
    Item("补助下级支出", "To the level below", ("expense.subsidy_down",)),
)

#: Every printed item; each income and expense account belongs to exactly one of them.
ITEMS = (*_INCOME, *_INCOME_BETWEEN, *_EXPENSE, *_EXPENSE_BETWEEN)

_Line = tuple[str, str, int | None, int | None, bool]


def income_statement(figures: StatementFigures, *, lang: str = "zh") -> Table:
    """Lay out 基金收支表 with the month and the year to date; bold lines are sums."""
    lines = list(_lines(figures))
    first = 0 if lang == "zh" else 1
    heads = ("项目", "本月数（元）", "本年累计（元）")
    if lang == "en":
        heads = ("Item", "Month (yuan)", "Year to date (yuan)")
    rows: list[tuple[Cell, ...]] = [(line[first], line[2], line[3]) for line in lines]
    return Table(
        title=_title(figures, lang),
        columns=(
            Column(heads[0], Kind.TEXT, 34),
            Column(heads[1], Kind.FEN, 20),
            Column(heads[2], Kind.FEN, 20),
        ),
        rows=rows,
        notes=(_note(figures, lang),),
        emphasised=frozenset(number for number, line in enumerate(lines) if line[4]),
    )


def _title(figures: StatementFigures, lang: str) -> str:
    name, period = fund_name(figures.fund, lang), figures.period
    if lang == "zh":
        return f"{name}基金收支表 {period.year}年{period.month}月"
    return f"Income and expense, {name}, {period}"


def _note(figures: StatementFigures, lang: str) -> str:
    if lang == "zh":
        return f"截至日志位置 {figures.position}；收付实现制，不含年终结转分录"
    return f"As of log position {figures.position}; cash basis, without year-end transfers"


def _lines(figures: StatementFigures) -> Iterator[_Line]:
    income, expense = [0, 0], [0, 0]
    yield from _side(figures, _INCOME, income)
    yield "本年收入小计", "Income, subtotal", income[0], income[1], True
    yield from _side(figures, _INCOME_BETWEEN, income)
    yield "本年收入合计", "Income, total", income[0], income[1], True
    yield from _side(figures, _EXPENSE, expense)
    yield "本年支出小计", "Expense, subtotal", expense[0], expense[1], True
    yield from _side(figures, _EXPENSE_BETWEEN, expense)
    yield "本年支出合计", "Expense, total", expense[0], expense[1], True
    surplus = income[1] - expense[1]
    yield "本年收支结余", "Surplus", income[0] - expense[0], surplus, True
    yield "上年末滚存结余", "Brought forward", None, figures.opening_fen, False
    if figures.adjustments_fen:
        yield "期初调整", "Adjustment of the opening", None, figures.adjustments_fen, False
    closing = figures.opening_fen + figures.adjustments_fen + surplus
    yield "年末滚存结余", "Accumulated balance", None, closing, True


def _side(
    figures: StatementFigures, items: tuple[Item, ...], running: list[int]
) -> Iterator[_Line]:
    """Print the items of one side and add them to its running sums."""
    for item in items:
        month, year = _sum(figures.month, item), _sum(figures.year, item)
        running[0] += month
        running[1] += year
        yield f"  {item.zh}", f"  {item.en}", month, year, False


def _sum(amounts: Mapping[str, int], item: Item) -> int:
    return sum(fen for key, fen in amounts.items() if key.startswith(item.keys))
