"""DRG points of stays by the worked examples of the field, and readmissions day by day.

The group's average is 15,000.00 and the area's 12,000.00: 125 base points. The hospital's coefficient
of difference (差异系数) is 1.08, so a complete stay counts 135.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from support.clearing_examples import SCOPE, Log
from support.drg_examples import golden_stays

from settlement.clearing.cases import kernel
from settlement.clearing.cases.drg_scoring import score_stays, watched
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.readmissions import Watch, find_readmissions, slices
from settlement.clearing.cases.scoring import NotComputable, scope_tables
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.methods.drg import DrgRules, HighTier, base_points4
from settlement.clearing.policies.policy import Drg, Group, ReviewPoints

ENGINE = DuckDBEngine(memory_mib=64, threads=1)
HOSPITAL, OTHER = "H33010000001", "H33010000002"
YUAN = 100
OWN = DrgRules(incomplete_ways=frozenset({"2", "4"}))
K3 = replace(OWN, high_tiers=(HighTier(upto_points=None, multiple=Fraction(3)),))
GROUP = Group(points4=base_points4(15_000 * YUAN, 12_000 * YUAN), average_fen=15_000 * YUAN)


def drg(own=OWN, **others):
    known = {
        "groups": {"A": GROUP, "B": GROUP, "床日": Group(points4=35_000, average_fen=500 * YUAN)},
        "coefficients4": {HOSPITAL: 10_800, OTHER: 10_000},
        "bed_day": frozenset({"床日"}),
        "readmission_exempt": frozenset({"B"}),
    }
    return Drg(rules=own, **(known | others))


def scored(folder, log, rules, watermark=None):
    at = log.position if watermark is None else watermark
    return score_stays(ENGINE, log.write(folder), rules, SCOPE, watermark=at)


def points(text):
    return int(Fraction(text) * 10_000)


#: Group, cost in yuan, what else the settlement says, rules, how it counts, points.
STAYS = [
    ("A", "15000", {}, OWN, Standing.NORMAL, "135"),
    ("A", "9000", {"dscg_way": "4"}, OWN, Standing.INCOMPLETE, "81"),
    ("A", "14500", {"dscg_way": "2"}, OWN, Standing.INCOMPLETE, "125"),  # 130.50, at most the base
    ("A", "9000", {"dscg_way": "1"}, OWN, Standing.NORMAL, "135"),
    ("A", "60000", {}, OWN, Standing.HIGH, "322.50"),  # 125 points: the tier of 2.5
    ("A", "60000", {}, K3, Standing.HIGH, "260.00"),  # the same with 3
    ("A", "37500", {}, OWN, Standing.NORMAL, "135"),  # 2.5 itself is normal
    ("A", "45000", {}, K3, Standing.NORMAL, "135"),
    ("A", "6000", {}, OWN, Standing.NORMAL, "135"),  # 0.4 itself is normal
    ("A", "5999.99", {}, OWN, Standing.LOW, "49.9999"),  # 125 x 0.39999933
    ("床日", "21000", {"days": "42"}, OWN, Standing.BED_DAY, "147.0"),
]


@pytest.mark.parametrize("stay", STAYS, ids=lambda stay: f"{stay[0]}-{stay[1]}-{stay[5]}")
def test_points_of_a_stay(stay, tmp_path):
    group, cost, others, own, standing, expected = stay
    log = Log()
    log.settle(group, HOSPITAL, int(Fraction(cost) * YUAN), **others)
    (one,) = scored(tmp_path, log, drg(own)).tallies
    assert (one.standing, one.points4) == (standing, points(expected))


def stay(log, began, *, nights=4, group="A", who="a" * 32, institution=HOSPITAL, **others):
    ended = (began + timedelta(days=nights)).isoformat()
    dates = {"begndate": began.isoformat(), "enddate": ended, "setl_date": ended}
    known = {"person": who, "belongs_to": ended[:7]}
    return log.settle(group, institution, 15_000 * YUAN, **(known | dates | others))


FIRST = date(2025, 1, 3)  # and discharged on the 7th


@pytest.mark.parametrize(
    ("days", "again", "expected"),
    [
        (0, {}, "67.50"),
        (15, {}, "67.50"),
        (16, {}, "135"),
        (15, {"group": "床日", "days": "1"}, "135"),
        (15, {"who": "b" * 32}, "135"),
        (15, {"institution": OTHER}, "135"),
        (15, {"person_key": 2}, "135"),  # the key was rotated: nobody can tell
    ],
)
def test_the_earlier_stay_keeps_half(days, again, expected, tmp_path):
    """The second stay begins so many days after the first one's discharge."""
    log = Log()
    stay(log, FIRST)
    stay(log, FIRST + timedelta(days=4 + days), **again)
    first = scored(tmp_path, log, drg()).tallies
    halved = [one.points4 for one in first if one.standing is Standing.READMITTED]
    assert halved == ([points(expected)] if expected == "67.50" else [])


