"""The journal as text for hledger, ledger and beancount (明文账), with balance assertions at its end.

Amounts keep their sign: a red-letter reversal (红字冲销) is a negative amount on the side it stood
on. Accounts are ``class : fund : key``; each declaration names the key and the Chinese name, so an
auditor finds the way back to ``medfund balances``.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from ledger.domain.chart import CHART, AccountClass
from ledger.domain.money import format_yuan

CURRENCY = "CNY"
_ROOTS = {
    AccountClass.MONEY: "assets",
    AccountClass.ASSET: "assets",
    AccountClass.LIABILITY: "liabilities",
    AccountClass.NET_ASSETS: "equity",
    AccountClass.INCOME: "income",
    AccountClass.EXPENSE: "expenses",
    AccountClass.OWED: "liabilities",
    AccountClass.INCURRED: "assets",
}


class Program(StrEnum):
    """The three programs that read the export."""

    HLEDGER = "hledger"
    LEDGER = "ledger"
    BEANCOUNT = "beancount"


Lines = Iterator[str]
Balances = Mapping[tuple[str, str], int]


def to_plaintext(document: Mapping[str, Any], program: str) -> str:
    """Write a journal document (``journal --json``) for one program."""
    vouchers = sorted(document["vouchers"], key=lambda voucher: voucher["booked_on"])
    totals: defaultdict[tuple[str, str], int] = defaultdict(int)
    for voucher in vouchers:
        for line in voucher["lines"]:
            totals[line["fund"], line["account"]] += line["debit_fen"] - line["credit_fen"]
    chosen = Program(program)
    write = _beancount if chosen is Program.BEANCOUNT else _ledger_like
    head = _head(document)
    return "\n".join((*head, *write(vouchers, totals, chosen), ""))


def account_name(fund: str, key: str, program: Program) -> str:
    """Name an account of a fund the way a program accepts it.

    A key that other keys continue (``income.other``) gets a last part of its own, because two of
    the programs add an account's children to it.
    """
    root = _ROOTS[CHART[key].kind]
    path = key.removeprefix("income.").removeprefix("expense.")
    if any(other.startswith(f"{key}.") and _ROOTS[CHART[other].kind] == root for other in CHART):
        path += ".general"
    parts = [root, fund, *path.split(".")]
    if program is not Program.BEANCOUNT:
        return ":".join(parts)
    return ":".join(_capitalised(part) for part in parts)


def _capitalised(part: str) -> str:
    words = part.replace("_", "-").replace(".", "-").split("-")
    return "-".join(word[:1].upper() + word[1:] for word in words)


def _head(document: Mapping[str, Any]) -> list[str]:
    return [
        f"; medfund journal 法定账 as of log position 截至日志位置 {document['position']}",
        "; 账户 = class:fund:account; 金额单位 yuan; 红字为负数",
        "",
    ]


def _one_line(text: object) -> str:
    """Make any text fit on one line without the marks that would end it early."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def _facts(voucher: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what an auditor needs to find the way back, in a fixed order."""
    for key in ("doc_no", "position", "item", "belongs_to", "prepared_by", "reviewed_by"):
        if voucher[key] not in (None, ""):
            yield key, _one_line(voucher[key])
    for key in ("reverses", "reversed_by"):
        if voucher[key] is not None:
            yield key, _one_line(voucher[key]["label"] or voucher[key]["position"])


def _signed(line: Mapping[str, Any]) -> str:
    return format_yuan(line["debit_fen"] - line["credit_fen"], grouped=False)


# --- hledger and ledger ------------------------------------------------------------------------


def _ledger_like(vouchers: list[Any], totals: Balances, program: Program) -> Lines:
    yield f"commodity {CURRENCY}"
    yield f"    format 1000.00 {CURRENCY}"
    for fund, key in sorted(totals):
        yield from _declaration(fund, key, program)
    if program is Program.LEDGER:
        tags = {"party", *(key for voucher in vouchers for key, _ in _facts(voucher))}
        yield from (f"tag {tag}" for tag in sorted(tags))
    for voucher in vouchers:
        yield ""
        number, summary = _plain(voucher["label"]), _plain(voucher["summary"])
        yield f"{voucher['booked_on']} * ({number}) {summary}".rstrip()
        yield from (f"    ; {key}: {_tagged(value)}" for key, value in _facts(voucher))
        for line in voucher["lines"]:
            name = account_name(line["fund"], line["account"], program)
            party = f"  ; party: {_tagged(line['party'])}" if line["party"] else ""
            yield f"    {name}  {_signed(line)} {CURRENCY}{party}"
    if vouchers:
        yield ""
        yield f"{vouchers[-1]['booked_on']} * 余额核对 balance assertions"
        for (fund, key), fen in sorted(totals.items()):
            balance = format_yuan(fen, grouped=False)
            name = account_name(fund, key, program)
            yield f"    {name}  0.00 {CURRENCY} = {balance} {CURRENCY}"


def _declaration(fund: str, key: str, program: Program) -> Lines:
    name, account = account_name(fund, key, program), CHART[key]
    if program is Program.HLEDGER:
        yield f"account {name}  ; {account.zh}, account: {key}, code: {account.code}"
    else:
        yield f"account {name}"
        yield f"    note {account.zh} ({key}, {account.code})"


def _plain(text: object) -> str:
    """Keep the two signs that end a code or begin a comment out of the way, in full width."""
    return _one_line(text).replace(";", "；").replace("(", "（").replace(")", "）")


def _tagged(text: object) -> str:
    """Keep a tag's value a value: ``date:`` or ``[2024-01-31]`` in it would move the posting."""
    return _plain(text).replace(":", "：").replace("[", "［").replace("]", "］")


# --- beancount ---------------------------------------------------------------------------------


def _beancount(vouchers: list[Any], totals: Balances, program: Program) -> Lines:
    yield f'option "operating_currency" "{CURRENCY}"'
    yield ""
    if not vouchers:
        return
    opened = vouchers[0]["booked_on"]
    for fund, key in sorted(totals):
        yield f"{opened} open {account_name(fund, key, program)} {CURRENCY}"
        yield f"  name: {_quoted(CHART[key].zh)}"
        yield f"  fund: {_quoted(fund)}"
        yield f"  account: {_quoted(key)}"
    for voucher in vouchers:
        yield ""
        yield f"{voucher['booked_on']} * {_quoted(voucher['summary'])}"
        yield f"  voucher: {_quoted(voucher['label'])}"
        yield from (f"  {key}: {_quoted(value)}" for key, value in _facts(voucher))
        for line in voucher["lines"]:
            name = account_name(line["fund"], line["account"], program)
            yield f"  {name}  {_signed(line)} {CURRENCY}"
            if line["party"]:
                yield f"    party: {_quoted(line['party'])}"
    yield ""
    # A balance directive speaks for the beginning of its day; "~ 0" asks for the exact fen.
    after = date.fromisoformat(vouchers[-1]["booked_on"]) + timedelta(days=1)
    for (fund, key), fen in sorted(totals.items()):
        balance = format_yuan(fen, grouped=False)
        yield f"{after} balance {account_name(fund, key, program)}  {balance} ~ 0.00 {CURRENCY}"


def _quoted(text: object) -> str:
    escaped = _one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
