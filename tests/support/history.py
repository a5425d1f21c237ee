"""Published figures as tables a finance person can check, and the files they become.

The tables keep the published amounts and their unit; nothing is rounded, filled up or repaired.
Where a published series does not chain or does not add up, the difference is a row of its own
(`opening_adjustment`, or a `reclassification` into 暂付款—其他) that names the break. A breakdown
that was not published is said to be unpublished in the note. Sources are given as in the domain
paper: §7.1 national annual series (公报), §7.2 county of 2024 [S38] and 绍兴 first half of 2023 [S41].

`python -m support.history` (with `tests` on the path) writes the files again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "history"
_HEADS = ("单据号", "入账日期", "统筹区", "险种", "项目", "对方险种", "科目", "备注")


@dataclass(frozen=True)
class Line:
    """One row of a table: date, fund, item, published amount, what it is."""

    date: str
    fund: str
    item: str
    amount: str
    note: str
    counterparty_fund: str = ""
    account: str = ""
    document: str = ""


@dataclass(frozen=True)
class Break:
    """A place where the published figures do not add up or do not chain."""

    fund: str
    where: str
    difference: str
    booked: str  # item of the row that makes it explicit; "reported" where rounding explains it


@dataclass(frozen=True)
class Figure:
    """A figure to come out; `published` is false where only we computed it (marked [CALC])."""

    fund: str
    period: str
    name: str
    value: str
    published: bool = True
    remark: str = ""


@dataclass(frozen=True)
class History:
    """One body's published history in the unit it published in."""

    name: str
    area: str
    area_name: str
    unit: str  # 万元 or 亿元
    funds: tuple[str, ...]
    files: dict[str, tuple[Line, ...]]
    breaks: tuple[Break, ...] = ()
    figures: tuple[Figure, ...] = ()
    #: Figures after the first file alone, before the breaks are booked.
    as_published: tuple[Figure, ...] = ()