@pytest.mark.parametrize(
    ("days", "second", "anywhere", "uncompared"),
    [
        (15, {}, False, 1),
        (0, {}, False, 1),
        (16, {}, False, 0),  # too late, whoever it was
        (-1, {}, False, 0),  # begun before the discharge
        (15, {"person_key": 1}, False, 0),
        (15, {"group": "B"}, False, 0),
        (15, {"clr_type": "11"}, False, 0),
        (15, {"institution": OTHER}, False, 0),
        (15, {"institution": OTHER}, True, 1),
    ],
)
def test_a_run_says_how_many_stays_a_rotation_left_uncompared(
    days, second, anywhere, uncompared, tmp_path
):
    """Somebody of a newer key came so many days after: perhaps the same person, perhaps not."""
    log = Log()
    stay(log, FIRST)
    stay(log, FIRST, group="床日", days="1", who="c" * 32, person_key=2)  # so there are two keys
    stay(log, FIRST + timedelta(days=4 + days), **{"who": "b" * 32, "person_key": 2} | second)
    rules = drg(replace(OWN, readmission_anywhere=anywhere))
    assert scored(tmp_path, log, rules).readmissions.uncompared == uncompared


def test_stays_of_another_key_long_before_and_after_leave_nothing_uncompared(tmp_path):
    log = Log()
    stay(log, FIRST - timedelta(days=30), who="b" * 32, person_key=2)
    stay(log, FIRST)
    stay(log, FIRST + timedelta(days=20), who="b" * 32, person_key=2)
    assert scored(tmp_path, log, drg()).readmissions.uncompared == 0


def test_a_stay_that_is_known_to_be_followed_is_not_uncompared(tmp_path):
    log = Log()
    stay(log, FIRST)
    stay(log, FIRST + timedelta(days=10))
    stay(log, FIRST + timedelta(days=11), who="b" * 32, person_key=2)
    log.refund(stay(log, FIRST + timedelta(days=20), who="d" * 32, person_key=2))
    found = scored(tmp_path, log, drg()).readmissions
    assert (found.positions, found.uncompared) == ((1,), 0), "the second began before the third"


def test_what_the_policy_says_about_readmissions(tmp_path):
    log = Log()
    stay(log, FIRST)
    stay(log, FIRST + timedelta(days=10), institution=OTHER)
    stay(log, FIRST, group="B", who="b" * 32)  # radiotherapy, say
    stay(log, FIRST + timedelta(days=10), group="B", who="b" * 32)
    found = {
        name: [
            one.points4
            for one in scored(tmp_path / name, log, drg(own)).tallies
            if one.standing is Standing.READMITTED
        ]
        for name, own in {
            "here": OWN,
            "anywhere": replace(OWN, readmission_anywhere=True),
            "a third": replace(OWN, readmission_anywhere=True, readmission_keeps=Fraction(1, 3)),
            "none": replace(OWN, readmission_anywhere=True, readmission_keeps=Fraction(1)),
        }.items()
    }
    assert found == {
        "here": [],
        "anywhere": [points("67.50")],
        "a third": [points("45")],
        "none": [],
    }


def test_a_readmission_of_the_next_month_is_seen_once_it_was_settled(tmp_path):
    """January is scored at the end of January, and again when February is there."""
    log = Log()
    stay(log, date(2025, 1, 25))
    january = log.position
    stay(log, date(2025, 2, 5))
    standings = [
        [one.standing for one in scored(tmp_path, log, drg(), watermark).tallies]
        for watermark in (january, log.position)
    ]
    assert standings == [[Standing.NORMAL], [Standing.READMITTED]]


def test_an_accepted_review_is_not_halved_and_may_excuse_a_readmission(tmp_path):
    log = Log()
    excused = stay(log, FIRST)
    stay(log, FIRST + timedelta(days=10))
    log.review(excused, None)
    assert scored(tmp_path, log, drg()).points4 == {HOSPITAL: points("270")}


