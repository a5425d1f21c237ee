"""A month put through the layers by SQL gives what the calculator gives, settlement by settlement."""

import tomllib
from itertools import groupby

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.office import AREA, H1
from support.one_stop import policy_text

from ledger.aggregates.area import Area
from ledger.aggregates.policies import APPROVED, Policies, Version
from ledger.archive.columns import schema_of
from ledger.domain.period import Period
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.one_stop.check import CheckQuestion, check_month
from settlement.one_stop.layers import Cost, YearSoFar, settle
from settlement.one_stop.policy import CaseKind
from settlement.one_stop.policy_tables import one_stop_policy_of

H2 = "H33060400002"
CONTENT = tomllib.loads(policy_text())
CONTENT["policy"]["effective"] = "2024-01-01"
POLICY = one_stop_policy_of(CONTENT)
OTHER = ("cvlserv_pay", "hifes_pay", "hifdm_pay", "oth_pay")
PARTS = ("hifp_pay", "hifmi_pay", "hifob_pay", "maf_pay", *OTHER)
SCHEMA = schema_of("claim.settled.v1")


def version(content=CONTENT, effective="2024-01-01", number=1):
    return Version(
        name="resident", version=number, fund="390", title="", effective=effective, until=None,
        basis="", content=content, content_hash=str(number), proposed_by="a", state=APPROVED,
    )  # fmt: skip


def row(position, person, day, total, *, med_type="21", own=0, parts=None, institution=H1, **more):
    parts = parts or {}
    return {
        "position": position, "area": AREA, "setl_id": f"S{position:03}", "person": person,
        "person_key": 1, "insutype": "390", "institution": institution, "med_type": med_type,
        "setl_date": day, "setl_time": f"{day}T10:00:00", "medfee_sumamt": total,
        "fulamt_ownpay_amt": own, "fund_pay_sumamt": sum(parts.values()),
        **{part: parts.get(part, 0) for part in PARTS}, **more,
    }  # fmt: skip


class FewParts:
    """An archive of one file: what the manifests would name."""

    def __init__(self, folder, rows):
        self.path = folder / "settled.parquet"
        columns = {
            field.name: pa.array([row.get(field.name) for row in rows], field.type)
            for field in SCHEMA
        }
        pq.write_table(pa.table(columns, schema=SCHEMA), self.path)

    def parts(self, *, topic, **_):
        return [self.path] if topic == "claim.settled.v1" else []


def area():
    return Area(AREA, funds={"390": None}, institutions={H1: ("一院", 3), H2: ("二院", 2)})


def checked(folder, rows, period="2024-03", versions=None):
    question = CheckQuestion(
        area(), "390", Period.parse(period), FewParts(folder, rows), DuckDBEngine(), 10**6
    )
    policies = Policies(AREA, versions if versions is not None else [version()])
    return check_month(question, policies)


def by_hand(rows, month):
    """Put every person's year through ``settle``, with the year so far as it was settled."""
    found = set()
    rows = sorted(rows, key=lambda one: (one["person"], one["setl_time"], one["setl_id"]))
    for _, theirs in groupby(rows, key=lambda one: one["person"]):
        pools, year = {}, YearSoFar()
        for one in theirs:
            kind = CaseKind("390", 3, one["med_type"], one.get("psn_type"), one.get("maf_psn_type"))
            applied = POLICY.applied_to(kind)
            pool = applied.basic.pool
            scope_before, paid_before, count = pools.get(pool, (0, 0, 0))
            so_far = YearSoFar(
                basic_scope_fen=scope_before,
                basic_paid_fen=paid_before,
                qualified_fen=year.qualified_fen,
                catastrophic_paid_fen=year.catastrophic_paid_fen,
                assistance_base_fen=year.assistance_base_fen,
                assistance_paid_fen=year.assistance_paid_fen,
            )
            cost = Cost(total_fen=one["medfee_sumamt"], own_fen=one["fulamt_ownpay_amt"])
            parts = settle(cost, applied.layers(count), so_far).parts
            parts = {"maf_pay": 0, "hifdm_pay": 0, "oth_pay": 0, **parts}
            if one["setl_date"].startswith(month):
                found |= {
                    (one["setl_id"], part, one[part], fen)
                    for part, fen in parts.items()
                    if one[part] != fen
                }
            scope = cost.within_scope_fen
            left = max(scope - one["hifp_pay"], 0)
            pools[pool] = (scope_before + scope, paid_before + one["hifp_pay"], count + 1)
            helped = applied.assistance is not None
            year = YearSoFar(
                qualified_fen=year.qualified_fen + left,
                catastrophic_paid_fen=year.catastrophic_paid_fen + one["hifmi_pay"],
                assistance_base_fen=year.assistance_base_fen
                + (max(left - one["hifmi_pay"], 0) if helped else 0),
                assistance_paid_fen=year.assistance_paid_fen + one["maf_pay"],
            )
    return found