# ---------------------------------------------------------------------------------------------
# County of 2024, 万元 [S38]. 310 was published for both sub-funds together: all of it is booked on
# 310.pooled but for 转移收入/转移支出, which touch personal accounts only. 2023 is 2024 less the
# published increase. 390 and 610 begin on the last day of 2023.
# ---------------------------------------------------------------------------------------------
_END_2022, _END_2023, _END_2024 = "2022-12-31", "2023-12-31", "2024-12-31"
_T, _G = "310.pooled", "310.personal"
_COUNTY = (
    # 职工: 累计 33,768.83 − 2024年结余 3,637.74 − 2023年结余 2,914.73
    Line(_END_2022, _T, "opening_balance", "27216.36", "期初结余，由年末累计倒推"),
    # 2023 = 2024 − 公布的增加额: 收入 32,076.55 − 3,784.72, 保费 31,456.38 − 4,498.62
    Line(_END_2023, _T, "contribution.employer", "26957.76", "保费收入，单位与个人未分列"),
    Line(_END_2023, _T, "other_income", "1334.07", "保费以外的收入，未分列"),
    Line(_END_2023, _T, "benefit.other", "25377.10", "基金支出 28,438.81−3,061.71，未分列"),
    Line(_END_2024, _T, "contribution.employer", "31456.38", "保费收入，单位与个人未分列"),
    Line(_END_2024, _T, "interest", "33.25", "利息收入"),
    Line(_END_2024, _T, "other_income", "65.00", "其他收入"),
    Line(_END_2024, _G, "transfer_in", "521.92", "转移收入"),
    # 在职 16,108.58 含生育医疗 250.65、生育津贴 2,929.04
    Line(_END_2024, _T, "benefit.other", "12928.89", "在职人员待遇，不含生育"),
    Line(_END_2024, _T, "benefit.maternity_medical", "250.65", "生育医疗费用"),
    Line(_END_2024, _T, "benefit.maternity_allowance", "2929.04", "生育津贴"),
    Line(_END_2024, _T, "benefit.other", "10976.16", "退休人员待遇"),
    Line(_END_2024, _T, "other_expense", "1235.75", "其他支出"),
    Line(_END_2024, _G, "transfer_out", "118.32", "转移支出"),
    # 居民: 累计 32,470.80 − 当年结余 3,326.33
    Line(_END_2023, "390", "opening_balance", "29144.47", "期初结余，由年末累计倒推"),
    Line(_END_2024, "390", "contribution.individual", "12002.41", "个人缴费"),
    Line(_END_2024, "610", "assisted_participation", "605.35", "救助资助参保", "390"),
    Line(_END_2024, "390", "contribution.fiscal", "177.97", "财政代缴"),
    Line(_END_2024, "390", "subsidy.county", "25737.65", "财政补贴，各级未分列"),
    Line(_END_2024, "390", "interest", "54.00", "利息收入"),
    Line(_END_2024, "390", "other_income", "105.71", "其他收入"),
    Line(_END_2024, "390", "benefit.inpatient", "27751.05", "支出第一项"),
    Line(_END_2024, "390", "benefit.chronic", "2789.58", "支出第二项"),
    Line(_END_2024, "390", "benefit.outpatient", "1859.71", "支出第三项"),
    Line(_END_2024, "390", "catastrophic_premium", "2956.26", "大病保险支出"),
    Line(_END_2024, "390", "other_expense", "246.34", "其他支出"),
    # 救助: 累计 160.95; 当年结余 147.51 (公布 147.5); 收入 3,674.71 = 511 + 1,858 + 1,300 + 未列 5.71
    Line(_END_2023, "610", "opening_balance", "13.44", "期初结余，由年末累计倒推"),
    Line(_END_2024, "610", "subsidy.central", "511.00", "中央财政"),
    Line(_END_2024, "610", "subsidy.province", "1858.00", "省级财政"),
    Line(_END_2024, "610", "subsidy.county", "1300.00", "县级财政"),
    Line(_END_2024, "610", "other_income", "5.71", "收入合计与各级财政之差，未分列"),
    Line(_END_2024, "610", "benefit.assistance", "2921.85", "支出 3,527.20 减资助参保 605.35"),
)
#: The breaks of the county's figures, each booked by itself, after the rows as published.
_COUNTY_BREAKS = (
    Line(
        _END_2024,
        "390",
        "reclassification",
        "-246.17",
        "公布的分项合计 35,602.94 大于公布的支出 35,356.77，差额待查",
        account="expense.other",
        document="390-2024-CE",
    ),
    Line(
        _END_2024,
        "390",
        "reclassification",
        "246.17",
        "公布的分项合计 35,602.94 大于公布的支出 35,356.77，差额待查",
        account="advance.other",
        document="390-2024-CE",
    ),
    Line(
        _END_2024,
        "390",
        "opening_adjustment",
        "0.01",
        "公布的收入 38,683.10 与分项合计 38,683.09 之差",
    ),
)
COUNTY = History(
    name="county-2024",
    area="990024",
    area_name="某县",
    unit="万元",
    funds=("310", "390", "610"),
    files={"county-2024": _COUNTY, "county-2024-breaks": _COUNTY_BREAKS},
    breaks=(
        Break("390", "expense parts against stated expense", "246.17", "reclassification"),
        Break("390", "stated income against income parts", "0.01", "opening_adjustment"),
    ),
    figures=(
        Figure("310", "2024-12", "expenditure_growth_ytd", "12.06"),
        Figure("310", "2024-12", "income_growth_ytd", "13.38"),
        Figure(
            "310",
            "2024-12",
            "payable_months.trailing12",
            "14.25",
            published=False,
            remark="published 10.07: another scope, whose data were not published",
        ),
        Figure("390", "2024-12", "payable_months.trailing12", "11.02"),
        Figure("310", "2024-12", "accumulated_surplus", "33768.83"),
        Figure("390", "2024-12", "accumulated_surplus", "32470.80"),
        Figure("610", "2024-12", "accumulated_surplus", "160.95"),
        Figure("310", "2024-12", "surplus_ytd", "3637.74"),
        Figure("390", "2024-12", "surplus_ytd", "3326.32", remark="published 3,326.33"),
        Figure("610", "2024-12", "surplus_ytd", "147.51", remark="published with one decimal"),
    ),
    as_published=(
        Figure("390", "2024-12", "payable_months.trailing12", "10.86", published=False),
        Figure("390", "2024-12", "accumulated_surplus", "32224.62", published=False),
    ),
)

# ---------------------------------------------------------------------------------------------
# National annual series, 亿元 (公报). Only totals were published: one row of income and one of
# expense a year. Employees until 2023 stand on 310.pooled because the sub-funds were not published;
# the split at the end of 2023 follows from the 2024 公报 and is an adjustment of its own.
# ---------------------------------------------------------------------------------------------
_IN, _OUT = "基金总收入，未分项", "基金总支出，未分项"


def _year(year: int, fund: str, income: str, expense: str) -> tuple[Line, Line]:
    day = f"{year}-12-31"
    return (
        Line(day, fund, "other_income", income, f"{year}年{_IN}"),
        Line(day, fund, "benefit.other", expense, f"{year}年{_OUT}"),
    )


