"""异地清分对账: an allocation against our own settlements, one to one, in both roles, on both stores."""

import csv

import pytest
from support.office import CLERK, H1, REVIEWER, open_office

from ledger.domain.identity import reconciliation_stream
from ledger.events.remote import RemoteReconciled

ABROAD = "H31010400009"
#: What does not depend on the store is asked of one.
ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
#: What the counter settled: S2 is of April, S5 was refunded in March, S6 is ours alone, S7 local.
CLAIMS = [
    ("S1", "2024-03-05", ABROAD, "330604", "310104", 540_00),
    ("S2", "2024-04-01", ABROAD, "330604", "310104", 120_00),
    ("S3", "2024-03-07", H1, "310104", "330604", 280_00),
    ("S4", "2024-03-08", ABROAD, "330604", "310104", 90_00),
    ("S5", "2024-03-09", ABROAD, "330604", "310104", 70_00),
    ("S6", "2024-03-10", ABROAD, "330604", "310104", 30_00),
    ("S7", "2024-03-11", H1, "330604", "330604", 600_00),
]


def claim(setl_id, day, institution, insured, treated, fen, *, refund=False):  # noqa: PLR0917
    sign = -1 if refund else 1

    def yuan(amount):
        return f"{sign * amount / 100:.2f}"

    return {
        "setl_id": setl_id, "fixmedins_code": institution, "setl_time": f"{day} 10:00:00",
        "insuplc_admdvs": insured, "mdtrtarea_admvs": treated, "medfee_sumamt": yuan(fen + 100_00),
        "hifp_pay": yuan(fen - 10_00), "fund_pay_sumamt": yuan(fen - 10_00),
        "acct_pay": yuan(10_00), "psn_cash_pay": yuan(100_00),
        "refd_setl_flag": "1" if refund else "0",
    }  # fmt: skip


def allocated(
    setl_id, institution, treated, fen, *, insured="330604", refund=False, period="2024-03"
):
    sign = -1 if refund else 1
    return {
        "setl_sn": setl_id, "clr_ym": period, "mdtrtarea": treated, "insuplc": insured,
        "medins_no": institution, "certno": "330604199001010011",
        "medfee_sumamt": f"{sign * (fen + 100_00) / 100:.2f}",
        "optins_pay_sumamt": f"{sign * fen / 100:.2f}", "refd_setl_flag": "1" if refund else "0",
    }  # fmt: skip


ALLOCATION = [
    allocated("S1", ABROAD, "310104", 540_00),
    allocated("S3", H1, "330604", 280_01, insured="310104"),
    allocated("S5", ABROAD, "310104", 70_00),
    allocated("S5", ABROAD, "310104", 70_00, refund=True),
    allocated("S9", ABROAD, "310104", 12_00),
]


@pytest.fixture
def book(store_url, tmp_path, medfund):
    with open_office(store_url, tmp_path) as office:
        office.setup("310")
        flows = [
            {"doc_no": "QC", "date": "2024-01-01", "fund": "310.pooled", "item": "opening_balance",
             "amount": "100000.00"},
            {"doc_no": "YF", "date": "2024-01-10", "fund": "310.pooled",
             "item": "remote_prefund_out", "amount": "600.00", "counterparty": "省中心"},
        ]  # fmt: skip
        assert office.bring_flows(flows).state == "posted"
        refund = claim(*CLAIMS[4], refund=True)
        assert office.bring_claims([*(claim(*one) for one in CLAIMS), refund]).state == "posted"
        february = [allocated("S4", ABROAD, "310104", 90_00, period="2024-02")]
        for number, rows in enumerate((february, ALLOCATION)):
            outcome = office.bring(office.write_file(f"清分{number}.csv", rows))
            assert outcome.state == "posted", outcome.document()
        again = office.bring(office.write_file("再来.csv", ALLOCATION[:2]))
        assert (again.posted, again.already) == (0, 2)
    return medfund


def states(document):
    return {
        (one["setl_id"], one["refund"]): (one["role"], one["state"]) for one in document["open"]
    }


def test_every_settlement_is_matched_once_and_the_rest_has_a_state(book, store_url, tmp_path):
    words = ("reconcile", "remote", "2024-03")
    found = book(*words, "--result", tmp_path / "差异.csv", "--json").json
    assert found["summary"] == {
        "settlements": 6, "confirmed": 3, "differs": 1, "hanging": 1, "unconfirmed": 1,
    }  # fmt: skip
    assert found["confirmed_fen"] == {"remote": 540_00, "passthrough": 0}  # S5 and its refund: nil
    assert states(found) == {
        ("S3", False): ("passthrough", "differs"),
        ("S9", False): ("remote", "hanging"),
        ("S6", False): ("remote", "unconfirmed"),
    }
    with (tmp_path / "差异.csv").open(encoding="utf-8-sig") as file:
        assert sorted(row[0] for row in csv.reader(file) if row and row[0].startswith("S")) == [
            "S3", "S6", "S9",
        ]  # fmt: skip
    assert "确认 3,差异 1,挂账 1,未确认 1" in book(*words).out
    with open_office(store_url, tmp_path) as office:
        log = b"".join(row[2] for row in office.ledger.log.read_facts(after=0, until=10**6))
        assert b"330604199001010011" not in log
        office.figures(office.today)
        office.assert_sound()


