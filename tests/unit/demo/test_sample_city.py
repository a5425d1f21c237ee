"""The sample city's files: what they say when read without the product."""

import csv
import tomllib
from collections import Counter
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from medfund.demo.city import GROUPS, HOSPITALS
from medfund.demo.year import SampleYear, write_sample_year
from settlement.clearing.policies.file import read_policy
from settlement.setup_file import read_setup

CLAIMS = 3_000
AMOUNTS = ("medfee_sumamt", "hifp_pay", "fund_pay_sumamt", "acct_pay", "psn_cash_pay")


def made(folder: Path, seed: int = 5) -> SampleYear:
    return write_sample_year(folder, seed=seed, claims=CLAIMS, progress=lambda *_: None)


@pytest.fixture(scope="module")
def year(tmp_path_factory) -> SampleYear:
    return made(tmp_path_factory.mktemp("year"))


@pytest.fixture(scope="module")
def rows(year) -> list[dict[str, str]]:
    return [
        row
        for path in year.claims_files
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    ]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(year, tmp_path):
    first = digests(year.setup.parent)
    made(tmp_path)
    assert digests(tmp_path) == first
    made(tmp_path, seed=6)
    other = digests(tmp_path)
    assert other["setup.toml"] == first["setup.toml"]
    assert [
        name for name in first if name.startswith("claims") and other[name] == first[name]
    ] == []


def test_files_that_are_there_are_kept_and_half_written_ones_are_not(tmp_path):
    year = made(tmp_path)
    december = year.claims_files[11]
    whole = december.read_bytes()
    december.write_bytes(b"kept")
    made(tmp_path)
    assert december.read_bytes() == b"kept"
    (tmp_path / "made.json").unlink()
    made(tmp_path)
    assert december.read_bytes() == whole


def test_the_city_is_as_large_as_it_is_said_to_be(year, rows):
    assert len(rows) == CLAIMS
    assert len({group.code for group in GROUPS}) == 300
    assert len({one.code for one in HOSPITALS}) == len({one.name for one in HOSPITALS}) == 200
    setup = read_setup(year.setup)
    assert len(setup.institutions) == 200
    assert {row["fixmedins_code"] for row in rows} <= {one.code for one in HOSPITALS}


def test_who_pays_what_adds_up_in_every_row(rows):
    for row in rows:
        fee, pooled, fund, account, cash = (Decimal(row[name]) for name in AMOUNTS)
        assert fee == fund + account + cash
        assert fund == pooled
        assert row["insutype"] == "310" or account == 0
        assert (min(fee, pooled, account, cash) >= 0) == (row["refd_setl_flag"] == "0")


def test_a_refund_mirrors_its_settlement(rows):
    settled = {row["setl_id"]: row for row in rows if row["refd_setl_flag"] == "0"}
    refunds = [row for row in rows if row["refd_setl_flag"] == "1"]
    assert len(settled) + len(refunds) == CLAIMS
    assert refunds
    for row in refunds:
        original = settled[row["setl_id"]]
        assert [-Decimal(row[name]) for name in AMOUNTS] == [
            Decimal(original[name]) for name in AMOUNTS
        ]


def test_the_budget_is_97_of_100_of_what_the_cases_of_points_were_charged(year, rows):
    wards = {one.code for one in HOSPITALS if one.by_day}
    charged: Counter[str] = Counter()
    for row in rows:
        if row["clr_type"] == "21" and row["fixmedins_code"] not in wards:
            charged[row["insutype"]] += Decimal(row["hifp_pay"])
    for path, insutype in zip(year.policies, ("310", "390"), strict=True):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        budget = Decimal(content["budget"]["year"]) * 95 / 100
        assert abs(budget - charged[insutype] * 97 / 100) <= 1_000
        assert read_policy(path)["methods"]


def test_costs_reach_beyond_both_edges_and_some_cases_have_no_group(rows):
    average = {group.code: group.average_fen for group in GROUPS}
    cases = [row for row in rows if row["dise_code"] and row["refd_setl_flag"] == "0"]
    ratios = [
        Decimal(row["medfee_sumamt"]) * 100 / average[row["dise_code"]]
        for row in cases
        if row["dise_code"] in average
    ]
    assert min(ratios) < Decimal("0.5") < 2 < max(ratios)
    assert 0 < len(cases) - len(ratios) < len(cases) / 100