def test_what_wants_to_be_looked_at_first_is_held_back(tmp_path):
    log = Log()
    log.settle("A", HOSPITAL, 15_000 * YUAN, begndate=None)
    log.settle("床日", HOSPITAL, 15_000 * YUAN, days=None)
    log.settle("QY", HOSPITAL, 15_000 * YUAN)
    decided = log.settle("QY", HOSPITAL, 15_000 * YUAN)
    log.review(decided, points("200"))
    rules = drg(replace(OWN, min_cases=1), single_review=frozenset({"QY"}))
    found = scored(tmp_path, log, rules)
    assert {(one.standing, one.group) for one in found.held_back} == {
        (Standing.NO_DATES, "A"),
        (Standing.NO_DAYS, "床日"),
        (Standing.SINGLE_REVIEW, "QY"),
    }
    assert found.points4 == {HOSPITAL: points("200")}
    before = replace(rules, review_points=ReviewPoints.BEFORE_COEFFICIENT)
    assert scored(tmp_path / "before", log, before).points4 == {HOSPITAL: points("216")}


def test_a_group_with_few_cases_is_reviewed_case_by_case(tmp_path):
    log = Log()
    for _ in range(4):
        log.settle("A", HOSPITAL, 15_000 * YUAN)
    rules = drg(replace(OWN, min_cases=5))
    (few,) = scored(tmp_path / "few", log, rules).tallies
    log.settle("A", OTHER, 15_000 * YUAN)  # whichever hospital they were treated in
    enough = scored(tmp_path / "enough", log, rules)
    assert (few.standing, few.cases) == (Standing.SINGLE_REVIEW, 4)
    assert enough.points4 == {HOSPITAL: points("540"), OTHER: points("125")}


def test_how_persons_are_sliced_has_no_say(tmp_path):
    log, rules = golden_stays()
    parts, watch = log.write(tmp_path), Watch(watched(rules), 15, anywhere=True)
    scope = scope_tables(SCOPE, rules.coefficients4, watermark=log.position)
    found = [
        find_readmissions(_Holding(stays=stays), parts, watch, scope)
        for stays in (10**9, 4_000, 900)
    ]
    assert found[0].positions
    assert found[0] == found[1] == found[2]


@dataclass(frozen=True, slots=True)
class _Holding(DuckDBEngine):
    """An engine that can compare no more than so many stays with each other."""

    stays: int = 1

    @property
    def stays_at_once(self) -> int:
        return self.stays


@pytest.mark.parametrize(
    ("stays", "at_once", "expected"),
    [
        (0, 10, [("", None)]),
        (10, 10, [("", None)]),
        (11, 10, [("", "800"), ("800", None)]),
        (30, 10, [("", "555"), ("555", "aaa"), ("aaa", None)]),
    ],
)
def test_every_token_is_in_one_slice(stays, at_once, expected):
    assert slices(stays, at_once=at_once) == expected
    assert len(slices(10**12, at_once=1)) == 4096, "three digits are all that is cut by"


@pytest.mark.parametrize(
    "own",
    [
        replace(OWN, low_multiple=Fraction(2)),
        replace(OWN, readmission_keeps=Fraction(1, 101)),
        replace(OWN, high_tiers=(HighTier(upto_points=None, multiple=Fraction(1, 2)),)),
        replace(OWN, high_tiers=(HighTier(upto_points=None, multiple=Fraction(203, 101)),)),
    ],
)
def test_numbers_beyond_exactness_are_refused(own):
    with pytest.raises(NotComputable):
        score_stays(ENGINE, {}, drg(own), SCOPE, watermark=1)


def test_the_largest_products_of_a_stay_fit_into_64_bits():
    parts = kernel.MAX_DENOMINATOR
    average = kernel.MAX_AVERAGE_FEN
    complete4 = kernel.MAX_BASE4 * kernel.MAX_COEFFICIENT4 // kernel.ONE + 1
    above = 2 * kernel.MAX_BASE4 * kernel.MAX_COST_FEN * parts + average * parts
    above4 = kernel.MAX_BASE4 * kernel.MAX_COST_FEN // kernel.MIN_AVERAGE_FEN + 1
    incomplete = 2 * complete4 * kernel.MAX_COST_FEN + average
    kept = 2 * (complete4 + above4) * parts + parts
    assert max(above, incomplete, kept) < 2**63
