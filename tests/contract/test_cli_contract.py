"""The outside of the command line: exit codes, one JSON document, its keys, what refusals say.

Written against the description of the outside, on both stores, through the terminal door.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390", "610"]
[[users]]
name = "clerk1"
roles = ["clerk"]
[[users]]
name = "both1"
roles = ["clerk", "reviewer"]
[[users]]
name = "reviewer1"
roles = ["reviewer"]
[[users]]
name = "admin1"
roles = ["administrator"]
[[institutions]]
code = "H33060400001"
name = "第一人民医院"
level = 3
"""
HEAD = "doc_no,date,area,fund,item,amount,counterparty,note\n"
FLOWS = (
    "A1,2023-01-01,330604,390,opening_balance,1000.00,,\n"
    "A2,2023-01-05,330604,390,contribution.individual,500.00,,\n"
    "A3,2023-02-06,330604,390,benefit.inpatient,100.00,H33060400001,\n"
)
CLAIMS = (
    "setl_id,psn_no,insutype,fixmedins_code,med_type,clr_type,setl_time,medfee_sumamt,"
    "fund_pay_sumamt,acct_pay,psn_cash_pay\n"
    "S1,P1,390,H33060400001,21,21,2023-01-03 10:00:00,100,80,5,15\n"
)


class Site:
    """A founded book, its folder and its door."""

    def __init__(self, medfund: Any, folder: Path, url: str) -> None:
        self.medfund = medfund
        self.folder = folder
        self.url = url
        self.file("setup.toml", SETUP)
        assert medfund("setup", self.folder / "setup.toml", user="admin1").code == 0

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def intake(self, text: str, *words: str, name: str = "flows.csv", code: int = 0) -> Any:
        answer = self.medfund("--json", "intake", self.file(name, text), *words, user="clerk1")
        assert answer.code == code, answer.out
        return answer.json["files"][0]


@pytest.fixture
def site(medfund, tmp_path, store_url) -> Site:
    return Site(medfund, tmp_path, store_url)


REFUSALS = [
    # user, words, exit code, error code
    (None, ("intake", "flows.csv"), 3, "nobody_named"),
    (None, ("close", "2023-01", "--fund", "390"), 3, "nobody_named"),
    ("nobody", ("intake", "flows.csv"), 3, "unknown_user"),
    ("reviewer1", ("intake", "flows.csv"), 3, "role_missing"),
    ("clerk1", ("setup", "setup.toml"), 3, "role_missing"),
    ("clerk1", ("close", "2023-02", "--fund", "390"), 3, "earlier_month_open"),
    ("clerk1", ("close", "2023-01", "--fund", "310.pooled"), 3, "fund_not_closable"),
    ("clerk1", ("reopen", "2023-01", "--fund", "390", "--reason", "x"), 3, "month_not_sealed"),
    ("reviewer1", ("approve", "no-such-run"), 2, "unknown_run"),
    ("clerk1", ("reverse", "ZZZ"), 2, "nothing_to_reverse"),
    (None, ("trace", "ZZZ"), 2, "nothing_found"),
    (None, ("balances", "--fund", "999"), 2, "fund_unknown"),
    (None, ("balances", "--area", "123456"), 3, "area_unknown"),
    (None, ("balances", "--known-at", "soon"), 2, "known_at_unreadable"),
    (None, ("balances", "--known-at", "9999"), 2, "position_beyond_log"),
    (None, ("verify", "--anchor", "setup.toml"), 2, "anchor_unreadable"),
    (None, ("intake", "show", "I0"), 2, "intake_unknown"),
    (None, (), 64, "usage"),
    (None, ("no-such-command",), 64, "usage"),
    (None, ("balances", "--no-such-option"), 64, "usage"),
    (None, ("balances", "--as-of", "2023-02-30"), 64, "usage"),
    (None, ("indicators", "2023-13"), 64, "usage"),
    (None, ("indicators",), 64, "usage"),
    (None, ("close", "2023-01"), 64, "usage"),
    ("reviewer1", ("reject", "any"), 64, "usage"),
]


def test_every_refusal_has_its_exit_code_and_one_document(site, monkeypatch):
    monkeypatch.chdir(site.folder)
    site.intake(HEAD + FLOWS)
    for user, words, code, error in REFUSALS:
        answer = site.medfund("--json", *words, user=user)
        assert (answer.code, answer.json["error"]["code"]) == (code, error), words
        assert {"code", "family", "message", "facts"} == answer.json["error"].keys()
        assert isinstance(answer.json["error"]["facts"], dict)


