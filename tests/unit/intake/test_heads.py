"""What a file is, by its head."""

import pytest

from settlement.intake.columns import CLAIMS, FUND_FLOWS, KINDS
from settlement.intake.heads import HeadSearch, head_word, repeats_head
from settlement.intake.rejections import FileRefused

FLOWS_ZH = ["单据号", "入账日期", "统筹区", "险种", "项目", "金额"]


def find(*rows, kind=None):
    search = HeadSearch(kind)
    for line, row in enumerate(rows, start=1):
        head = search.look(row, line)
        if head:
            return head
    raise search.refusal()


def problems(*rows, kind=None):
    with pytest.raises(FileRefused) as refused:
        find(*rows, kind=kind)
    return [(problem.code, dict(problem.facts)) for problem in refused.value.problems]


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("language", ["key", "zh"])
def test_every_column_is_known_in_both_languages(kind, language):
    row = [getattr(column, language) for column in kind]
    head = find(row)
    assert head.kind is kind
    assert head.columns == {column.key: index for index, column in enumerate(kind)}
    assert head.notices == ()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_alias_is_known_and_names_one_column(kind):
    for column in kind:
        for alias in column.aliases:
            row = [other.key if other is not column else alias for other in kind]
            assert find(row).columns[column.key] == row.index(alias)


@pytest.mark.parametrize(
    "written",
    [
        "金额*",
        "＊金额",
        " 金 额 ",
        "金额(元)",
        "金额（元）",
        "金额/元",
        "金额（必填）",
        "AMOUNT",
        "Ａｍｏｕｎｔ",
    ],
)
def test_width_spaces_case_stars_and_yuan_do_not_matter(written):
    head = find([*FLOWS_ZH[:-1], written])
    assert head.columns["amount"] == 5
    assert head.in_wan == frozenset()


@pytest.mark.parametrize(
    "written",
    ["金额(万元)", "金额（万元）", "金额/万元", "金额万元", "amount(万元)", "金额(单位：万元)"],
)
def test_an_amount_in_wan_yuan_needs_that_head(written):
    assert find([*FLOWS_ZH[:-1], written]).in_wan == {"amount"}


@pytest.mark.parametrize("written", ["金额(千元)", "金额(亿元)", "金额(美元)"])
def test_other_units_are_no_amount_column(written):
    codes = problems([*FLOWS_ZH[:-1], written])
    assert codes[0] == ("missing_column", {"kind": "fund_flows", "missing": ("amount",)})
    assert codes[1] == ("unknown_column", {"heads": (written,)})


@pytest.mark.parametrize("title", ["单位：万元", "金额单位:千元", "2023年收支表（万元）"])
def test_a_unit_in_the_title_without_one_in_the_head_is_refused(title):
    codes = problems([title], FLOWS_ZH)
    assert codes == [("unit_in_title", {"line": 1, "title": title})]
    assert find([title], [*FLOWS_ZH[:-1], "金额(万元)"]).line == 2


def test_a_title_in_yuan_is_no_obstacle():
    assert find(["基金收支流水"], ["单位：元"], [], FLOWS_ZH).line == 4


def test_columns_may_stand_in_any_order():
    row = list(reversed(FLOWS_ZH))
    assert find(row).columns["doc_no"] == 5


def test_unknown_columns_are_a_notice_and_our_own_are_silent():
    head = find([*FLOWS_ZH, "经办人", "行号", "错误", "errors", "line", ""])
    assert [(notice.code, notice.facts["heads"]) for notice in head.notices] == [
        ("unknown_column", ("经办人",))
    ]
    assert head.unnamed == (11,)


def test_missing_columns_are_named_all_at_once():
    codes = problems(["单据号", "入账日期", "险种", "备注"])
    assert codes == [
        ("missing_column", {"kind": "fund_flows", "missing": ("area", "item", "amount")})
    ]


def test_a_column_twice_is_refused_with_both_heads():
    codes = problems([*FLOWS_ZH, "amount", "日期"])
    assert codes == [
        (
            "duplicate_column",
            {"kind": "fund_flows", "column": "date", "heads": ("入账日期", "日期")},
        ),
        (
            "duplicate_column",
            {"kind": "fund_flows", "column": "amount", "heads": ("金额", "amount")},
        ),
    ]


def test_inscp_amt_is_inscp_scp_amt():
    row = [column.key for column in CLAIMS if column.key != "inscp_scp_amt"]
    assert find([*row, "inscp_amt"]).columns["inscp_scp_amt"] == len(row)
    codes = problems([*row, "inscp_amt", "inscp_scp_amt"])
    assert codes[0][0] == "duplicate_column"


def test_a_file_of_another_kind_names_the_closest():
    code, facts = problems(["姓名", "险种类型", "缴费月数"], ["张三", "310", "12"])[0]
    assert code == "unknown_kind"
    assert facts["missing"]
    assert facts["kind"] in KINDS


def test_rows_without_any_known_head_are_of_no_kind():
    assert problems(["甲", "乙"], [1, 2])[0][0] == "unknown_kind"
    assert problems()[0][0] == "unknown_kind"


def test_the_kind_can_be_forced():
    assert problems(["单据号"], kind="fund_flows")[0][0] == "missing_column"
    assert problems(FLOWS_ZH, kind="claims")[0][0] == "missing_column"
    assert find(FLOWS_ZH, kind="fund_flows").kind is FUND_FLOWS


def test_too_many_columns_are_refused():
    assert problems([*FLOWS_ZH, *(f"x{n}" for n in range(1000))])[0] == (
        "too_many_columns",
        {"columns": 1006, "limit": 1000},
    )
    assert find([*FLOWS_ZH, *[""] * 2000]).kind is FUND_FLOWS


def test_a_second_head_in_the_other_language_is_recognised():
    head = find(FLOWS_ZH)
    assert repeats_head(["doc_no", "date", "area", "fund", "item", "amount"], head)
    assert not repeats_head(["doc_no", "date", "area", "fund", "item", "12.00"], head)
    assert not repeats_head(["doc_no"], head)


def test_heads_that_are_numbers_or_dates_are_read_as_text():
    assert head_word(2023.0) == "2023.0"
    assert find([*FLOWS_ZH, 2023.0, None]).names[-2:] == ("2023.0", "")
