"""Hostile text on its way out: terminal, JSON, log, exports, journals, pages and query parameters."""

import csv
import io
import json
import os
import subprocess
from pathlib import Path

import openpyxl
import pytest
import structlog
from support.facts import Books, Clock, flow
from support.services import require_program
from support.web import Consumer, served

from ledger.application import FundLedger
from ledger.events.setup import TokenIssued
from medfund.bootstrap import open_house
from medfund.cli.output import Output
from medfund.logging import configure_logging
from medfund.settings import load_settings
from medfund.web.api import create_app
from projections.queries.journal import journal_document
from projections.reports.csv import to_csv
from projections.reports.model import Column, Kind, table
from projections.reports.plaintext import Program, to_plaintext
from projections.reports.xlsx import to_xlsx
from settlement.tokens import token_hash

CLEAR = "\x1b[2J\x9b31m\x07"
ROW = ("SJ0001", "2023-01-05", "330604", "390", "个人缴费", "1234.56", "一月")


def test_a_file_cannot_steer_the_terminal(files, bounded):
    """Defect: printing heads, cells or names of files as they are: ESC [2J clears the screen."""
    head = f"单据号,入账日期,统筹区,险种,项目,金额,备{CLEAR}注,\u202e甲"
    text = f"{head}\nSJ{CLEAR}1,2023-01-05,330604,390,个人缴费,x{CLEAR},,\n"
    path = files.raw(f"a{CLEAR}\u202eb.csv", text.encode())
    ended = bounded("intake", "--dry-run", path)
    assert ended.code == 2
    for steering in ("\x1b", "\x9b", "\x07", "\u202e"):
        assert steering not in ended.said
    ended = bounded("--json", "intake", "--dry-run", path)
    assert not any(steering in ended.said for steering in ("\x1b", "\x9b", "\x07", "\u202e"))
    assert json.loads(ended.out)["files"][0]["file"] == str(path)


def test_a_name_that_is_no_text_is_answered_as_any_other(files, bounded):
    """Defect: printing half a surrogate pair: the command ends with a traceback."""
    path = os.fsencode(files.folder) + b"/\xff\xfe.csv"
    Path(os.fsdecode(path)).write_bytes(files.text())
    ended = bounded("--json", "intake", "--dry-run", os.fsdecode(path))
    assert (ended.code in {0, 2}, "files" in json.loads(ended.out)) == (True, True)


@pytest.mark.parametrize("place", ["/dev/zero", "fifo", ".", "/proc/self/mem", "secret.csv"])
@pytest.mark.parametrize("command", ["intake", "setup"])
def test_what_is_no_file_is_refused_at_once(files, bounded, command, place):
    """Defect: reading a pipe or a device: it never ends, or fills the memory."""
    path = place if place.startswith("/") else files.folder / place
    if place == "fifo":
        os.mkfifo(path)
    if place == "secret.csv":
        if os.geteuid() == 0:
            pytest.skip("root may read everything")
        files.raw(place, files.text()).chmod(0)
    ended = bounded(command, path)
    assert (ended.code, ended.peak_mib < 300) == (2, True)


SETUPS = {
    "arrays in arrays": "x = " + "[" * 5000 + "]" * 5000,
    "tables in tables": "[a" + ".a" * 100_000 + "]\nx = 1",
    "a huge number": "x = " + "9" * 5000,
    "beyond 64 bits": "x = 9223372036854775808",
    "infinity": "x = inf",
    "a control character": 'x = "\\u001b[2J"',
    "NUL": 'x = "a\\u0000b"',
}


@pytest.mark.parametrize("line", SETUPS.values(), ids=SETUPS)
def test_a_setup_file_is_refused_within_bounds(files, bounded, line):
    """Defect: handing what TOML allows to a store that cannot keep it, or recursing without end."""
    start = '[area]\ncode = "330605"\nname = "区"\nfunds = ["390"]\n'
    ended = bounded("setup", files.raw("s.toml", (start + line + "\n").encode()), user="admin1")
    assert (ended.code, "setup_rejected" in ended.err, "\x1b" in ended.said) == (2, True, False)


def test_a_line_of_the_log_stays_one_line():
    """Defect: formatting a name into the text of a log line: a second line can be made up."""
    out = io.StringIO()
    configure_logging(stream=out)
    structlog.get_logger("hostile").warning("file_refused", file='a\n{"event": "forged"}')
    lines = out.getvalue().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["event"] == "file_refused"


