"""Laws of a month and a year of every method, asked of the engine: order and parts do not matter.

One policy with all nine kinds, each for a clearing type of its own; claims of any of them, of few
groups, hospitals and persons on few days, so that ties and readmissions are common. Every part of
an archive shuffled, and every settlement at another place of the log, the figures are the same.
"""

import tempfile
from collections import Counter
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.clearing_examples import AREA, FUND, Log

from ledger.domain.period import Period, Year
from settlement.clearing.engine import Parts
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.methods.capitation import Heads, Signed
from settlement.clearing.methods.county_community import CommunityYear
from settlement.clearing.methods.drg import DrgRules
from settlement.clearing.methods.fee_for_service import TotalControl
from settlement.clearing.methods.per_diem import PerDiemCap, Stage
from settlement.clearing.month.provisional import Cleared, clear_month
from settlement.clearing.month.question import Chosen, Question
from settlement.clearing.policies.policy import (
    Budget,
    Capitation,
    Cases,
    CountyCommunity,
    DayWard,
    DayWardPoints,
    Dip,
    Drg,
    DrgFixedRate,
    FeeForService,
    Group,
    Method,
    PerDiem,
    PointValue,
    Policy,
    SharingBy,
)

F = Fraction
H1, H2 = "H33010000001", "H33010000002"
GROUPS = {
    "A": Group(points4=10_000_001, average_fen=1_000_003),
    "B": Group(points4=1_250_000, average_fen=333_331),
}
COEFFICIENTS4 = {H1: 10_001, H2: 8_500}
STAGES = (Stage(upto_day=3, rate_fen=20_001), Stage(upto_day=None, rate_fen=5_003))
RULES = {
    "11": Dip(groups=GROUPS, coefficients4=COEFFICIENTS4),
    "12": Drg(
        groups=GROUPS,
        coefficients4=COEFFICIENTS4,
        rules=DrgRules(readmission_keeps=F(1, 3), readmission_anywhere=True),
    ),
    "13": DayWardPoints(groups=GROUPS, coefficients4=COEFFICIENTS4, low=F(0), high=F(1)),
    "14": DrgFixedRate(groups=GROUPS, rate=F(1, 3)),
    "15": PerDiem(stages=STAGES, cap=PerDiemCap.LOWER),
    "16": DayWard(standards_fen={"A": 50_001, "B": 7}, lower=True),
    "17": Capitation(
        heads=(
            Signed(
                institution=H1,
                since="2025-01",
                until="2025-12",
                heads=Heads(heads=7, rate_fen=850, factor=F(11, 10)),
            ),
        )
    ),
    "18": CountyCommunity(
        weights={H1: 2, H2: 1}, year=CommunityYear(raised_fen=10_000_001, distributable=F(92, 100))
    ),
    "19": FeeForService(quotas_fen={H1: 1_200_001}, rule=TotalControl(excess_paid=F(1, 3))),
}
METHODS = tuple(
    Method(name=f"m{code}", cases=Cases(clr_types=frozenset({code})), rules=rules)
    for code, rules in RULES.items()
)
POLICIES = [
    Policy(
        name="p",
        title="p",
        fund=FUND,
        effective="2025-01-01",
        budget=Budget(year_fen=99_999_999),
        point_value=PointValue(by=by, digits=4),
        methods=METHODS,
    )
    for by in SharingBy
]
COSTS = st.sampled_from(
    [0, 1, 400_001, 500_001, 500_002, 1_000_003, 2_000_006, 2_000_007, 9_999_999]
)
CLAIMS = st.fixed_dictionaries(
    {
        "clr_type": st.sampled_from([*RULES, "99"]),
        "institution": st.sampled_from([H1, H2, "H33019999999"]),
        "group": st.sampled_from(["A", "B", "C", None]),
        "cost_fen": COSTS,
        "person": st.sampled_from(["a" * 32, "b" * 32]),
        "begun": st.integers(1, 3),
        "nights": st.integers(0, 2),
        "month": st.sampled_from(["2025-01", "2025-02"]),
        "end": st.sampled_from(["stays", "stays", "stays", "refunded", "reversed"]),
    }
)


def history(claims) -> Log:
    """Settle claims in an order; each keeps its number wherever it stands."""
    log = Log()
    for number, one in claims:
        month, begun, ended = one["month"], one["begun"], one["begun"] + one["nights"]
        position = log.settle(
            one["group"],
            one["institution"],
            one["cost_fen"],
            setl_id=f"S{number:05d}",
            clr_type=one["clr_type"],
            person=one["person"],
            days=str(one["nights"]),
            belongs_to=month,
            begndate=f"{month}-{begun:02d}",
            enddate=f"{month}-{ended:02d}",
            setl_date=f"{month}-{ended:02d}",
        )
        if one["end"] == "refunded":
            log.refund(position)
        elif one["end"] == "reversed":
            log.reverse(position)
    return log