def _chain(year: int, fund: str, difference: str, note: str) -> Line:
    return Line(f"{year}-01-01", fund, "opening_adjustment", difference, note)


_RESIDENTS = (
    # 2021: 累计 6,716.58 − (9,724.48 − 9,296.37); 公布的当期结余 428.10 为四舍五入
    Line("2020-12-31", "390", "opening_balance", "6288.47", "期初结余，由2021年末累计倒推"),
    *_year(2021, "390", "9724.48", "9296.37"),
    _chain(2022, "390", "42.09", "6,716.58+775.46=7,492.04，公布的累计为 7,534.13"),
    *_year(2022, "390", "10128.90", "9353.44"),
    _chain(2023, "390", "17.51", "7,534.13+112.06=7,646.19，公布的累计为 7,663.70"),
    *_year(2023, "390", "10569.71", "10457.65"),
    _chain(2024, "390", "-0.09", "7,663.70+519.41=8,183.11，由公报推得的累计为 8,183.02"),
    *_year(2024, "390", "11180.90", "10661.49"),
)
_EMPLOYEES_UNTIL_2022 = (
    # 2021: 累计 36,156.30 − 居民 6,716.58 = 29,439.72, 减当期 19,003.10 − 14,746.73
    Line("2020-12-31", _T, "opening_balance", "25183.35", "期初结余，由2021年末累计倒推"),
    *_year(2021, _T, "19003.10", "14746.73"),
    _chain(2022, _T, "116.57", "全国合计断点 158.66 中职工部分：158.66−42.09"),
    *_year(2022, _T, "20793.27", "15243.80"),
)
_EMPLOYEES_FROM_2023 = (
    *_year(2023, _T, "22931.65", "17750.73"),
    # 2024: 统筹期初 30,445.50−(17,342.45−13,222.71)=26,325.76; 个账 14,471.75−510.18=13,961.57
    _chain(2024, _T, "-13960.92", "2023年末累计 40,286.68 中首次单列个人账户后统筹为 26,325.76"),
    _chain(2024, _G, "13961.57", "2023年末个人账户累计，由2024年公报倒推"),
    *_year(2024, _T, "17342.45", "13222.71"),
    *_year(2024, _G, "6390.01", "5879.83"),
)
NATIONAL = History(
    name="national",
    area="100000",
    area_name="全国",
    unit="亿元",
    funds=("310", "390"),
    files={
        "national-residents": _RESIDENTS,
        "national-employees-2021-2022": _EMPLOYEES_UNTIL_2022,
        "national-employees-2023-2024": _EMPLOYEES_FROM_2023,
    },
    breaks=(
        Break("390", "end of 2021 to 2022", "42.09", "opening_adjustment"),
        Break("390", "end of 2022 to 2023", "17.51", "opening_adjustment"),
        Break("390", "end of 2023 to 2024", "-0.09", "opening_adjustment"),
        Break("310", "end of 2021 to 2022", "116.57", "opening_adjustment"),
        Break("310", "end of 2022 to 2024", "0.65", "opening_adjustment"),
        Break("390", "surplus 2021 published as 428.10", "0.01", "reported"),
        Break("310", "pooled surplus 2024 published as 4,119.75", "-0.01", "reported"),
        Break("310", "income 2024 published as 23,732.47", "-0.01", "reported"),
    ),
    figures=(
        Figure("390", "2021-12", "accumulated_surplus", "6716.58"),
        Figure("390", "2022-12", "accumulated_surplus", "7534.13"),
        Figure("390", "2023-12", "accumulated_surplus", "7663.70"),
        Figure("390", "2024-12", "accumulated_surplus", "8183.02"),
        Figure("390", "2022-12", "surplus_ytd", "775.46"),
        Figure("390", "2023-12", "surplus_ytd", "112.06"),
        Figure("basic", "2021-12", "accumulated_surplus", "36156.30"),
        Figure("basic", "2022-12", "accumulated_surplus", "42639.89"),
        Figure("310.pooled", "2024-12", "accumulated_surplus", "30445.50"),
        Figure("310.personal", "2024-12", "accumulated_surplus", "14471.75"),
        Figure("310.personal", "2024-12", "surplus_ytd", "510.18"),
        Figure("390", "2022-12", "expenditure_growth_ytd", "0.61", published=False),
        Figure("390", "2023-12", "expenditure_growth_ytd", "11.81", published=False),
        Figure("390", "2024-12", "expenditure_growth_ytd", "1.95", published=False),
        Figure(
            "390",
            "2023-12",
            "payable_months.trailing12",
            "8.79",
            published=False,
            remark="published 8.5: another denominator",
        ),
        Figure("390", "2024-12", "payable_months.trailing12", "9.21", published=False),
        Figure("310.pooled", "2024-12", "payable_months.trailing12", "27.63", published=False),
    ),
)