SAYINGS = [
    (
        None,
        ("intake", "flows.csv"),
        "[nobody_named] 写入操作须用 --as 指明操作人。 例如:medfund --as clerk1 …",
        "[nobody_named] Writing needs to know who does it (--as USER). For example: medfund --as clerk1 …",
    ),
    (
        "nobody",
        ("intake", "flows.csv"),
        "[unknown_user] 账簿中没有用户 nobody。 请由管理员在 setup 文件中登记该用户。",
        "[unknown_user] The book knows no user nobody. Have an administrator enrol the user in the setup file.",
    ),
    (
        "reviewer1",
        ("intake", "flows.csv"),
        "[role_missing] 用户 reviewer1 没有执行“intake”的岗位权限,需要:clerk。 请由具备该岗位的人员操作。",
        "[role_missing] User reviewer1 may not intake; one of these roles is needed: clerk. Let somebody with that role do it.",
    ),
    (
        "clerk1",
        ("close", "2023-02", "--fund", "390"),
        "[earlier_month_open] 险种 390 须按月顺序月结:应先结 2023-01,不能直接结 2023-02。 请先执行 close 2023-01 --fund 390。",
        (
            "[earlier_month_open] Fund 390 closes its months in order: 2023-01 comes before 2023-02."
            " Run close 2023-01 --fund 390 first."
        ),
    ),
    (
        "both1",
        ("approve", "330604-390-2023-01-1"),
        "[same_person] both1 是 330604-390-2023-01-1 的经办人,不能复核自己的月结。 请由另一名复核人员处理。",
        "[same_person] both1 prepared 330604-390-2023-01-1 and cannot approve it. Let another reviewer decide.",
    ),
]


def test_refusals_speak_chinese_and_english(site, monkeypatch):
    monkeypatch.chdir(site.folder)
    site.intake(HEAD + FLOWS)
    closing = site.medfund("--json", "close", "2023-01", "--fund", "390", user="both1")
    assert closing.json["run"] == "330604-390-2023-01-1"
    for user, words, chinese, english in SAYINGS:
        for language, said in (("zh", chinese), ("en", english)):
            answer = site.medfund("--lang", language, *words, user=user)
            assert answer.code == 3
            assert answer.out == ""
            assert answer.err.strip() == said


ROW_REJECTED = ["line", "field", "code", "value", "message"]


def test_intake_answers_for_each_file(site):
    first = site.intake(HEAD + FLOWS)
    assert {
        *("file", "sha256", "kind", "accepted", "rejected", "posted", "already", "duplicate"),
        *("rejections", "problems"),
    } <= first.keys()
    assert (first["kind"], first["accepted"], first["posted"]) == ("fund_flows", 3, 3)
    again = site.intake(HEAD + FLOWS)
    assert (again["duplicate"], again["posted"], again["already"]) == (True, 0, 3)
    grown = site.intake(HEAD + FLOWS + "A4,2023-02-07,330604,390,interest,1,,\n")
    assert (grown["duplicate"], grown["posted"], grown["already"]) == (False, 1, 3)
    other = site.intake(HEAD + "A4,2023-02-07,330604,390,interest,2,,\n", code=2)
    assert [(one["line"], one["field"], one["code"]) for one in other["rejections"]] == [
        (2, "doc_no", "doc_no_conflict")
    ]
    assert [*other["rejections"][0]] == ROW_REJECTED


def test_rejected_rows_are_corrected_and_brought_in_again(site):
    bad = (
        HEAD
        + FLOWS
        + "B1,2023-13-01,330604,390,interest,1,,\nB2,2023-02-01,330604,390,interest,x,,\n"
    )
    refused = site.intake(bad, code=2)
    assert (refused["accepted"], refused["rejected"], refused["posted"]) == (3, 2, 0)
    assert [(one["line"], one["field"], one["value"]) for one in refused["rejections"]] == [
        (5, "date", "2023-13-01"),
        (6, "amount", "x"),
    ]
    assert site.medfund("--json", "balances").json["balances"] == []
    partly = site.intake(bad, "--partial", code=2)
    assert (partly["posted"], partly["rejected"]) == (3, 2)
    rejects = Path(partly["rejects_file"]).read_text(encoding="utf-8-sig")
    mended = rejects.replace("2023-13-01", "2023-02-01").replace(",x,", ",2.50,")
    assert site.intake(mended, name="mended.csv")["posted"] == 2
    assert site.intake(mended, name="mended.csv")["duplicate"]


