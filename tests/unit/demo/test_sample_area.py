"""The sample area's files: what they say when read without the product."""

import tomllib
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from support.plain_reading import Totals, month_of, read_claims, read_rows, yuan

from medfund.demo import SampleArea, write_sample_area

SEEDS = (1, 7, 2023)
POOLED, EMPLOYEE, RESIDENT = ("310.pooled",), ("310.pooled", "310.personal"), ("390",)
PARTS = ("hifp_pay", "cvlserv_pay", "hifmi_pay", "hifob_pay", "maf_pay")
IN_FUND = dict(zip(PARTS, ("", "320", "392", "330", "610"), strict=True))


@pytest.fixture(scope="module", params=SEEDS)
def area(request, tmp_path_factory) -> SampleArea:
    folder = tmp_path_factory.mktemp("area")
    return write_sample_area(folder, seed=request.param, claims=6_000)


@pytest.fixture(scope="module")
def rows(area) -> list[dict[str, str]]:
    return [row for path in area.flow_files for row in read_rows(path)]


@pytest.fixture(scope="module")
def claims(area) -> list[dict[str, str]]:
    return [row for path in area.claims_files for row in read_claims(path)]


def two_decimals(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def totals(rows) -> Totals:
    added = Totals()
    for row in rows:
        added.add(row)
    return added


@pytest.mark.parametrize(("funds", "growth"), [(EMPLOYEE, "6.85"), (RESIDENT, "5.95")])
def test_expenditure_grew_as_published(rows, funds, growth):
    added = totals(rows)
    now = added.spent(funds, "2023-01", "2023-10")
    before = added.spent(funds, "2022-01", "2022-10")
    assert two_decimals((now / before - 1) * 100) == growth


@pytest.mark.parametrize(("funds", "months"), [(POOLED, "28.50"), (RESIDENT, "5.45")])
def test_what_is_left_pays_for_the_published_months(rows, funds, months):
    added = totals(rows)
    month_average = added.spent(funds, "2022-11", "2023-10") / 12
    assert two_decimals(added.accumulated(funds[0]) / month_average) == months


def test_assisted_participation_is_paid_for_12270_persons(rows):
    batches = [row for row in rows if row["item"] == "assisted_participation"]
    persons = [int(row["note"].removeprefix("资助参保").partition("人")[0]) for row in batches]
    assert sum(persons) == 12_270
    assert sum(yuan(row["amount"]) for row in batches) == Decimal("7177950.00")
    assert {(row["fund"], row["counterparty_fund"]) for row in batches} == {("610", "390")}


def test_recoveries_and_fines_add_up_to_the_reported_sum(rows):
    this_year = [row for row in rows if "2023-01" <= month_of(row) <= "2023-10"]
    sums = Counter()
    for row in this_year:
        if row["item"] in {"recovery", "fine_received"}:
            sums[row["item"], row["note"][:4]] += yuan(row["amount"])
    assert sum(sums.values()) == Decimal("8239100.00")
    assert sums["recovery", "自查自纠"] == Decimal("860400.00")
    assert sums["fine_received", "行政处罚"] == Decimal("774900.00")


def test_no_money_account_ever_goes_below_nil(rows):
    left = Counter()
    for row in sorted(rows, key=lambda row: (month_of(row), int(_day(row)))):
        for fund, account, amount in _moved(row):
            left[fund, account] += amount
            assert left[fund, account] >= 0, (row["doc_no"], fund, account)


def _day(row) -> str:
    return row["date"].replace("/", "-").split("-")[-1][-2:]


def _moved(row):
    fund, item, amount = row["fund"], row["item"], yuan(row["amount"])
    if item.startswith("move."):
        source, _, target = item.removeprefix("move.").replace("_interest", "").partition("_to_")
        return [(fund, source, -amount), (fund, target, amount)]
    if item in {"fine_received", "prepayment_offset", "reclassification", "suspense_settle"}:
        return []
    if row["account"] or row["method"] == "offset":
        return []
    out = item.startswith(("benefit.", "remote_prefund_out", "remote_clearing", "remote_paid"))
    out = out or item in {
        "contribution.refund",
        "transfer_out",
        "other_expense",
        "remit_up",
        "catastrophic_premium",
        "prepayment",
        "suspense_out",
        "deposit_in",
        "assisted_participation",
        "personal_credit",
    }
    spent = out and not item.startswith(("remote", "suspense", "deposit", "personal_credit"))
    place = row["money_account"] or ("expenditure" if spent and fund != "610" else "fiscal")
    moved = [(fund, place, -amount if out else amount)]
    receiver = row["counterparty_fund"]
    return [*moved, (receiver, "fiscal", amount)] if receiver else moved


def test_each_document_number_is_used_once_but_for_the_pair_of_a_reclassification(rows):
    numbers = Counter(row["doc_no"] for row in rows)
    twice = {number for number, times in numbers.items() if times > 1}
    assert twice == {row["doc_no"] for row in rows if row["item"] == "reclassification"}


def test_flows_cover_25_months_and_the_day_before_them(area, rows):
    months = sorted({month_of(row) for row in rows})
    assert months[0] == "2021-09"
    assert months[-1] == "2023-10"
    assert len(months) == len(area.flow_files) == 26
    assert {row["item"] for row in rows if month_of(row) == "2021-09"} == {"opening_balance"}
    assert len({row["item"] for row in rows}) >= 40
    assert area.flows == len(rows)


def test_every_settlement_adds_up(claims):
    for row in claims:
        fee, fund, account, cash, hospital = (
            yuan(row[name])
            for name in (
                "medfee_sumamt",
                "fund_pay_sumamt",
                "acct_pay",
                "psn_cash_pay",
                "hosp_part_amt",
            )
        )
        assert fee == fund + account + cash + hospital, row["setl_id"]
        assert fund == sum(yuan(row[part]) for part in PARTS), row["setl_id"]
        scope = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
        assert fee == sum(yuan(row[name]) for name in scope), row["setl_id"]
        negative = [name for name in row if row[name].startswith("-")]
        assert bool(negative) == (row["refd_setl_flag"] == "1"), row["setl_id"]


def test_every_refund_mirrors_an_earlier_settlement_once(area, claims):
    settled = {row["setl_id"]: row for row in claims if row["refd_setl_flag"] == "0"}
    refunds = [row for row in claims if row["refd_setl_flag"] == "1"]
    assert len(refunds) == area.refunds == 60
    assert len({row["setl_id"] for row in refunds}) == len(refunds)
    assert len(settled) + len(refunds) == len(claims) == area.claims
    for refund in refunds:
        original = settled[refund["setl_id"]]
        assert original["setl_time"] <= refund["setl_time"]
        for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", *PARTS):
            assert yuan(refund[name]) == -yuan(original[name])
        assert all(refund[name] == original[name] for name in ("psn_no", "fixmedins_code"))


def test_settlements_use_every_way_of_paying(claims):
    assert {row["insutype"] for row in claims} == {"310", "390"}
    assert {row["clr_type"] for row in claims} == {"11", "21", "41"}
    assert {row["setl_time"][:7] for row in claims} == {"2023-08", "2023-09", "2023-10"}
    for part in (*PARTS, "acct_pay", "hosp_part_amt", "acct_mulaid_pay"):
        assert any(yuan(row[part]) > 0 for row in claims), part
    for row in claims:
        assert row["fixmedins_code"][0] == ("P" if row["clr_type"] == "41" else "H")
        assert all(len(row[name]) <= 30 for name in ("setl_id", "mdtrt_id", "psn_no"))


def test_institutions_are_paid_for_the_month_before_and_never_more(rows, claims):
    owed, paid = defaultdict(Decimal), defaultdict(Decimal)
    for row in claims:
        month, basic = row["setl_time"][:7], "390" if row["insutype"] == "390" else "310.pooled"
        for part, fund in IN_FUND.items():
            owed[month, fund or basic, row["fixmedins_code"]] += yuan(row[part])
        owed[month, "310.personal", row["fixmedins_code"]] += yuan(row["acct_pay"])
    for row in rows:
        pays = row["item"].startswith("benefit.") or row["item"] == "prepayment_offset"
        pays = pays or row["method"] == "offset"
        if pays and row["counterparty"][:1] in {"H", "P"}:
            month = row["belongs_to"] or "2023-09"
            paid[month, row["fund"], row["counterparty"]] += yuan(row["amount"])
    assert {month for month, _, _ in paid} == {"2023-08", "2023-09"}
    for key, amount in paid.items():
        assert 0 < amount <= owed[key], key


def test_the_setup_names_what_the_files_use(area, rows, claims):
    setup = tomllib.loads(area.setup.read_text(encoding="utf-8"))
    assert setup["area"]["code"] == "330604"
    assert {row["fund"].partition(".")[0] for row in rows} == set(setup["area"]["funds"])
    roles = {user["name"]: user["roles"] for user in setup["users"]}
    assert roles == {
        "clerk1": ["clerk"],
        "reviewer1": ["reviewer"],
        "auditor1": ["auditor"],
        "admin1": ["administrator"],
    }
    known = {one["code"] for one in setup["institutions"]}
    assert len(known) == 40
    assert {row["fixmedins_code"] for row in claims} <= known


def test_a_seed_gives_the_same_bytes_and_another_seed_other_rows(tmp_path):
    first = write_sample_area(tmp_path / "a", seed=5, claims=300)
    again = write_sample_area(tmp_path / "b", seed=5, claims=300)
    other = write_sample_area(tmp_path / "c", seed=6, claims=300)
    assert contents(first.folder) == contents(again.folder)
    changed, unchanged = contents(other.folder), contents(first.folder)
    same = {name for name, content in changed.items() if unchanged[name] == content}
    assert same == {"setup.toml"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