def test_the_prefund_warns_from_a_share_that_is_policy(book, tmp_path):
    prefund = book("reconcile", "remote", "2024-03", "--json").json["prefund"]
    assert prefund == {
        "balance_fen": 600_00, "used_fen": 540_00, "share": "90.00", "reason": None,
        "warn_at": "90.00", "warning": True,
    }  # fmt: skip
    setup = tmp_path / "setup.toml"
    setup.write_text(
        '[area]\ncode = "330604"\nname = "上虞区"\nfunds = ["310"]\n[[policies]]\n'
        'name = "remote_prefund"\neffective = 2024-01-01\ncontent = { warn_at = "95%" }\n',
        encoding="utf-8",
    )
    assert book("setup", setup, user="admin1").code == 0
    assert book("reconcile", "remote", "2024-03", "--json").json["prefund"]["warning"] is False


def test_a_result_is_recorded_once(book, store_url, tmp_path):
    words = ("reconcile", "remote", "2024-03", "--record", "--json")
    assert book(*words).code == 3
    first = book(*words, user=CLERK).json["recorded"]
    assert first["repeated"] is False
    assert book(*words, user=CLERK).json["recorded"] == {**first, "repeated": True}
    with open_office(store_url, tmp_path) as office:
        [(_, item)] = office.ledger.history(reconciliation_stream("330604", "remote", "2024-03"))
        assert isinstance(item.fact, RemoteReconciled)
        assert (item.fact.confirmed, len(item.fact.open)) == (3, 3)


@pytest.fixture
def listed(book):
    """List the breaks by settlement."""

    def listed(*words):
        rows = book("reconcile", "breaks", *words, "--json").json["breaks"]
        return {row["subject"].split()[0]: row for row in rows}

    return listed


def record(book, period="2024-03"):
    return book("reconcile", "remote", period, "--record", "--json", user=CLERK).json


@ON_SQLITE
def test_what_is_not_confirmed_is_a_break_with_age_and_owner(book, listed):
    recorded = record(book)
    found = listed("--open")
    assert {key: (row["subject"], row["fen"]) for key, row in found.items()} == {
        "S3": ("S3 差异", -1),
        "S6": ("S6 未确认", 30_00),
        "S9": ("S9 挂账", -12_00),
    }
    assert {row["owner"] for row in found.values()} == {CLERK}
    assert {row["days"] for row in found.values()} == {found["S3"]["days"]} != {None}
    assert {one["setl_id"]: one["break"] for one in recorded["open"]} == {
        key: row["id"] for key, row in found.items()
    }


@ON_SQLITE
def test_breaks_across_areas_are_resolved_as_others_are(book, listed):
    record(book)
    found = listed()

    def resolve(setl_id, way, *words):
        number = found[setl_id]["id"]
        how = ("--way", way, "--reason", "经核对", "--json")
        return book("reconcile", "resolve", number, *how, *words, user=CLERK).json

    assert resolve("S9", "carry")["state"] == "carried"
    assert resolve("S6", "ours", "--owner", "上海市")["state"] == "resolved"
    assert resolve("S3", "corrected", "--document", "GZ01")["state"] == "waiting"
    own = book("approve", found["S3"]["id"], "--json", user=CLERK)
    assert own.code == 3
    assert book("approve", found["S3"]["id"], "--json", user=REVIEWER).json["state"] == "resolved"
    assert set(listed("--open")) == {"S9"}
    now = book("reconcile", "remote", "2024-03", "--json").json["open"]
    assert {one["setl_id"]: (one["state"], one["break_state"], one["owner"]) for one in now} == {
        "S3": ("differs", "resolved", CLERK),
        "S6": ("unconfirmed", "resolved", "上海市"),
        "S9": ("hanging", "carried", CLERK),
    }
    record(book)
    assert set(listed("--open")) == {"S9"}, "shown again, it stays resolved"


@ON_SQLITE
def test_what_a_later_month_allocates_is_unconfirmed_no_more(book, listed, store_url, tmp_path):
    """S6 of March comes with April's allocation, of another amount: April's result speaks of it."""
    record(book)
    number = listed()["S6"]["id"]
    april = [allocated("S6", ABROAD, "310104", 31_00, period="2024-04")]
    with open_office(store_url, tmp_path) as office:
        assert office.bring(office.write_file("清分4.csv", april)).state == "posted"
    assert set(listed("--open")) == {"S3", "S9"}
    assert ("S6", False) not in states(record(book)), "nor is it in March, recorded anew"
    record(book, "2024-04")
    later = listed("--open")["S6"]
    assert (later["id"], later["period"], later["fen"]) == (number, "2024-04", -1_00)
    corrected = [allocated("S6", ABROAD, "310104", 30_00, period="2024-04")]
    with open_office(store_url, tmp_path) as office:
        assert office.bring(office.write_file("清分4b.csv", corrected)).state == "posted"
    record(book, "2024-04")
    assert "S6" not in listed()


def test_a_month_without_an_allocation_says_so(book):
    answer = book("reconcile", "remote", "2024-04", "--json").json
    assert (answer["received"], answer["summary"]["unconfirmed"]) == (False, 1)
    assert "还没有导入" in book("reconcile", "remote", "2024-04").out


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"mdtrtarea": "31010"}, "mdtrtarea", "malformed_area"),
        ({"medins_no": "H1"}, "medins_no", "malformed_institution"),
        ({"insuplc": "320500"}, "insuplc", "not_of_this_area"),
        ({"optins_pay_sumamt": "-1.00"}, "optins_pay_sumamt", "wrong_sign"),
        ({"clr_ym": "2024-08"}, "clr_ym", "date_in_future"),
    ],
)
def test_wrong_rows_are_rejected_with_their_reason(store_url, tmp_path, change, field, code):
    with open_office(store_url, tmp_path) as office:
        office.setup("310")
        wrong = allocated("S1", ABROAD, "310104", 540_00) | change
        outcome = office.bring(office.write_file("清分.csv", [wrong]), kind="remote_allocations")
    assert [(one.field, one.code) for one in outcome.rejections] == [(field, code)]