def test_a_cut_file_is_known_by_its_control_total(site):
    total = "合计,,,,,1600.00,,3\n"
    cut = HEAD + FLOWS.splitlines(keepends=True)[0] + total
    said = site.intake(cut, code=2)
    assert said["posted"] == 0
    assert {one["code"] for one in said["problems"]} == {"control_total_mismatch"}
    assert site.intake(HEAD + FLOWS + total)["posted"] == 3


def test_documents_have_the_agreed_keys(site):
    site.intake(HEAD + FLOWS)
    site.intake(CLAIMS, name="claims.csv")
    balances = site.medfund("--json", "balances", "--as-of", "2023-02").json
    assert {"position", "as_of", "known_at", "balances", "funds"} <= balances.keys()
    assert {
        *("area", "fund", "book", "account", "account_name", "debit_fen", "credit_fen"),
        "balance_fen",
    } <= balances["balances"][0].keys()
    assert [row["fund"] for row in balances["funds"]] == [
        *("310", "310.pooled", "310.personal", "390", "610")
    ]
    residents = next(row for row in balances["funds"] if row["fund"] == "390")
    assert residents == {
        "area": "330604",
        "fund": "390",
        "income_fen": 500_00,
        "expense_fen": 100_00,
        "surplus_fen": 400_00,
        "accumulated_fen": 1400_00,
        "income_subtotal_fen": 500_00,
        "expense_subtotal_fen": 100_00,
    }
    indicators = site.medfund("--json", "indicators", "2023-02").json
    assert {"period", "position", "indicators"} <= indicators.keys()
    for one in indicators["indicators"]:
        assert {
            *("area", "fund", "name", "value", "unit", "definition", "inputs", "target", "status")
        } <= one.keys()
        assert one["value"] is not None or one["reason"]
    assert {one["fund"] for one in indicators["indicators"]} >= {"310", "390", "610", "basic"}
    verified = site.medfund("--json", "verify").json
    assert {"ok", "events", "seals", "first_bad_position", "findings"} <= verified.keys()
    compared = site.medfund("--json", "replay", "--compare").json
    assert {"position", "equal", "differences"} <= compared.keys()


def test_global_words_stand_before_or_after_the_command(site):
    before = site.medfund("--json", "--lang", "en", "balances")
    after = site.medfund("balances", "--lang", "en", "--json")
    assert before.json == after.json
    path = site.file("flows.csv", HEAD + FLOWS)
    assert site.medfund("intake", path, "--as", "clerk1", "--json").json["files"][0]["posted"] == 3


QUESTIONS = [
    ("balances",),
    ("journal",),
    ("journal", "--format", "hledger"),
    ("indicators", "2023-02"),
    ("intake", "list"),
    ("close", "list"),
    ("trace", "A2"),
    ("replay",),
    ("replay", "--until", "2023-01", "--compare"),
    ("verify",),
    ("obligations",),
    ("db", "check"),
    ("report", "statement", "2023-01"),
    ("report", "indicators", "2023-01", "--format", "csv"),
    ("rebuild",),
    ("doctor",),
]


def test_with_json_exactly_one_document_goes_to_stdout(site):
    site.intake(HEAD + FLOWS)
    for words in QUESTIONS:
        answer = site.medfund("--json", *words)
        assert answer.code == 0, (words, answer.out)
        assert isinstance(json.loads(answer.out), dict), words


def test_a_reversal_shows_where_the_rows_came_in_and_frees_the_number(site):
    came = site.intake(HEAD + FLOWS)
    assert site.medfund("reverse", "A3", user="clerk1").code == 0
    again = site.medfund("--json", "reverse", "A3", user="clerk1")
    assert (again.code, again.json["error"]["code"]) == (3, "already_reversed")
    other = HEAD + "A3,2023-02-06,330604,390,benefit.inpatient,90.00,H33060400001,\n"
    assert site.intake(other)["posted"] == 1
    assert site.medfund("reverse", "--intake", came["intake"], user="clerk1").code == 0
    listed = site.medfund("--json", "intake", "list").json["intakes"]
    assert [one["state"] for one in listed if one["intake"] == came["intake"]] == ["reversed"]
    funds = site.medfund("--json", "balances").json["funds"]
    assert next(row for row in funds if row["fund"] == "390")["accumulated_fen"] == -90_00