# ---------------------------------------------------------------------------------------------
# 绍兴, first half of 2023, 亿元 [S41]: half a year, so the year-to-date average is the denominator.
# ---------------------------------------------------------------------------------------------
_SHAOXING = (
    Line(_END_2022, _T, "opening_balance", "211.12", "期初结余 216.37−(65.07−59.82)"),
    Line("2023-06-30", _T, "other_income", "65.07", "上半年收入，含生育，未分项"),
    Line("2023-06-30", _T, "benefit.other", "59.82", "上半年支出，含生育，未分项"),
    Line(_END_2022, "390", "opening_balance", "27.19", "期初结余 22.45−(14.64−19.38)"),
    Line("2023-06-30", "390", "other_income", "14.64", "上半年收入，未分项"),
    Line("2023-06-30", "390", "benefit.other", "19.38", "上半年支出，未分项"),
    Line(_END_2022, "392", "opening_balance", "6.30", "期初结余 7.72−(2.58−1.16)"),
    Line("2023-06-30", "392", "other_income", "2.58", "上半年收入，未分项"),
    Line("2023-06-30", "392", "benefit.other", "1.16", "上半年支出，未分项"),
)
SHAOXING = History(
    name="shaoxing-2023h1",
    area="330600",
    area_name="绍兴市",
    unit="亿元",
    funds=("310", "390", "392"),
    files={"shaoxing-2023h1": _SHAOXING},
    figures=(
        Figure("310", "2023-06", "accumulated_surplus", "216.37"),
        Figure("390", "2023-06", "accumulated_surplus", "22.45"),
        Figure("390", "2023-06", "surplus_ytd", "-4.74"),
        Figure("392", "2023-06", "accumulated_surplus", "7.72"),
        Figure("310", "2023-06", "payable_months.ytd_average", "21.70", published=False),
        Figure("390", "2023-06", "payable_months.ytd_average", "6.95", published=False),
    ),
)
HISTORIES = (COUNTY, NATIONAL, SHAOXING)
_FEN = {"万元": Decimal(10**6), "亿元": Decimal(10**10)}


def fen(amount: str, unit: str) -> int:
    """Give a published amount in fen, exactly."""
    exact = Decimal(amount) * _FEN[unit]
    assert exact == exact.to_integral_value()
    return int(exact)


def setup_text(history: History) -> str:
    """Write the area's setup; money accounts are not controlled for a summary-level history."""
    funds = ", ".join(f'"{fund}"' for fund in history.funds)
    users = "".join(
        f'[[users]]\nname = "{name}"\nroles = ["{role}"]\n\n'
        for name, role in (("clerk1", "clerk"), ("admin1", "administrator"))
    )
    return (
        f'[area]\ncode = "{history.area}"\nname = "{history.area_name}"\nfunds = [{funds}]\n\n'
        f"{users}".rstrip()
        + "\n"
    )


def file_text(history: History, name: str) -> str:
    """Write one table as a fund_flows file: 万元 under that head, 亿元 as whole yuan."""
    wan = history.unit == "万元"
    amount_head = "金额(万元)" if wan else "金额"
    lines = [",".join((*_HEADS[:5], amount_head, *_HEADS[5:]))]
    total = Decimal(0)
    for number, line in enumerate(history.files[name], start=1):
        amount = Decimal(line.amount) if wan else Decimal(line.amount) * 10**8
        total += amount
        cells = (
            line.document or f"{name}-{number:03d}",
            line.date,
            history.area,
            line.fund,
            line.item,
            _text(amount),
            line.counterparty_fund,
            line.account,
            line.note,
        )
        lines.append(",".join(_quoted(cell) for cell in cells))
    lines.append(f"合计,,,,,{_text(total)},,,{len(history.files[name])}")
    return "\n".join(lines) + "\n"


def contents() -> Iterator[tuple[str, str]]:
    """Give every file of the folder by name."""
    for history in HISTORIES:
        yield f"{history.name}.setup.toml", setup_text(history)
        for name in history.files:
            yield f"{name}.csv", file_text(history, name)


def _text(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell


if __name__ == "__main__":
    for file_name, text in contents():
        (FOLDER / file_name).write_text(text, encoding="utf-8")
