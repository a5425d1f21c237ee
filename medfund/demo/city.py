"""The sample city (样例市): 200 institutions, 300 groups, and how its two funds pay for care.

Invented, but of the usual make: three levels of hospitals with their coefficients, groups from a
sixth to six times a thousand points, wards that are paid by the day, outpatients by the item.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CITY_CODE, CITY_NAME = "330600", "样例市"
YEAR = 2024
FUNDS = ("310", "390")
#: How the year's settlements, and its budget, spread over the months.
MONTH_WEIGHTS = (86, 78, 84, 82, 83, 80, 81, 82, 84, 85, 86, 89)
USERS = {
    "clerk1": "clerk",
    "reviewer1": "reviewer",
    "auditor1": "auditor",
    "admin1": "administrator",
}
_BODIES = ["人民", "中心", "中医", "协和", "仁济", "同德", "广济", "康宁", "长安", "永宁"]
_PLACES = [
    "东城",
    "西城",
    "南湖",
    "北山",
    "滨江",
    "新港",
    "古桥",
    "青田",
    "梅岭",
    "柳市",
    "松阳",
    "云和",
]
_CHAPTERS = "ABCDEGHIJKLMNORST"


@dataclass(frozen=True, slots=True)
class Hospital:
    """One designated institution of the city; a pharmacy has no level, a ward by the day is one."""

    code: str
    name: str
    level: int | None
    weight: int
    by_day: bool = False

    @property
    def coefficient(self) -> str:
        """Give the coefficient of its level, told apart a little from its neighbours'."""
        return (
            f"0.{70 + 10 * (self.level or 1) + self.weight % 7:02d}" if self.level != 3 else "1.05"
        )


@dataclass(frozen=True, slots=True)
class CityGroup:
    """One disease group (病种) of the city's catalogue."""

    code: str
    points: int
    average_fen: int


def _name(number: int, what: str) -> str:
    return f"{CITY_NAME}{_PLACES[number % 12]}{_BODIES[number * 7 // 12 % 10]}{what}"


def _hospitals() -> tuple[Hospital, ...]:
    made = []
    for number in range(1, 181):
        code = f"H{CITY_CODE}{number:05d}"
        if number <= 12:
            made.append(Hospital(code, _name(number, "医院"), 3, 60 - 2 * number))
        elif number <= 52:
            made.append(Hospital(code, _name(number, "医院"), 2, 8 + number % 9))
        elif number <= 60:
            made.append(Hospital(code, _name(number, "康复医院"), 2, 5, by_day=True))
        else:
            made.append(Hospital(code, _name(number, "社区卫生服务中心"), 1, 2 + number % 3))
    shops = (
        Hospital(f"P{CITY_CODE}{number:05d}", _name(number, "大药房"), None, 3 + number % 4)
        for number in range(1, 21)
    )
    return (*made, *shops)


def _groups() -> tuple[CityGroup, ...]:
    made = []
    for number in range(300):
        code = f"{_CHAPTERS[number % 17]}{number * 7 % 100:02d}.{number % 10}00"
        points = 160 + number * number // 16 + number % 23
        made.append(CityGroup(code, points, points * 1_000 + number * 37))
    return tuple(made)


HOSPITALS = _hospitals()
GROUPS = _groups()


def setup_text() -> str:
    """Write the city's setup file."""
    funds = ", ".join(f'"{fund}"' for fund in FUNDS)
    parts = [f'[area]\ncode = "{CITY_CODE}"\nname = "{CITY_NAME}"\nfunds = [{funds}]\n']
    parts += [f'[[users]]\nname = "{name}"\nroles = ["{role}"]\n' for name, role in USERS.items()]
    for one in HOSPITALS:
        level = "" if one.level is None else f"level = {one.level}\n"
        parts.append(f'[[institutions]]\ncode = "{one.code}"\nname = "{one.name}"\n{level}')
    return "\n".join(parts)


def groups_text() -> str:
    """Write the catalogue (病种目录) that stands beside the policies."""
    rows = (f"{one.code},{one.points},{_yuan(one.average_fen)}" for one in GROUPS)
    return "\n".join(["病种编码,分值,次均费用", *rows]) + "\n"


#: What a leaf fund takes in every month, by item; and the share of a year's care that it opens with.
_INCOME = {
    "310.pooled": ("contribution.employer", 9),
    "310.personal": ("contribution.individual", 18),
    "390": ("contribution.individual", 6),
}


def flows_text(owed_fen: Mapping[str, int]) -> str:
    """Write the year's income, a twentieth more than its care costs, and the opening balances."""
    lines = ["doc_no,date,area,fund,item,amount,note"]
    for fund, (item, months) in _INCOME.items():
        month_fen = owed_fen[fund] // 12 + 1
        opening = _yuan(month_fen * months)
        lines.append(
            f"QC-{fund},{YEAR - 1}-12-31,{CITY_CODE},{fund},opening_balance,{opening},上年结转"
        )
        lines += [
            f"JF-{fund}-{month:02d},{YEAR}-{month:02d}-05,{CITY_CODE},{fund},{item},"
            f"{_yuan(month_fen * 105 // 100)},{month}月保费"
            for month in range(1, 13)
        ]
    return "\n".join(lines) + "\n"


_TITLES = {
    "310.pooled": ("employee-inpatient", "职工医保住院按病种分值付费"),
    "390": ("resident-inpatient", "居民医保住院按病种分值付费"),
}


def assessments_text() -> str:
    """Write the yearly assessment (年度考核): most institutions get their whole deposit back."""
    rows = [
        f"{one.code},{YEAR},{97 - number * 7 % 23}"
        for number, one in enumerate(HOSPITALS)
        if one.level is not None
    ]
    return "\n".join(["定点医药机构编号,考核年度,考核得分", *rows]) + "\n"


def policy_text(fund: str, *, points_fen: int) -> str:
    """Write a fund's policy; its points share 97 of 100 of what their cases were charged."""
    name, title = _TITLES[fund]
    year_fen = points_fen * 97 // 95 // 100_000 * 100_000
    wards = ", ".join(f'"{one.code}"' for one in HOSPITALS if one.by_day)
    coefficients = "\n".join(
        f'{one.code} = "{one.coefficient}"'
        for one in HOSPITALS
        if one.level is not None and not one.by_day
    )
    return f"""[policy]
name = "{name}-{YEAR}"
title = "{YEAR}年{title}"
fund = "{fund}"
effective = {YEAR}-01-01
until = {YEAR}-12-31
basis = "样例医保发〔{YEAR}〕1号"

[budget]
year = "{_yuan(year_fen)}"
reserve = "5%"
months = {list(MONTH_WEIGHTS)}

[[methods]]
name = "rehabilitation"
kind = "per_diem"
clr_types = ["21"]
institutions = [{wards}]
stages = [{{ upto_day = 30, rate = "320.00" }}, {{ rate = "240.00" }}]

[[methods]]
name = "inpatient"
kind = "dip"
clr_types = ["21"]
groups_file = "groups.csv"

[methods.coefficients]
{coefficients}

[[methods]]
name = "outpatient"
kind = "fee_for_service"
clr_types = ["11"]

[deposit]
share = "5%"
release = [{{ from_score = "80", share = "100%" }}, {{ from_score = "0", below = "80", share = "50%" }}]

[bands]
ratio = "booked/due"
band = [
    {{ upto = "80%", owns_edge = false, booked = "1" }},
    {{ upto = "100%", due = "1" }},
    {{ upto = "110%", due = "0.3", booked = "0.7" }},
    {{ due = "1.07" }},
]
"""


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
