"""Groupings, reviews and assessments, from their files to the log, on both stores.

Deliberate defects that these tests catch: a refunded settlement taken for a case; an old grouping
brought in again counted as new; other content under a review's number taken as a newer fact; the
institution of the file believed; a row that the books forbid posting the rest of its file.
"""

import pytest
from support.office import AREA, H1, H2, open_office

from ledger.domain.identity import assessment_stream, case_stream
from settlement.corrections import StatementStays


def claim(number, hospital=H1, **more):
    return {
        "setl_id": f"S{number}",
        "fixmedins_code": hospital,
        "setl_time": "2024-01-15 10:00:00",
        "medfee_sumamt": "100.00",
        "fund_pay_sumamt": "60.00",
        "acct_pay": "0.00",
        "psn_cash_pay": "40.00",
        **more,
    }


_REFUND = {
    "medfee_sumamt": "-100.00",
    "fund_pay_sumamt": "-60.00",
    "psn_cash_pay": "-40.00",
    "refd_setl_flag": "1",
}


def grouping(number, group="I63.9", **more):
    return {"setl_id": f"S{number}", "dise_code": group, "reason": "首页补传", **more}


def review(number, **more):
    return {
        "setl_id": f"S{number}",
        "review_no": f"TL{number}",
        "decision": "通过",
        "points": "1850.5",
        "reason": "费用合理",
        **more,
    }


def assessment(hospital=H1, **more):
    return {"fixmedins_code": hospital, "year": "2023", "score": "92.50", **more}


@pytest.fixture
def office(store_url, tmp_path):
    """Three settlements, of which the second was refunded and the third reversed."""
    with open_office(store_url, tmp_path) as office:
        office.setup("310", "390")
        rows = [claim(1), claim(2), claim(2, **_REFUND), claim(3), claim(4, H2)]
        assert office.bring_claims(rows).state == "posted"
        office.reverse("S3")
        yield office


@pytest.fixture
def bring(office):
    def bring(kind, *rows, **how):
        bring.files += 1
        path = office.write_file(f"{kind}-{bring.files}.csv", list(rows))
        return office.bring(path, kind=kind, **how)

    bring.files = 0
    return bring


def told(office, stream):
    return [envelope.fact for _, envelope in office.ledger.history(stream)]


def test_a_case_is_grouped_again_and_the_latest_group_counts(office, bring):
    first = bring("groupings", grouping(1), grouping(4, fixmedins_code=H2))
    assert (first.state, first.posted) == ("posted", 2)
    again = bring("groupings", grouping(4), grouping(1))
    assert (again.state, again.posted, again.already) == ("posted", 0, 2)
    assert bring("groupings", grouping(1, "I64")).posted == 1
    grouped = told(office, case_stream(AREA, "S1"))
    assert [one.dise_code for one in grouped] == ["I63.9", "I64"]
    assert (grouped[0].institution, grouped[0].period) == (H1, "2024-01")
    back = bring("groupings", grouping(1))
    assert back.posted == 1, "what was true once, and is again, is a newer fact"


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (grouping(9), "setl_id", "unknown_settlement"),
        (grouping(2), "setl_id", "settlement_cancelled"),
        (grouping(3), "setl_id", "settlement_cancelled"),
        (grouping(1, fixmedins_code=H2), "fixmedins_code", "institution_differs"),
        (grouping(1, fixmedins_code="H33060499999"), "fixmedins_code", "unknown_institution"),
        (grouping(1, ""), "dise_code", "required"),
        (grouping(1, reason=""), "reason", "required"),
    ],
)
def test_what_is_no_case_is_rejected_with_its_line(office, bring, row, field, code):
    outcome = bring("groupings", grouping(4), row)
    assert [(one.line, one.field, one.code) for one in outcome.rejections] == [(3, field, code)]
    assert (outcome.state, outcome.posted) == ("rejected", 0)
    assert told(office, case_stream(AREA, "S4")) == []
    partial = bring("groupings", grouping(4), row, partial=True)
    assert (partial.state, partial.posted, partial.rejected) == ("partial", 1, 1)


def test_a_review_is_one_decision_under_its_number(office, bring):
    bring("groupings", grouping(1))
    assert bring("case_reviews", review(1)).posted == 1
    assert bring("case_reviews", review(1, note="再次")).already == 1
    other = bring("case_reviews", review(1, points="1900"))
    assert [(one.code, one.facts) for one in other.rejections] == [
        ("row_conflict", {"position": office.position - 2})  # two intakes were noted behind it
    ]
    rejected = {"review_no": "TL1-2", "decision": "不通过", "points": ""}
    assert bring("case_reviews", review(1, **rejected)).posted == 1
    found = told(office, case_stream(AREA, "S1"))[1:]
    assert [(one.review_no, one.decision, one.points4) for one in found] == [
        ("TL1", "accepted", 18_505_000),
        ("TL1-2", "rejected", None),
    ]


def test_everything_wrong_with_reviews_is_said_at_once(bring):
    outcome = bring(
        "case_reviews",
        review(1, decision="也许"),
        review(9, decision="不通过", points="1"),
        review(4, points="1.23456"),
        review(2),
        review(4, points="0"),
    )
    assert [(one.line, one.code) for one in outcome.rejections] == [
        (2, "unknown_code"),
        (3, "points_not_accepted"),
        (4, "not_a_decimal"),
        (5, "settlement_cancelled"),
        (6, "number_out_of_range"),
    ]


def test_an_assessment_is_corrected_by_the_latest(office, bring):
    first = bring("assessments", assessment(), assessment(H2, score=78))
    assert first.posted == 2
    assert bring("assessments", assessment(score="92.5", deduction="0")).already == 1
    deducted = assessment(score="93", fund="310.pooled", deduction="15000.00")
    assert bring("assessments", deducted).posted == 1
    assert bring("assessments", assessment(score="95")).posted == 1
    found = told(office, assessment_stream(AREA, H1, "2023"))
    assert [(one.fund, one.score, one.deduction_fen) for one in found] == [
        (None, "92.5", 0),
        ("310.pooled", "93", 1_500_000),
        (None, "95", 0),
    ]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"year": "2025"}, "year", "number_out_of_range"),
        ({"score": "100.5"}, "score", "number_out_of_range"),
        ({"score": "九十"}, "score", "not_a_decimal"),
        ({"deduction": "-1.00"}, "deduction", "negative_amount"),
        ({"deduction": "1.00"}, "deduction", "deduction_needs_fund"),
        ({"fund": "310"}, "fund", "sub_fund_needed"),
        ({"fund": "610"}, "fund", "fund_not_in_book"),
        ({"fixmedins_code": "H33060499999"}, "fixmedins_code", "unknown_institution"),
    ],
)
def test_an_assessment_that_cannot_be_is_rejected(bring, change, field, code):
    outcome = bring("assessments", assessment() | change)
    assert [(one.field, one.code) for one in outcome.rejections] == [(field, code)]


def test_a_dry_run_writes_nothing_and_nothing_posted_is_nothing_to_reverse(office, bring):
    before = office.position
    outcome = bring("groupings", grouping(1), grouping(9), dry_run=True)
    assert (outcome.state, outcome.accepted, outcome.rejected) == ("checked", 1, 1)
    assert office.position == before
    intake = bring("groupings", grouping(1)).intake
    with pytest.raises(StatementStays):
        office.reverse_whole(intake)
