"""hledger, ledger and beancount read the exported journal and agree with our balances to the fen."""

import csv
import re
import subprocess
from collections.abc import Callable, Mapping
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from support.services import require_program

from ledger.domain.chart import CHART
from ledger.domain.fund import FUNDS
from projections.queries.balances import balances_document
from projections.queries.journal import journal_document
from projections.reports.plaintext import Program, account_name, to_plaintext

Balances = dict[str, int]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    words = [str(part) for part in command]
    return subprocess.run(words, check=False, capture_output=True, text=True)


def fen(text: str) -> int:
    yuan, _, rest = text.strip().removesuffix("CNY").strip().partition(".")
    sign = -1 if yuan.startswith("-") else 1
    return sign * (abs(int(yuan)) * 100 + int(f"{rest:0<2}"[:2] or 0))


def of_hledger(journal: Path) -> Balances:
    checked = run(require_program("hledger"), "-f", journal, "check", "--strict")
    assert checked.returncode == 0, checked.stderr
    shown = run(
        require_program("hledger"), "-f", journal, "balance", "--flat", "--empty", "-O", "csv"
    )
    assert shown.returncode == 0, shown.stderr
    rows = list(csv.reader(StringIO(shown.stdout)))[1:]
    return {name: fen(amount) for name, amount in rows if name.lower() not in {"total", "total:"}}


def of_ledger(journal: Path) -> Balances:
    shown = run(
        require_program("ledger"),
        "--pedantic",
        "-f",
        journal,
        "balance",
        "--flat",
        "--empty",
        "--no-total",
        "--balance-format",
        "%(account)\t%(quantity(scrub(display_total)))\n",
    )
    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    lines = [line.split("\t") for line in shown.stdout.splitlines() if line.strip()]
    return {name: fen(amount) for name, amount in lines}


def of_beancount(journal: Path) -> Balances:
    checked = run(require_program("bean-check"), journal)
    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""
    asked = "SELECT account, sum(number) GROUP BY account"
    shown = run(require_program("bean-query"), "-f", "csv", journal, asked)
    assert shown.returncode == 0, shown.stderr
    rows = list(csv.reader(StringIO(shown.stdout)))[1:]
    return {name.strip(): fen(amount) for name, amount in rows}


READERS: Mapping[Program, Callable[[Path], Balances]] = {
    Program.HLEDGER: of_hledger,
    Program.LEDGER: of_ledger,
    Program.BEANCOUNT: of_beancount,
}


def accepts(program: Program, journal: Path) -> bool:
    if program is Program.BEANCOUNT:
        return run(require_program("bean-check"), journal).returncode == 0
    return run(require_program(program.value), "-f", journal, "balance").returncode == 0


def export(book, tmp_path: Path, program: Program, **asked) -> Path:
    document = journal_document(book.store, area=None, **asked)
    path = tmp_path / f"journal.{program.value}"
    path.write_text(to_plaintext(document, program), encoding="utf-8")
    return path


def expected(book, program: Program, **asked) -> Balances:
    document = balances_document(
        book.store, book.ledger, area=None, as_of=date(2023, 12, 31), **asked
    )
    return {
        account_name(row["fund"], row["account"], program): row["balance_fen"]
        for row in document["balances"]
    }


@pytest.mark.parametrize("program", Program)
def test_the_programs_agree_with_our_balances_to_the_fen(book, tmp_path, program):
    path = export(book, tmp_path, program)
    read = READERS[program](path)
    ours = expected(book, program)
    assert len(ours) > 5
    # bean-query leaves out an account whose postings cancel to nil
    assert {name: amount for name, amount in read.items() if amount} == {
        name: amount for name, amount in ours.items() if amount
    }


@pytest.mark.parametrize("program", Program)
def test_one_fund_is_a_ledger_of_its_own(book, tmp_path, program):
    path = export(book, tmp_path, program, fund="310.pooled")
    read = {name: amount for name, amount in READERS[program](path).items() if amount}
    ours = expected(book, program, fund="310.pooled")
    assert read == {name: amount for name, amount in ours.items() if amount}


@pytest.mark.parametrize("program", Program)
def test_one_month_is_accepted_by_itself(book, tmp_path, program):
    path = export(book, tmp_path, program, period="2023-12")
    assert READERS[program](path)


@pytest.mark.parametrize("program", Program)
def test_an_empty_month_is_accepted(book, tmp_path, program):
    path = export(book, tmp_path, program, period="2022-01")
    assert READERS[program](path) == {}


def mutations(text: str) -> dict[str, str]:
    """Falsify an export in ways that keep its form."""
    entries = text.split("\n\n")
    amount = re.compile(r"(-?)(\d+)\.(\d\d) CNY")
    body = next(number for number, one in enumerate(entries) if len(amount.findall(one)) >= 2)
    lines = entries[body].split("\n")
    posted = [number for number, line in enumerate(lines) if amount.search(line)]

    def more(line: str, by: int) -> str:
        found = amount.search(line)
        assert found is not None
        value = int(f"{found[1]}{found[2]}{found[3]}") + by
        sign = "-" if value < 0 else ""
        yuan, rest = divmod(abs(value), 100)
        return amount.sub(f"{sign}{yuan}.{rest:02d} CNY", line, count=1)

    one_fen = [*lines]
    one_fen[posted[0]] = more(one_fen[posted[0]], 1)
    both = [*one_fen]
    both[posted[1]] = more(both[posted[1]], -1)

    def instead(changed: list[str]) -> str:
        return "\n\n".join([*entries[:body], "\n".join(changed), *entries[body + 1 :]])

    return {
        "one fen on one side": instead(one_fen),
        "one fen on both sides": instead(both),
        "an entry left out": "\n\n".join([*entries[:body], *entries[body + 1 :]]),
    }


@pytest.mark.parametrize(
    "what", ["one fen on one side", "one fen on both sides", "an entry left out"]
)
@pytest.mark.parametrize("program", Program)
def test_a_falsified_export_is_refused(book, tmp_path, program, what):
    path = export(book, tmp_path, program)
    assert accepts(program, path)
    path.write_text(mutations(path.read_text(encoding="utf-8"))[what], encoding="utf-8")
    assert not accepts(program, path)


@pytest.mark.parametrize("program", Program)
def test_an_entry_leads_back_to_its_voucher_and_document(book, tmp_path, program):
    document = journal_document(book.store, area=None)
    text = to_plaintext(document, program)
    for voucher in document["vouchers"]:
        assert voucher["label"] in text
        assert f"position: {voucher['position']}" in text.replace('"', "")
    reversal = next(found for found in document["vouchers"] if found["reverses"])
    assert reversal["reverses"]["label"] is not None
    assert f"reverses: {reversal['reverses']['label']}" in text.replace('"', "")


@pytest.mark.parametrize("program", Program)
def test_no_two_accounts_share_a_name_and_none_contains_another(program):
    leaves = [leaf for fund in FUNDS.values() for leaf in fund.leaves]
    names = [account_name(leaf, key, program) for leaf in leaves for key in CHART]
    assert len(set(names)) == len(names)
    assert all(name.isascii() for name in names)
    parents = {name.rpartition(":")[0] for name in names}
    assert not parents & set(names)