fens = st.integers(0, 40_000_000)
settlements = st.lists(
    st.builds(
        lambda person, month, day, total, share, med, parts, classes: (
            person, f"2024-{month:02}-{day:02}", total, total * share // 10, med, parts, classes
        ),
        st.sampled_from("AB"),
        st.integers(1, 3),
        st.integers(1, 4),
        fens,
        st.integers(0, 10),
        st.sampled_from(["21", "11"]),
        st.fixed_dictionaries(dict.fromkeys(("hifp_pay", "hifmi_pay", "maf_pay", "oth_pay"), fens)),
        st.sampled_from([{}, {"maf_psn_type": "01"}, {"psn_type": "31"}]),
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(settlements)
def test_sql_and_calculator_agree(tmp_path_factory, drawn):
    rows = [
        row(at, person, day, total, med_type=med, own=own, parts=parts, **classes)
        for at, (person, day, total, own, med, parts, classes) in enumerate(drawn, start=1)
    ]
    if not rows:
        return
    found = checked(tmp_path_factory.mktemp("few"), rows)
    told = {(one.setl_id, one.part, one.settled_fen, one.by_policy_fen) for one in found.flagged}
    assert told == by_hand(rows, "2024-03")
    assert found.judged == found.settlements == sum(one["setl_date"] > "2024-03" for one in rows)


RIGHT = {"hifp_pay": 43_095_00, "hifmi_pay": 5_643_00}


def stack(position, day, *, parts=None, **more):
    return row(position, "A", day, 80_000_00, own=12_500_00, parts=parts or RIGHT, **more)


def told(found):
    return [(one.setl_id, one.part, one.difference_fen, one.unsure) for one in found.flagged]


def test_what_follows_the_policy_is_not_flagged(tmp_path):
    found = checked(tmp_path, [stack(1, "2024-03-05")])
    assert told(found) == []  # but its history begins in March
    assert not found.history_complete


def test_assistance_and_further_assistance_take_no_more_than_is_left(tmp_path):
    """January was paid nothing, so assistance catches up: 302.40 of 432.00, and 129.60 is what is left."""
    helped = {"maf_psn_type": "01"}
    january = row(1, "A", "2024-01-05", 80_000_00, own=5_000_00, **helped)
    parts = {"hifp_pay": 1_560_00, "hifmi_pay": 1_008_00, "maf_pay": 432_00}
    march = row(2, "A", "2024-03-05", 3_000_00, parts=parts, **helped)
    assert told(checked(tmp_path, [january, march])) == []


def test_a_deviation_is_told_where_it_arose_and_not_again(tmp_path):
    """January paid a yuan too little; March, with a lower deductible, follows the policy."""
    january = stack(1, "2024-01-05", parts=RIGHT | {"hifp_pay": 43_094_00})
    # 66,900 x 65 % = 43,485; 24,406 + 24,015 = 48,421: 9,000 + 18,421 x 65 %, less 9,406 x 60 %
    march = stack(2, "2024-03-05", parts={"hifp_pay": 43_485_00, "hifmi_pay": 15_330_05})
    assert told(checked(tmp_path, [january, march])) == []
    assert told(checked(tmp_path, [january, march], "2024-01")) == [
        ("S001", "hifp_pay", -1_00, None)
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # a part that the policy knows, paid to somebody no rule of it is for
        ([stack(1, "2024-01-02", parts=RIGHT | {"maf_pay": 50})], [("S001", "maf_pay", 50, None)]),
        # what the policy has no rule for at all is not judged
        ([stack(1, "2024-01-02", parts=RIGHT | {"cvlserv_pay": 50})], []),
        # the amount within scope does not add up
        (
            [stack(1, "2024-01-02", inscp_scp_amt=67_500_01)],
            [
                ("S001", "hifmi_pay", 0, None),
                ("S001", "hifp_pay", -1, None),
                ("S001", "inscp_scp_amt", 1, None),
            ],
        ),
        # only the sum of the funds is given: it is the pooled part
        (
            [stack(1, "2024-01-02", **dict.fromkeys(PARTS), fund_pay_sumamt=43_095_00)],
            [("S001", "hifmi_pay", -5_643_00, None)],
        ),
    ],
)
def test_what_is_flagged(tmp_path, rows, expected):
    found = [one for one in told(checked(tmp_path, rows, "2024-01")) if one[2]]
    assert found == [one for one in expected if one[2]]


def test_what_is_not_judged_is_counted_with_its_reason(tmp_path):
    rows = [
        stack(1, "2024-03-05"),
        stack(2, "2024-03-05", institution=H2),  # level 2: no rule
        stack(3, "2024-03-05", fulamt_ownpay_amt=None, fund_pay_sumamt=1),
        row(4, "A", "2024-03-05", 10**9 + 1),
        stack(5, "2024-03-06", insuplc_admdvs="310104"),
    ]
    found = checked(tmp_path, rows)
    assert (found.settlements, found.judged, found.passthrough) == (4, 1, 1)
    assert found.unjudged == {
        "no_scope": 1,
        "no_rule": 1,
        "cost_out_of_bounds": 1,
        "no_policy": 0,
    }


def test_without_a_policy_nothing_is_flagged(tmp_path):
    found = checked(tmp_path, [stack(1, "2024-03-05", parts={"hifp_pay": 1})], versions=[])
    assert (found.policies, found.judged, found.flagged) == ((), 0, ())
    assert found.unjudged["no_policy"] == 1


def test_a_policy_that_begins_within_the_month_judges_from_its_day(tmp_path):
    rows = [stack(1, "2024-01-05", parts={"hifp_pay": 1}), stack(2, "2024-01-20", parts={"hifp_pay": 1})]  # fmt: skip
    found = checked(tmp_path, rows, "2024-01", [version(effective="2024-01-10")])
    assert {one.setl_id for one in found.flagged} == {"S002"}
    assert found.unjudged["no_policy"] == 1
    assert {one.unsure for one in found.flagged} == {"earlier_unjudged"}


def test_what_leans_on_an_incomplete_year_is_unsure(tmp_path):
    wrong = {"hifp_pay": 43_095_00, "hifmi_pay": 1}
    march = checked(tmp_path, [stack(1, "2024-03-05", parts=wrong)])
    assert told(march) == [("S001", "hifmi_pay", 1 - 5_643_00, "history_begins")]
    rotated = [
        row(1, "B", "2024-01-02", 0),
        stack(2, "2024-03-05", parts=wrong, person_key=2),
        stack(3, "2024-03-06", parts=wrong) | {"person": "C"},
    ]
    found = checked(tmp_path, rotated)
    assert found.key_versions == (1, 2)
    assert told(found) == [
        ("S002", "hifmi_pay", 1 - 5_643_00, "key_rotated"),
        ("S003", "hifmi_pay", 1 - 5_643_00, None),
    ]