def test_files_are_written_where_they_are_asked_for(site):
    site.intake(HEAD + FLOWS)
    path = site.folder / "journal.hledger"
    answer = site.medfund("--json", "journal", "--format", "hledger", "-o", path)
    assert (answer.code, answer.json["file"]) == (0, str(path))
    assert "assets:390:fiscal" in path.read_text(encoding="utf-8")
    nowhere = site.folder / "nowhere" / "file"
    for words in (
        ("journal", "--format", "csv"),
        ("report", "statement", "2023-01"),
        ("verify", "--save-anchor"),
    ):
        option = [] if words[0] == "verify" else ["-o"]
        refused = site.medfund("--json", *words, *option, nowhere)
        assert (refused.code, refused.json["error"]["code"]) == (2, "file_unreadable"), words
    bad = HEAD + "B1,2023-02-01,330604,390,interest,1,,\nB2,2023-02-01,330604,390,interest,x,,\n"
    partly = site.intake(bad, "--partial", "-o", str(nowhere), code=2)
    assert (partly["posted"], partly["rejects_file"]) == (1, None)


def test_a_refund_is_reversed_before_its_original(site):
    refund = "S1,P1,390,H33060400001,21,21,2023-01-04 10:00:00,-100,-80,-5,-15,1\n"
    head, row = CLAIMS.splitlines()
    site.intake(f"{head},refd_setl_flag\n{row},0\n{refund}", name="claims.csv")
    owed = ("--json", "balances", "--book", "obligations", "--fund", "390")
    events = site.medfund("--json", "trace", "S1").json["events"]
    original = next(one for one in events if one["topic"].startswith("claim.settled"))
    alone = site.medfund("--json", "reverse", str(original["position"]), user="clerk1")
    assert (alone.code, alone.json["error"]["code"]) == (3, "refund_stands")
    for left in (80_00, 0):
        assert site.medfund("reverse", "S1", user="clerk1").code == 0
        rows = site.medfund(*owed).json["balances"]
        assert sum(row["balance_fen"] for row in rows if row["account"] == "owed.booked") == -left


def test_an_intake_is_not_reversed_under_a_refund_of_another(site):
    original = site.intake(CLAIMS, name="claims.csv")
    head = CLAIMS.splitlines()[0]
    row = "S1,P1,390,H33060400001,21,21,2023-01-04 10:00:00,-100,-80,-5,-15,1\n"
    refund = site.intake(f"{head},refd_setl_flag\n{row}", name="refund.csv")
    refused = site.medfund("--json", "reverse", "--intake", original["intake"], user="clerk1")
    assert (refused.code, refused.json["error"]["code"]) == (3, "refund_stands")
    for came in (refund, original):
        assert site.medfund("reverse", "--intake", came["intake"], user="clerk1").code == 0
    rows = site.medfund("--json", "balances", "--book", "obligations").json["balances"]
    assert {row["balance_fen"] for row in rows} == {0}


CHANGES = (
    "UPDATE events SET state = state",
    "DELETE FROM events",
    "TRUNCATE events",
)


def test_events_are_readable_json_and_refuse_every_change(site):
    site.intake(HEAD + FLOWS)
    if site.url.startswith("sqlite"):
        with sqlite3.connect(site.url.removeprefix("sqlite:///")) as connection:
            states = connection.execute("SELECT CAST(state AS TEXT) FROM events").fetchall()
            for sql in (*CHANGES[:2], "INSERT OR REPLACE INTO events SELECT * FROM events"):
                with pytest.raises(sqlite3.IntegrityError):
                    connection.execute(sql)
        connection.close()
    else:
        with psycopg.connect(site.url, autocommit=True) as connection:
            states = connection.execute("SELECT convert_from(state, 'UTF8') FROM events").fetchall()
            for sql in CHANGES:
                with pytest.raises(psycopg.Error, match="only grow"):
                    connection.execute(sql)
    facts = [json.loads(text) for (text,) in states]
    assert 500_00 in [fact.get("amount_fen") for fact in facts]
    assert site.medfund("--json", "verify").json["ok"]