def cleared(policy: Policy, log: Log, folder: str, period: Period | Year, **how) -> Cleared:
    rows_a_part, chance, threads = (how.get(key) for key in ("rows_a_part", "chance", "threads"))
    parts = log.write(Path(folder), rows_a_part=rows_a_part or 500)
    if chance is not None:
        parts = {name: _shuffled(one, chance) for name, one in parts.items()}
    engine = DuckDBEngine(memory_mib=64, threads=threads or 1)
    question = Question(AREA, FUND, period, log.position, parts, engine)
    return clear_month(question, Chosen("p@1", "hash", policy))


def _shuffled(parts: Parts, chance) -> Parts:
    files = [*parts.files]
    chance.shuffle(files)
    return Parts(parts.columns, tuple(files))


def told(found: Cleared):
    """Give everything that a run says, but for positions of the log."""

    def without_position(one):
        return {name: value for name, value in asdict(one).items() if name != "first_position"}

    return {
        "due": found.due,
        "held": sorted(
            (one.method, one.reason, str(without_position(one.tally))) for one in found.held
        ),
        "gaps": sorted(str(without_position(one)) for one in found.gaps),
        "cancelled": sorted(str(without_position(one)) for one in found.cancelled),
        "obligations": (found.obligations_fen, found.elsewhere_fen),
    }


@given(
    st.sampled_from(POLICIES),
    st.lists(CLAIMS, min_size=20, max_size=40),
    st.sampled_from([Period.parse("2025-01"), Year(2025)]),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
@settings(max_examples=3, deadline=None, derandomize=True)
def test_order_of_input_and_of_parts_is_irrelevant_to_every_method(
    policy, claims, period, rows_a_part, chance
):
    numbered = list(enumerate(claims, start=1))
    shuffled = [*numbered]
    chance.shuffle(shuffled)
    once, again = history(numbered), history(shuffled)
    with (
        tempfile.TemporaryDirectory() as whole,
        tempfile.TemporaryDirectory() as cut,
        tempfile.TemporaryDirectory() as other,
    ):
        found = cleared(policy, once, whole, period)
        in_parts = cleared(
            policy, once, cut, period, rows_a_part=rows_a_part, chance=chance, threads=2
        )
        in_another_order = cleared(policy, again, other, period)
    assert in_parts.due == found.due
    assert in_parts.record.result == found.record.result
    assert told(in_another_order) == told(found)
    pool = found.due.pool
    assert pool is not None
    assert pool.due_fen + pool.difference_fen == pool.distributable_fen


@given(st.lists(CLAIMS, min_size=20, max_size=40))
@settings(max_examples=1, deadline=None, derandomize=True)
def test_what_is_priced_case_by_case_adds_up_from_months_to_the_year(claims):
    """By heads too, and what points share: ``test_policy_kinds.py``, ``test_monthly.py``."""
    log = history(enumerate(claims, start=1))
    with tempfile.TemporaryDirectory() as folder:
        periods = [*(Period.parse(month) for month in ("2025-01", "2025-02")), Year(2025)]
        *months, year = (cleared(POLICIES[0], log, folder, period) for period in periods)
    assert priced(year) == sum(map(priced, months), Counter())


def priced(found: Cleared) -> Counter[tuple[str, str]]:
    return Counter(
        {
            (line.counted.institution, line.counted.method): line.due_fen
            for line in found.due.lines
            if line.counted.method in {"m14", "m15", "m16"} and line.due_fen
        }
    )


@pytest.mark.parametrize("nights", [2, 0], ids=["ends later", "greater number"])
def test_of_two_stays_that_begin_on_one_day_the_later_is_the_same_whichever_came_in_first(nights):
    """The one-day stay keeps a third, the other one everything; by the log's order it changed hands."""
    short = {"person": "a" * 32, "begun": 3, "nights": 0, "month": "2025-01", "end": "stays"}
    short |= {"clr_type": "12", "institution": H1, "group": "A", "cost_fen": 1_000_003}
    long = short | {"nights": nights, "institution": H2}
    policy = POLICIES[0]
    points = []
    for claims in ([(1, short), (2, long)], [(2, long), (1, short)]):
        with tempfile.TemporaryDirectory() as folder:
            found = cleared(policy, history(claims), folder, Period.parse("2025-01"))
        points.append(
            {
                line.counted.institution: line.counted.points4
                for line in found.due.lines
                if line.counted.method == "m12"
            }
        )
    # 1,000.0001 x 1.0001 = 1,000.1001, a third of it 333.3667; 1,000.0001 x 0.85 = 850.0001
    assert points[0] == points[1] == {H1: 3_333_667, H2: 8_500_001}
