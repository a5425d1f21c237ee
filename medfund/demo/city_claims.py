"""The sample city's settlements, month by month: a million in a quarter of a minute.

Each month follows from the seed alone. Costs spread around the average of their group, three in a
hundred far below it and two far above; one in two hundred names a group that the catalogue does not
have, seven in a thousand are refunded within the month.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ledger.domain.money import allocate
from ledger.domain.period import Period
from medfund.demo.city import CITY_CODE, GROUPS, HOSPITALS, MONTH_WEIGHTS, YEAR, Hospital

HEADS = (
    "setl_id,psn_no,insutype,fixmedins_code,med_type,clr_type,setl_time,medfee_sumamt,"
    "fulamt_ownpay_amt,preselfpay_amt,inscp_scp_amt,act_pay_dedc,hifp_pay,fund_pay_sumamt,"
    "acct_pay,psn_cash_pay,refd_setl_flag,psn_type,insuplc_admdvs,mdtrtarea_admvs,dise_code,days"
)
_DEDUCTIBLE = {1: 30_000, 2: 60_000, 3: 80_000}
_PERSONS = 400_000
_REFUNDED = 143  # one in so many
_FAR_BELOW, _FAR_ABOVE, _UNGROUPED = 6, 10, 199  # of two hundred
_POOLED, _ACCOUNT = 5, 7  # places among the amounts of a row


@dataclass(frozen=True, slots=True)
class _Care:
    """A kind of settlement: how many of a hundred, and what the fund pays of it in percent."""

    share: int
    insutype: str
    med_type: str
    clr_type: str
    places: tuple[Hospital, ...]
    ratio: int
    grouped: bool = False


def _often(places: Iterator[Hospital]) -> tuple[Hospital, ...]:
    return tuple(one for one in places for _ in range(one.weight))


_GROUPED = _often(one for one in HOSPITALS if one.level and not one.by_day)
_BY_DAY = _often(one for one in HOSPITALS if one.by_day)
_CLINICS = _often(one for one in HOSPITALS if one.level and not one.by_day)
_SHOPS = _often(one for one in HOSPITALS if one.level is None)
_CARES = tuple(
    care
    for care in (
        _Care(24, "310", "21", "21", _GROUPED, 84, grouped=True),
        _Care(21, "390", "21", "21", _GROUPED, 68, grouped=True),
        _Care(2, "310", "21", "21", _BY_DAY, 84),
        _Care(1, "390", "21", "21", _BY_DAY, 68),
        _Care(24, "310", "11", "11", _CLINICS, 60),
        _Care(18, "390", "11", "11", _CLINICS, 45),
        _Care(10, "310", "41", "41", _SHOPS, 0),
    )
    for _ in range(care.share)
)


@dataclass(slots=True)
class CityClaims:
    """What was written: the files, the number of rows, and what the funds were charged in fen."""

    files: list[Path] = field(default_factory=list)
    rows: int = 0
    points_fen: Counter[str] = field(default_factory=Counter)
    owed_fen: Counter[str] = field(default_factory=Counter)  # by leaf fund, refunds taken off


def write_city_claims(folder: Path, *, seed: int, claims: int) -> Iterator[CityClaims]:
    """Write twelve files with so many rows together, and say after each what stands so far."""
    written = CityClaims()
    counts = allocate(claims, dict(enumerate(MONTH_WEIGHTS, start=1)))
    for month, count in counts.items():
        period = Period(YEAR, month)
        path = folder / f"claims-{period}.csv"
        rows = _month(period, count, Random(f"{seed}/{period}"), written)  # noqa: S311
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADS + "\n")
            file.writelines(rows)
        written.files.append(path)
        written.rows += count
        yield written


def _month(period: Period, count: int, rng: Random, written: CityClaims) -> Iterator[str]:
    """Draw the rows of a month; a refund follows its settlement."""
    month, days, number = str(period), period.last_day.day, 0
    while number < count:
        number += 1
        care = _CARES[rng.getrandbits(32) % len(_CARES)]
        before, amounts, after = _settlement(month, days, number, care, rng.getrandbits)
        yield f"{before}{','.join(map(_yuan, amounts))},0{after}"
        if rng.getrandbits(16) % _REFUNDED == 0 and number < count:
            number += 1
            yield f"{before}{','.join([_yuan(-fen) for fen in amounts])},1{after}"
            continue
        fund = "310.pooled" if care.insutype == "310" else "390"
        written.owed_fen[fund] += amounts[_POOLED]
        written.owed_fen["310.personal"] += amounts[_ACCOUNT]
        if care.grouped:
            written.points_fen[fund] += amounts[_POOLED]


def _settlement(
    month: str, days: int, number: int, care: _Care, bits: Callable[[int], int]
) -> tuple[str, tuple[int, ...], str]:
    """Draw one settlement: what stands before its amounts, the amounts, and what stands after."""
    place = care.places[bits(32) % len(care.places)]
    cost, group, stay = _cost(care, bits)
    own = cost * (bits(16) % 12) // 100
    scope = cost - own
    deductible = min(scope, _DEDUCTIBLE[place.level or 1]) if care.clr_type == "21" else 0
    pooled = (scope - deductible) * care.ratio // 100
    left = cost - pooled
    account = left * (bits(8) % 90) // 100 if care.insutype == "310" else 0
    at = bits(24)
    day = f"{month}-{1 + at % days:02d}"
    before = (
        f"S{CITY_CODE}{month[:4]}{month[5:]}{number:09d},"
        f"{CITY_CODE}{bits(32) % _PERSONS:012d},{care.insutype},{place.code},{care.med_type},"
        f"{care.clr_type},{day} {8 + at % 10:02d}:{at % 59:02d}:{at % 53:02d},"
    )
    amounts = (cost, own, own // 2, scope, deductible, pooled, pooled, account, left - account)
    person = "11" if care.insutype == "310" else "15"
    return before, amounts, f",{person},{CITY_CODE},{CITY_CODE},{group},{stay}\n"


def _cost(care: _Care, bits: Callable[[int], int]) -> tuple[int, str, str]:
    """Draw what a case costs in fen, its group and its days."""
    chance = bits(30)
    if not care.grouped:
        days = 1 + chance % 40
        if care.clr_type == "21":
            return days * (22_000 + chance % 18_000), "", str(days)
        return 2_000 + chance % 48_000, "", ""
    group = GROUPS[chance % 300]
    permille = 550 + chance // 300 % 300 + bits(8) + bits(9) % 300
    kind = bits(16) % 200
    if kind < _FAR_BELOW:
        permille //= 3
    elif kind < _FAR_ABOVE:
        permille = permille * 26 // 10
    code = "Z99.900" if kind == _UNGROUPED else group.code
    return group.average_fen * permille // 1000, code, str(2 + chance % 14)


def _yuan(fen: int) -> str:
    """Write an amount; quicker than what ``ledger.domain.money`` has for any reader."""
    return f"{fen // 100}.{fen % 100:02d}" if fen >= 0 else f"-{-fen // 100}.{-fen % 100:02d}"
