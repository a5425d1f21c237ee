"""One settlement row: what it becomes, and everything that can be wrong with it."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples import examples

from ledger.domain.money import format_yuan
from settlement.intake.claim_rows import FUND_PARTS, ClaimChecker, ClaimRow, check_claim
from settlement.intake.columns import CLAIMS
from settlement.intake.row_reader import CheckContext, head_of


@pytest.fixture
def check(claim, context):
    return lambda **changes: check_claim(claim(**changes), line=7, context=context)


@pytest.fixture
def codes(check):
    def listed(**changes):
        found = check(**changes)
        return [] if isinstance(found, ClaimRow) else [(f.field, f.code) for f in found]

    return listed


REFUND = {
    "refd_setl_flag": "1",
    "medfee_sumamt": "-1000.00",
    "hifp_pay": "-600.00",
    "hifob_pay": "-50.00",
    "fund_pay_sumamt": "-650.00",
    "acct_pay": "-100.00",
    "psn_cash_pay": "-240.00",
    "hosp_part_amt": "-10.00",
}


def test_a_right_row_is_typed(check):
    row = check()
    assert isinstance(row, ClaimRow)
    assert row.line == 7
    assert row.setl_id == "330604S001"
    assert row.setl_time == dt.datetime.fromisoformat("2023-10-05T12:30:00")
    assert (row.begndate, row.enddate) == (dt.date(2023, 10, 1), dt.date(2023, 10, 5))
    assert (row.medfee_sumamt, row.fund_pay_sumamt) == (100000, 65000)
    assert (row.acct_pay, row.psn_cash_pay, row.hosp_part_amt) == (10000, 24000, 1000)
    assert (row.hifp_pay, row.hifob_pay, row.maf_pay) == (60000, 5000, None)
    assert (row.refd_setl_flag, row.is_refund, row.days) == (0, False, 4)
    assert row.key == ("330604S001", False)


def test_the_row_has_every_column_of_the_format_in_order():
    assert ClaimRow.__struct_fields__ == ("line", *(column.key for column in CLAIMS))


def test_a_refund_mirrors_with_negative_amounts(check):
    row = check(**REFUND)
    assert (row.is_refund, row.medfee_sumamt, row.key) == (True, -100000, ("330604S001", True))


def test_parts_by_fund_leave_out_nil(check):
    assert check(maf_pay="0.00").fund_parts() == {"hifp_pay": 60000, "hifob_pay": 5000}


def test_without_any_part_the_whole_is_the_pooled_fund(check):
    row = check(hifp_pay="", hifob_pay=...)
    assert row.hifp_pay is None
    assert row.fund_parts() == {"hifp_pay": 65000}
    nil = check(hifp_pay="", hifob_pay="", fund_pay_sumamt="0", psn_cash_pay="890.00")
    assert nil.fund_parts() == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"setl_id": ""}, [("setl_id", "required")]),
        ({"setl_id": 3.3e29}, [("setl_id", "numeric_identifier")]),
        ({"mdtrt_id": 12.0}, [("mdtrt_id", "numeric_identifier")]),
        ({"psn_no": 3.3e17}, [("psn_no", "numeric_identifier")]),
        ({"psn_no": ...}, [("psn_no", "required")]),
        ({"mdtrt_id": ""}, []),
        ({"insutype": "311"}, [("insutype", "unknown_code")]),
        ({"insutype": "居民医保"}, []),
        ({"insutype": 310.0}, []),
        ({"fixmedins_code": "H3306040001"}, [("fixmedins_code", "malformed_institution")]),
        ({"fixmedins_code": "X33060400001"}, [("fixmedins_code", "malformed_institution")]),
        ({"fixmedins_code": "H33060400009"}, [("fixmedins_code", "unknown_institution")]),
        ({"fixmedins_code": "H31010400009"}, []),  # 异地: no book registers every hospital
        ({"fixmedins_code": "ｈ33060400001 "}, []),
        ({"fixmedins_code": 330604.0}, [("fixmedins_code", "numeric_identifier")]),
        ({"med_type": "普通住院"}, []),
        ({"med_type": "9901"}, []),
        ({"med_type": "康复住院"}, [("med_type", "malformed_code")]),
        ({"clr_type": ""}, [("clr_type", "required")]),
        ({"clr_type": 21}, []),
        ({"setl_time": "2023-10-05"}, []),
        ({"setl_time": "2023-13-05 12:00:00"}, [("setl_time", "impossible_date")]),
        ({"setl_time": "2023-11-16 23:59:59"}, []),
        ({"setl_time": "2023-11-17 00:00:00"}, [("setl_time", "date_in_future")]),
        ({"begndate": "2023-10-06"}, [("enddate", "end_before_begin")]),
        ({"begndate": "2023-10-01 08:30:00"}, []),
        ({"enddate": ""}, []),
        ({"medfee_sumamt": "1000.01"}, [("medfee_sumamt", "amounts_do_not_add_up")]),
        ({"psn_cash_pay": "239.99"}, [("medfee_sumamt", "amounts_do_not_add_up")]),
        ({"hosp_part_amt": ""}, [("medfee_sumamt", "amounts_do_not_add_up")]),
        ({"hosp_part_amt": "", "psn_cash_pay": "250.00"}, []),
        ({"hifp_pay": "600.01"}, [("fund_pay_sumamt", "parts_do_not_add_up")]),
        ({"oth_pay": "0.01"}, [("fund_pay_sumamt", "parts_do_not_add_up")]),
        ({"hifob_pay": ""}, [("fund_pay_sumamt", "parts_do_not_add_up")]),
        ({"hifdm_pay": "5.00", "hifp_pay": "595.00"}, []),
        ({"preselfpay_amt": "-1.00"}, [("preselfpay_amt", "wrong_sign")]),
        (
            {"psn_cash_pay": "-240.00", "medfee_sumamt": "520.00"},
            [("psn_cash_pay", "wrong_sign")],
        ),
        ({"acct_pay": "1,23.00"}, [("acct_pay", "malformed_thousands")]),
        ({"refd_setl_flag": "2"}, [("refd_setl_flag", "not_a_flag")]),
        ({"refd_setl_flag": ""}, []),
        ({"refd_setl_flag": ...}, []),
        ({"days": "-1"}, [("days", "number_out_of_range")]),
        ({"days": "四"}, [("days", "not_an_integer")]),
        ({"insuplc_admdvs": "33060"}, [("insuplc_admdvs", "malformed_area")]),
        ({"insuplc_admdvs": "310104"}, []),  # 异地参保人在本地就医
        ({"mdtrtarea_admvs": "310104"}, []),  # a registered institution treats here all the same
        ({"fixmedins_code": "H31010400009", "mdtrtarea_admvs": "310104"}, []),
        (
            {"fixmedins_code": "H31010400009", "insuplc_admdvs": "310104"},
            [("insuplc_admdvs", "not_of_this_area")],
        ),
        ({"mdtrtarea_admvs": 310000.0}, []),
        ({"hosp_part_amt": "#REF!"}, [("hosp_part_amt", "formula_error")]),
    ],
)
def test_what_is_wrong_is_said(codes, changes, expected):
    assert codes(**changes) == expected


def test_a_positive_refund_is_wrong_in_every_amount(codes):
    found = codes(refd_setl_flag="1")
    assert found == [
        (key, "wrong_sign")
        for key in (
            *("medfee_sumamt", "hifp_pay", "hifob_pay", "fund_pay_sumamt", "acct_pay"),
            *("psn_cash_pay", "hosp_part_amt"),
        )
    ]


def test_what_only_informs_keeps_its_sign_in_a_refund(codes):
    assert codes(**REFUND, act_pay_dedc="500.00", inscp_scp_amt="-900.00") == []


def test_everything_that_is_wrong_is_said_at_once(codes):
    found = codes(
        setl_id="", psn_no=12, fixmedins_code="H1", setl_time="x", oth_pay="1.00", acct_pay="0"
    )
    assert found == [
        ("setl_id", "required"),
        ("psn_no", "numeric_identifier"),
        ("fixmedins_code", "malformed_institution"),
        ("setl_time", "not_a_date"),
        ("medfee_sumamt", "amounts_do_not_add_up"),
        ("fund_pay_sumamt", "parts_do_not_add_up"),
    ]


def test_sums_are_not_judged_where_an_amount_cannot_be_read(codes):
    assert codes(hosp_part_amt="x", medfee_sumamt="1.00") == [("hosp_part_amt", "not_an_amount")]
    assert codes(maf_pay="x", hifp_pay="1.00") == [("maf_pay", "not_an_amount")]


def test_the_difference_is_shown_with_all_figures(check):
    (wrong,) = check(medfee_sumamt="1000.01")
    assert wrong.message("zh") == (
        "医疗费总额 1,000.01 ≠ 基金 650.00 + 个人账户 100.00 + 现金 240.00 + 医院负担 10.00,"
        "相差 0.01。请从源系统重新导出该笔结算。"
    )


def test_a_persons_number_is_never_shown(check):
    (wrong,) = check(psn_no="33060400001234567890\x01")
    assert wrong.value == "33***0�"
    (wrong,) = check(psn_no=123.0)
    assert wrong.value == "***"


def test_without_a_list_of_institutions_any_well_formed_code_passes(claim, context):
    values = {name: getattr(context, name) for name in context.__slots__}
    anywhere = CheckContext(**{**values, "institutions": frozenset()})
    cells = claim(fixmedins_code="P33060499999")
    assert check_claim(cells, line=2, context=anywhere).fixmedins_code == "P33060499999"


def test_cells_without_a_head_are_rejected(claim, context):
    cells = claim()
    checker = ClaimChecker(head_of(CLAIMS, tuple(cells)), context)
    assert isinstance(checker.check(2, [*cells.values(), "", "  ", None]), ClaimRow)
    (wrong,) = checker.check(2, [*cells.values(), "", "56.00"])
    assert (wrong.code, wrong.value, wrong.facts) == (
        "cell_without_head",
        "56.00",
        {"column": len(cells) + 2},
    )


def test_cells_left_out_at_the_end_are_empty(claim, context):
    cells = claim()
    checker = ClaimChecker(head_of(CLAIMS, (*cells, "dise_code", "maf_psn_type")), context)
    assert isinstance(checker.check(2, list(cells.values())), ClaimRow)


FEN = st.integers(0, 10**9)
RIGHT = {
    "setl_id": "S1",
    "psn_no": "P1",
    "insutype": "310",
    "fixmedins_code": "H33060400001",
    "med_type": "21",
    "clr_type": "21",
    "setl_time": "2023-10-05 12:30:00",
    "medfee_sumamt": "10.00",
    "fund_pay_sumamt": "7.00",
    "acct_pay": "2.00",
    "psn_cash_pay": "1.00",
}


@examples(100)
@given(parts=st.lists(FEN, min_size=8, max_size=8), acct=FEN, cash=FEN, hosp=FEN, off=FEN)
def test_a_row_passes_exactly_when_its_sums_hold(parts, acct, cash, hosp, off):
    context = CheckContext(
        area="330604", today=dt.date(2023, 11, 15), funds=frozenset(), accounts={}
    )
    fund = sum(parts)
    cells = {
        **RIGHT,
        "medfee_sumamt": format_yuan(fund + acct + cash + hosp + off),
        "fund_pay_sumamt": format_yuan(fund),
        "acct_pay": format_yuan(acct),
        "psn_cash_pay": format_yuan(cash, grouped=False),
        "hosp_part_amt": format_yuan(hosp),
        **{key: format_yuan(fen) for key, fen in zip(FUND_PARTS, parts, strict=True)},
    }
    found = check_claim(cells, line=2, context=context)
    if off:
        assert [wrong.code for wrong in found] == ["amounts_do_not_add_up"]
    else:
        assert sum(found.fund_parts().values()) == found.fund_pay_sumamt == fund


ODD_CELLS = st.one_of(
    st.sampled_from(
        ["", " ", None, True, "0", "1", "-1.00", "x", "#REF!", 0.1, 3, -3, 1e20, "2023-10-05"]
    ),
    st.dates(dt.date(1980, 1, 1), dt.date(2110, 1, 1)),
    st.floats(),
    st.text(max_size=8),
)


@examples(100)
@given(changes=st.dictionaries(st.sampled_from([c.key for c in CLAIMS]), ODD_CELLS, max_size=6))
def test_no_row_is_lost_between_accepted_and_rejected(changes):
    context = CheckContext(
        area="330604", today=dt.date(2023, 11, 15), funds=frozenset(), accounts={}
    )
    cells = {**RIGHT, **changes}
    found = check_claim(cells, line=2, context=context)
    assert isinstance(found, ClaimRow) or found
    if not isinstance(found, ClaimRow):
        assert all(wrong.message("zh") and wrong.message("en") for wrong in found)