def test_a_table_shows_markup_as_it_is(capsys):
    """Defect: letting the terminal's own markup be written by a cell."""
    Output(as_json=False, lang="en").table(["x"], [["[red]x[/red][/]"]])
    assert "[red]x[/red][/]" in capsys.readouterr().out


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", FORMULAS)
def test_an_export_runs_no_formula_and_keeps_numbers_numbers(text):
    """Defect: writing text as it is, or guarding negative amounts as if they were text."""
    one = table("流水", (Column("备注"), Column("金额", Kind.FEN)), [(text, -1250)], notes=[text])
    rows = list(csv.reader(io.StringIO(to_csv(one).decode("utf-8-sig"), newline="")))
    assert rows[1] == [f"'{text}", "-12.50"]
    sheet = openpyxl.load_workbook(io.BytesIO(to_xlsx([one]))).active
    types = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert types == {"s", "n"}
    assert sheet.cell(4, 2).value == -12.5


PARTIES = [
    "甲, date:2024-02-02",
    "乙 [2024-03-03]",
    "丙; [=2024-01-01]",
    ": 1+1",
    'x" ; \\',
    "a\n  b  1.00 CNY",
    ":tag:",
]


@pytest.mark.parametrize("party", PARTIES)
def test_a_counterparty_moves_nothing_in_a_journal(files, migrated_sqlite, party):
    """Defect: writing a tag's value as it is: ``date:`` in a name books the posting in another year."""
    book = files.folder / "b.db"
    book.write_bytes(migrated_sqlite.read_bytes())
    with FundLedger(f"sqlite:///{book}", clock=Clock()) as ledger:
        books = Books(ledger)
        books.found("390")
        books.post(flow("benefit.chronic", "390", 123, "2023-01-05"))
    with open_house(load_settings(database_url=f"sqlite:///{book}")) as house:
        house.catch_up()
        document = journal_document(house.reads, area="330604")
    for voucher in document["vouchers"]:
        for line in voucher["lines"]:
            line["party"] = party
    for program, words in {
        Program.HLEDGER: ("hledger", "register", "-O", "csv", "-f"),
        Program.LEDGER: ("ledger", "csv", "--effective", "-f"),
    }.items():
        journal = files.raw(f"j.{program}", to_plaintext(document, program).encode())
        done = subprocess.run(
            [require_program(words[0]), *words[1:], journal],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        parts = done.stdout.replace('"', ",").replace("/", "-").split(",")
        days = {part for part in parts if part[:2] == "20" and len(part) == 10}
        assert days == {"2023-01-05"}, done.stdout


QUESTIONS = [
    "balances?as_of=9999-99-99", "balances?as_of=0000-00-00", "balances?as_of=2023-02-29", "balances?as_of=%00",
    "balances?as_of=99999-01-01", "balances?known_at=" + "9" * 39, "balances?known_at=-1", "balances?known_at=%00",
    "balances?known_at=1e400", "balances?known_at=NaN", "balances?fund=%00", "balances?fund=" + "3" * 21,
    "balances?fund=%27%3B%20DROP%20TABLE%20events", "balances?area=%D9%A3%D9%A3%D9%A0%D9%A6%D9%A0%D9%A4",
    "balances?book=%1b%5b2J", "balances?x=1", "balances?fund=390&fund=310", "balances?fund=%ff%fe", "journal?period=2023-00",
    "journal?period=2023-13", "journal?period=%D9%A2%D9%A0%D9%A2%D9%A3-10", "journal?period=0000-01",
    "journal?period=" + "9" * 5000,
    "events?after=-1", "events?after=" + "9" * 39, "events?after=9223372036854775808", "events?limit=0",
    "events?limit=" + "9" * 39,
    "events?after=%00", "events?topics=%00", "periods?fund=..%2f..%2f", "indicators?period=9999-12", "indicators?period=0001-01",
]  # fmt: skip


def test_a_question_with_hostile_words_is_answered_not_stumbled_over(store_url):
    """Defect: handing a parameter to the database as it came: NUL or 39 digits are an error 500."""
    with FundLedger(store_url, clock=Clock()) as ledger:
        books = Books(ledger)
        books.found("310", "390")
        issued = {"name": "reporting", "role": "reader", "token_hash": token_hash("secret")}
        books.append([TokenIssued(area=books.area, by="admin1", **issued)])
        books.post(flow("interest", "390", 123, "2023-01-05"))
    with (
        open_house(load_settings(database_url=store_url)) as house,
        served(create_app(house)) as address,
    ):
        consumer = Consumer(address, "secret")
        assert consumer.get("/v1/balances").status_code == 200
        answers = {question: consumer.get(f"/v1/{question}") for question in QUESTIONS}
    stumbled = {
        q[:60]: answer.status_code for q, answer in answers.items() if answer.status_code >= 500
    }
    assert not stumbled
    for answer in answers.values():
        json.loads(answer.text)
