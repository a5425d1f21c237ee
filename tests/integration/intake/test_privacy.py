"""Persons and received files: tokens, rotation, destruction, erasure, on both stores."""

import json
import sqlite3
from pathlib import Path

import psycopg

PERSON = "330604199001011234"
HEADS = (
    "setl_id,psn_no,insutype,fixmedins_code,med_type,clr_type,setl_time,"
    "medfee_sumamt,fund_pay_sumamt,acct_pay,psn_cash_pay"
)


def row(setl_id: str, *, fund: str = "60.00", cash: str = "30.00") -> str:
    return (
        f"{setl_id},{PERSON},310,H33060400001,11,11,2023-05-04 10:00:00,100.00,{fund},10.00,{cash}"
    )


def bring(book, path: Path, *rows: str):
    path.write_text("\n".join([HEADS, *rows]) + "\n", encoding="utf-8")
    return book("intake", path, "--json", user="clerk1").json["files"][0]


def everything_stored(url: str) -> bytes:
    """Every byte the database would give to somebody who can read all of its tables."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        found = [repr(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in names]
        connection.close()
        return "".join(found).encode()
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        found = [repr(connection.execute(f"SELECT * FROM {name}").fetchall()) for (name,) in names]
    return "".join(found).encode()


def tokens(book) -> list[tuple[str, int]]:
    events = [book("trace", number, "--json").json["events"][-1] for number in ("S1", "S2")]
    return [(event["state"]["person"], event["state"]["person_key"]) for event in events]


def test_no_table_holds_the_number_of_a_person(book, store_url: str, tmp_path: Path):
    assert bring(book, tmp_path / "a.csv", row("S1"))["posted"] == 1
    bad = bring(book, tmp_path / "bad.csv", row("S9", cash="31.00"))
    assert bad["rejected"] == 1
    stored = everything_stored(store_url)
    assert b"S1" in stored
    assert PERSON.encode() not in stored


def test_repeats_are_recognised_across_a_rotation(book, tmp_path: Path):
    bring(book, tmp_path / "a.csv", row("S1"))
    assert book("keys", "rotate", "--json", user="admin1").json["version"] == 2
    again = bring(book, tmp_path / "b.csv", row("S1"), row("S2"))
    assert (again["already"], again["posted"], again["rejected"]) == (1, 1, 0)
    changed = bring(book, tmp_path / "c.csv", row("S1", fund="61.00", cash="29.00"))
    assert [one["code"] for one in changed["rejections"]] == ["setl_id_conflict"]
    (first, old), (second, new) = tokens(book)
    assert (old, new) == (1, 2)
    assert first != second


def test_the_key_in_use_cannot_be_destroyed_an_old_one_can(book, tmp_path: Path):
    bring(book, tmp_path / "a.csv", row("S1"))
    refused = book("keys", "destroy", "1", "--reason", "x", "--json", user="admin1")
    assert (refused.code, refused.json["error"]["code"]) == (3, "key_in_use")
    book("keys", "rotate", user="admin1")
    assert book("keys", "destroy", "1", "--reason", "到期", user="admin1").code == 0
    unknowable = book("intake", _with_comment(tmp_path), "--json", user="clerk1")
    assert (unknowable.code, unknowable.json["error"]["code"]) == (3, "key_destroyed")
    assert book("verify", "--json").json["ok"]


def _with_comment(folder: Path) -> Path:
    """The same settlement in a file of other bytes."""
    path = folder / "again.csv"
    path.write_text("\n".join([HEADS, row("S1"), ""]) + "\n", encoding="utf-8")
    return path


def test_an_erased_file_is_gone_and_its_events_stay(book, tmp_path: Path):
    intake = bring(book, tmp_path / "a.csv", row("S1"))["intake"]
    copy = tmp_path / "copy.csv"
    assert book("intake", "show", intake, "--original", "-o", copy).code == 0
    assert copy.read_bytes() == (tmp_path / "a.csv").read_bytes()
    before = book("balances", "--book", "obligations", "--json").json["balances"]
    assert book("keys", "erase", intake, "--reason", "申请删除", user="admin1").code == 0
    gone = book("intake", "show", intake, "--original", "-o", copy, "--json")
    assert (gone.code, gone.json["error"]["code"]) == (3, "key_destroyed")
    assert book("balances", "--book", "obligations", "--json").json["balances"] == before
    assert book("verify", "--json").json["ok"]


def test_only_an_administrator_changes_keys(book):
    refused = book("keys", "rotate", "--json", user="clerk1")
    assert (refused.code, refused.json["error"]["code"]) == (3, "role_missing")


def test_who_destroyed_a_key_is_in_the_log(book, tmp_path: Path):
    intake = bring(book, tmp_path / "a.csv", row("S1"))["intake"]
    book("keys", "erase", intake, "--reason", "申请删除", user="admin1")
    position = book("balances", "--json").json["position"]
    (event,) = book("trace", str(position), "--json").json["events"]
    assert event["topic"] == "key.destroyed.v1"
    assert (event["state"]["by"], event["state"]["reason"]) == ("admin1", "申请删除")
    assert PERSON not in json.dumps(event)
