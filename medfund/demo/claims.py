"""The sample area's settlements at the counter (医保结算明细), a sample of those of three months.

Amounts follow the layers of the national settlement: own expense, deductible, basic fund, second
layer (大病, 大额), civil servants' subsidy, assistance, personal account, cash. All in whole fen.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from random import Random

from ledger.domain.fund import PERSONAL, POOLED
from ledger.domain.money import allocate, format_yuan
from ledger.domain.period import Period, months_between
from medfund.demo.institutions import AREA_CODE, HOSPITALS, PHARMACIES, Institution

#: (month, fund or sub-fund that owes, clr_type, institution) → fen, refunds taken off
Settled = Counter[tuple[Period, str, str, str]]

HEADS = (
    "setl_id",
    "mdtrt_id",
    "psn_no",
    "insutype",
    "fixmedins_code",
    "med_type",
    "clr_type",
    "clr_way",
    "setl_time",
    "begndate",
    "enddate",
    "medfee_sumamt",
    "fulamt_ownpay_amt",
    "overlmt_selfpay",
    "preselfpay_amt",
    "inscp_scp_amt",
    "act_pay_dedc",
    "hifp_pay",
    "cvlserv_pay",
    "hifmi_pay",
    "hifob_pay",
    "maf_pay",
    "fund_pay_sumamt",
    "acct_pay",
    "psn_cash_pay",
    "hosp_part_amt",
    "refd_setl_flag",
    "acct_mulaid_pay",
    "psn_type",
    "maf_psn_type",
    "mdtrt_cert_type",
    "pay_loc",
    "insuplc_admdvs",
    "mdtrtarea_admvs",
    "dise_code",
    "days",
)
_DISEASES = ("I63.902", "J18.900", "I25.103", "E11.900", "K80.000", "H25.900", "M51.202", "C34.900")
_PERSONS = 90_000
_FUND_AT = HEADS.index("fund_pay_sumamt") - HEADS.index("medfee_sumamt")


@dataclass(frozen=True, slots=True)
class _Care:
    """A way of being treated: who pays, how much, and how often it occurs (of 100)."""

    share: int
    insutype: str
    med_type: str
    clr_type: str
    lowest: int
    highest: int
    ratio: int  # percent the basic fund pays of what is in scope, at a level-2 hospital


_CARES = (
    _Care(34, "310", "11", "11", 4_000, 90_000, 62),
    _Care(6, "310", "14", "11", 20_000, 260_000, 80),
    _Care(12, "310", "21", "21", 200_000, 5_200_000, 82),
    _Care(12, "310", "41", "41", 2_000, 48_000, 0),
    _Care(20, "390", "11", "11", 3_000, 60_000, 38),
    _Care(4, "390", "14", "11", 15_000, 200_000, 55),
    _Care(10, "390", "21", "21", 180_000, 4_800_000, 68),
    _Care(2, "390", "41", "41", 2_000, 30_000, 0),
)
_DEDUCTIBLE = {1: 30_000, 2: 60_000, 3: 80_000}
_SECOND_LAYER_FROM = {"310": 350_000, "390": 500_000}
_BASIC = {"310": POOLED, "390": "390"}


@dataclass(frozen=True, slots=True)
class _Settlement:
    """One settlement; `parts` in fen in the order of HEADS from medfee_sumamt to hosp_part_amt."""

    number: int
    time: datetime
    care: _Care
    place: Institution
    person: int
    days: int
    parts: tuple[int, ...]
    mutual_aid: int
    refund: bool = False

    def owed(self) -> tuple[tuple[str, int], ...]:
        """Say which fund owes which part: it follows the payment, not the insurance type."""
        _, _, _, _, _, _, basic, civil, resident, large, assistance, _, account, _, _ = self.parts
        return (
            (_BASIC[self.care.insutype], basic),
            ("320", civil),
            ("392", resident),
            ("330", large),
            ("610", assistance),
            (PERSONAL, account),
        )


@dataclass(frozen=True, slots=True)
class SampleClaims:
    """The settlements as lines of files by month, and what they let the funds owe."""

    lines: dict[Period, list[str]]
    settled: Settled
    refunds: int


def sample_claims(rng: Random, *, count: int, last: Period) -> SampleClaims:
    """Settle `count` rows in the three months ending with `last`, one of a hundred a refund (退费)."""
    months = months_between(last.plus(-2), last)
    refunds = count // 100
    shares = allocate(count - refunds, dict(zip(months, (31, 34, 35), strict=True)))
    draw = _Draw(rng)
    settled = [one for month in months for one in draw.settlements(month, shares[month])]
    settled += [_refund(settled[at], rng, last) for at in _refunded(rng, len(settled), refunds)]
    settled.sort(key=lambda one: (one.time, one.number, one.refund))
    lines: dict[Period, list[str]] = {}
    owed: Settled = Counter()
    for month in months:
        rows = [one for one in settled if one.time.month == month.month]
        sums = [sum(one.parts[place] for one in rows) for place in (0, _FUND_AT)]
        lines[month] = [",".join(HEADS), *map(_line, rows), _control_line(len(rows), *sums)]
        for (fund, clr_type, place), fen in _owed(rows).items():
            owed[month, fund, clr_type, place] = fen
    return SampleClaims(lines, owed, refunds)


def _owed(rows: list[_Settlement]) -> Counter[tuple[str, str, str]]:
    owed: Counter[tuple[str, str, str]] = Counter()
    for one in rows:
        for fund, fen in one.owed():
            if fen:
                owed[fund, one.care.clr_type, one.place.code] += fen
    return owed


def _refunded(rng: Random, originals: int, refunds: int) -> list[int]:
    return sorted(rng.sample(range(originals), refunds))


def _refund(original: _Settlement, rng: Random, last: Period) -> _Settlement:
    """Mirror a settlement, negative, some days later: the same setl_id with the refund flag."""
    later = original.time + timedelta(days=rng.randrange(9), minutes=rng.randrange(5, 90))
    month_end = datetime.combine(last.next.first_day, time.min) - timedelta(seconds=1)
    return replace(
        original,
        time=min(later, month_end),
        parts=tuple(-part for part in original.parts),
        mutual_aid=-original.mutual_aid,
        refund=True,
    )


class _Draw:
    """Draws settlements one after the other, numbered in the order of drawing."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._number = 0
        self._cares = [care for care in _CARES for _ in range(care.share)]
        self._hospitals = [one for one in HOSPITALS for _ in range(one.weight)]
        self._pharmacies = [one for one in PHARMACIES for _ in range(one.weight)]
        self._wards = [one for one in self._hospitals if (one.level or 0) > 1]

    def _below(self, limit: int) -> int:
        """Draw a whole number below a limit: quicker than randrange, even enough for samples."""
        return self._rng.getrandbits(40) * limit >> 40

    def settlements(self, month: Period, count: int) -> Iterator[_Settlement]:
        """Draw the settlements of a month."""
        opens = datetime.combine(month.first_day, time(7, 30))
        days = (month.next.first_day - month.first_day).days
        for _ in range(count):
            yield self._settlement(opens, days)

    def _settlement(self, opens: datetime, days_in_month: int) -> _Settlement:
        below = self._below
        care = self._cares[below(len(self._cares))]
        inpatient = care.clr_type == "21"
        places = self._wards if inpatient else self._hospitals
        if care.clr_type == "41":
            places = self._pharmacies
        place = places[below(len(places))]
        person = below(_PERSONS) * 2 + (care.insutype == "390")
        moment = opens + timedelta(days=below(days_in_month), seconds=below(38_000))
        parts, mutual_aid = self._parts(care, place.level or 1, person)
        self._number += 1
        days = 2 + below(13) if inpatient else 0
        return _Settlement(self._number, moment, care, place, person, days, parts, mutual_aid)

    def _parts(self, care: _Care, level: int, person: int) -> tuple[tuple[int, ...], int]:
        below = self._below
        skew = below(1000)
        fee = care.lowest + (care.highest - care.lowest) * skew * skew // 1_400_000 + below(2_000)
        own, over, first = fee * below(13) // 100, fee * below(3) // 200, fee * below(9) // 100
        scope = fee - own - over - first
        inpatient = care.clr_type == "21"
        deductible = min(scope, _DEDUCTIBLE[level]) if inpatient else 0
        basic = (scope - deductible) * (care.ratio and care.ratio + (2 - level) * 4) // 100
        left = scope - basic
        second = max(0, left - _SECOND_LAYER_FROM[care.insutype]) * 60 // 100 if inpatient else 0
        left -= second
        civil = left * 40 // 100 if _is_civil_servant(person) and care.clr_type != "41" else 0
        aid = left * 65 // 100 if _is_assisted(person) and care.clr_type != "41" else 0
        fund = basic + second + civil + aid
        hospital = min(fee - fund, fee // 80) if inpatient and below(40) == 0 else 0
        left = fee - fund - hospital
        resident = care.insutype == "390"
        account = 0 if resident and below(20) else left * (40 + below(61)) // 100
        mutual_aid = account if resident else 0
        large, catastrophic = (0, second) if resident else (second, 0)
        layers = (basic, civil, catastrophic, large, aid, fund)
        shares = (account, left - account, hospital)
        return (fee, own, over, first, scope, deductible, *layers, *shares), mutual_aid


def _is_civil_servant(person: int) -> bool:
    return person % 2 == 0 and person % 36 == 0


def _is_assisted(person: int) -> bool:
    return person % 2 == 1 and person % 33 == 0


def _control_line(count: int, fee: int, fund: int) -> str:
    """Write the control totals (合计行), by which a file cut off in the middle is recognised."""
    said = {
        "setl_id": "合计",
        "mdtrt_id": str(count),
        "medfee_sumamt": _ungrouped(fee),
        "fund_pay_sumamt": _ungrouped(fund),
    }
    return ",".join(said.get(head, "") for head in HEADS)


def _ungrouped(fen: int) -> str:
    return format_yuan(fen, grouped=False)


def _yuan(fen: int) -> str:
    """Write what is not negative: the short form of format_yuan for a million cells."""
    return f"{fen // 100}.{fen % 100:02d}"


def _line(one: _Settlement) -> str:
    moment = one.time.isoformat(" ")
    begun = (one.time - timedelta(days=one.days)).date().isoformat()
    inpatient = one.care.clr_type == "21"
    write = _ungrouped if one.refund else _yuan
    cells = (
        f"S{AREA_CODE}{one.number:015d}",
        f"M{AREA_CODE}{one.number:015d}",
        f"{AREA_CODE}{one.person:020d}",
        one.care.insutype,
        one.place.code,
        one.care.med_type,
        one.care.clr_type,
        "4" if inpatient else "1",
        moment,
        begun,
        moment[:10],
        *map(write, one.parts),
        "1" if one.refund else "0",
        write(one.mutual_aid),
        "11" if one.care.insutype == "310" else "15",
        "11" if _is_assisted(one.person) else "",
        ("01", "02", "03")[one.person % 3],
        "2",
        AREA_CODE,
        AREA_CODE,
        _DISEASES[one.person % len(_DISEASES)] if inpatient else "",
        str(one.days) if inpatient else "",
    )
    return ",".join(cells)
