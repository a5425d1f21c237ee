"""What a month-end close would post and print (月结方案): pure, from the running totals of the guard.

The same totals give the same plan and the same hash, in a dry run and in the run itself.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from ledger.aggregates.area import Area
from ledger.domain.chart import CHART, AccountClass
from ledger.domain.claim_roles import REMOTE_ACCOUNTS
from ledger.domain.entry import Book, Entry
from ledger.domain.fund import leaves
from ledger.domain.period import Period
from ledger.domain.posting_rules import RULES_VERSION, year_transfer_entry
from ledger.errors import BooksDamaged
from ledger.store.commit import Total, TotalKey

Totals = Mapping[TotalKey, Total]

#: Upper ends, in months, of the age bands of 暂付款, 暂收款 and what institutions are owed (账龄).
AGE_BANDS = ((3, "0-3"), (12, "4-12"), (24, "13-24"), (None, "25+"))


class TrialBalanceBroken(BooksDamaged):
    """Debits and credits of a book differ (试算不平衡)."""

    code = "trial_balance_broken"
    zh = "险种 {fund} 截至 {period} 试算不平衡:借方 {debit_fen} 分,贷方 {credit_fen} 分。"
    en = "Fund {fund} does not balance up to {period}: debit {debit_fen} fen, credit {credit_fen} fen."
    hint_zh = "请立即执行 verify 并停止记账。"
    hint_en = "Run verify at once and stop posting."


def trial_balance(totals: Totals, period: Period) -> list[dict[str, Any]]:
    """List every account (科目余额表): opening, movements of the month, closing; debit − credit."""
    rows: dict[tuple[str, str], list[int]] = {}
    for key, total in totals.items():
        row = rows.setdefault((key.fund, key.account), [0, 0, 0])
        if key.month < period.ordinal:
            row[0] += total.debit_fen - total.credit_fen
        elif key.month == period.ordinal:
            row[1] += total.debit_fen
            row[2] += total.credit_fen
    return [
        {
            "fund": fund,
            "account": account,
            "book": CHART[account].book.value,
            "opening_fen": opening,
            "debit_fen": debit,
            "credit_fen": credit,
            "closing_fen": opening + debit - credit,
        }
        for (fund, account), (opening, debit, credit) in sorted(rows.items())
    ]


def _refuse_imbalance(rows: Iterable[dict[str, Any]], period: Period) -> None:
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        amounts = sums.setdefault((row["fund"], row["book"]), [0, 0])
        amounts[0] += row["opening_fen"] + row["debit_fen"]
        amounts[1] += row["credit_fen"]
    for (fund, _), (debit, credit) in sums.items():
        if debit != credit:
            raise TrialBalanceBroken(
                fund=fund, period=str(period), debit_fen=debit, credit_fen=credit
            )


def _sum(flows: Mapping[TotalKey, int], kind: AccountClass, first: Period, last: Period) -> int:
    """Add up income or expense (合计) of some months as an amount of its own sense."""
    sign = 1 if kind is AccountClass.EXPENSE else -1
    return sign * sum(
        fen
        for key, fen in flows.items()
        if first.ordinal <= key.month <= last.ordinal and CHART[key.account].kind is kind
    )


def _figures(totals: Totals, transferred: Mapping[TotalKey, int], period: Period) -> dict[str, int]:
    """Give the amounts that the period's indicators are computed from, in fen.

    A year-end transfer (年终结转) empties the accounts of the year's income and expense, and is no
    flow: it is taken off again.
    """
    flows = {
        key: total.debit_fen - total.credit_fen - transferred.get(key, 0)
        for key, total in totals.items()
    }
    january = Period(period.year, 1)
    income, expense = AccountClass.INCOME, AccountClass.EXPENSE
    ending = {AccountClass.NET_ASSETS, income, expense}
    return {
        "income_month_fen": _sum(flows, income, period, period),
        "expense_month_fen": _sum(flows, expense, period, period),
        "income_year_fen": _sum(flows, income, january, period),
        "expense_year_fen": _sum(flows, expense, january, period),
        "expense_trailing12_fen": _sum(flows, expense, period.plus(-11), period),
        "accumulated_fen": -sum(
            total.debit_fen - total.credit_fen
            for key, total in totals.items()
            if CHART[key.account].kind in ending
        ),
    }


def _checks(
    rows: list[dict[str, Any]], figures: Mapping[str, int], area: Area
) -> list[dict[str, Any]]:
    """List what a reviewer should look at; ``blocking`` ones refuse the approval."""
    control = area.options.get("money_account_control") is True
    checks = [
        {
            "code": "money_account_negative",
            "blocking": control,
            "fund": row["fund"],
            "account": row["account"],
            "closing_fen": row["closing_fen"],
        }
        for row in rows
        if CHART[row["account"]].kind is AccountClass.MONEY and row["closing_fen"] < 0
    ]
    # 收入户月末原则上无余额 (财社〔2017〕144号)
    checks += [
        {
            "code": "income_account_not_nil",
            "blocking": False,
            "fund": row["fund"],
            "account": "income",
            "closing_fen": row["closing_fen"],
        }
        for row in rows
        if row["account"] == "income" and row["closing_fen"] > 0
    ]
    if figures["accumulated_fen"] < 0:
        checks.append(
            {
                "code": "negative_accumulated",
                "blocking": False,
                "accumulated_fen": figures["accumulated_fen"],
            }
        )
    return checks


def ageing(totals: Totals, period: Period) -> list[dict[str, Any]]:
    """List what is open by age (账龄): what was settled is taken off the oldest first.

    暂付款 and 暂收款 stand by account. What institutions are owed stands whole, as ``owed``, whatever
    its stage: an application does not make a debt younger; their deposits stand apart.
    """
    months: dict[tuple[str, str], dict[int, int]] = {}
    for key, total in totals.items():
        name = _aged_as(key.account)
        if name is not None:
            sign = 1 if CHART[key.account].on_debit_side else -1
            by_month = months.setdefault((key.fund, name), {})
            fen = sign * (total.debit_fen - total.credit_fen)
            by_month[key.month] = by_month.get(key.month, 0) + fen
    listed = []
    for (fund, name), by_month in sorted(months.items()):
        layers: list[list[int]] = []
        for month, fen in sorted(by_month.items()):
            _add_layer(layers, month, fen)
        bands = _banded(layers, period)
        if bands:
            listed.append({"fund": fund, "account": name, "bands": bands})
    return listed


def _aged_as(account: str) -> str | None:
    """Name what an account is listed under by age; None where it is not."""
    apart = account == "owed.deposit" or account in REMOTE_ACCOUNTS
    if CHART[account].kind is AccountClass.INCURRED:
        return None
    if apart or account.startswith(("advance.", "payable.")):
        return account
    return "owed" if CHART[account].kind is AccountClass.OWED else None


def _add_layer(layers: list[list[int]], month: int, fen: int) -> None:
    """Lay a month's amount on the stack, against the oldest layers of the other sign first."""
    while fen and layers and (layers[0][1] > 0) != (fen > 0):
        taken = min(abs(layers[0][1]), abs(fen))
        step = taken if fen > 0 else -taken
        layers[0][1] += step
        fen -= step
        if layers[0][1] == 0:
            layers.pop(0)
    if fen:
        layers.append([month, fen])


def _banded(layers: Iterable[Iterable[int]], period: Period) -> dict[str, int]:
    bands: dict[str, int] = {}
    for month, fen in layers:
        age = period.ordinal - month
        band = next(name for top, name in AGE_BANDS if top is None or age <= top)
        bands[band] = bands.get(band, 0) + fen
    return bands


def year_transfer(totals: Totals, period: Period) -> Entry:
    """年终结转: what December's close posts; empty in other months (待转 accounts are cleared by it)."""
    if period.month != 12:
        return ()
    balances: dict[tuple[str, str], int] = {}
    for key, total in totals.items():
        if CHART[key.account].kind in {AccountClass.INCOME, AccountClass.EXPENSE}:
            place = (key.fund, key.account)
            balances[place] = balances.get(place, 0) + total.debit_fen - total.credit_fen
    return year_transfer_entry(balances)


def make_plan(
    *,
    area: Area,
    fund: str,
    period: Period,
    cutoff_position: int,
    totals: Totals,
    transferred: Mapping[TotalKey, int],
) -> dict[str, Any]:
    """Compute the close of a month; TrialBalanceBroken where the books do not balance.

    ``transferred`` is what year-end transfers have posted, debit less credit in fen.
    """
    rows = trial_balance(totals, period)
    _refuse_imbalance(rows, period)
    figures = _figures(totals, transferred, period)
    plan: dict[str, Any] = {
        "area": area.code,
        "fund": fund,
        "sub_funds": list(leaves(fund)),
        "period": str(period),
        "cutoff_position": cutoff_position,
        "rules_version": RULES_VERSION,
        "policies": _policies_in_force(area, period),
        "trial_balance": rows,
        "figures": figures,
        "checks": _checks(rows, figures, area),
    }
    if period.month == 12:
        transfer = year_transfer(totals, period)
        plan["year_end"] = {
            "transfer": [
                {
                    "fund": posting.fund,
                    "debit": posting.debit,
                    "credit": posting.credit,
                    "fen": posting.fen,
                }
                for posting in transfer
            ],
            "pending_cleared_fen": -sum(
                row["closing_fen"] for row in rows if row["account"] == "income.pending"
            ),
            "ageing": ageing(totals, period),
            "opening_next_year_fen": _carried(fund, rows),
        }
    return plan


def _carried(fund: str, rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Give next year's opening fund balance by sub-fund: this year's closing."""
    ending = {AccountClass.NET_ASSETS, AccountClass.INCOME, AccountClass.EXPENSE}
    carried = dict.fromkeys(leaves(fund), 0)
    for row in rows:
        if CHART[row["account"]].kind in ending and CHART[row["account"]].book is Book.CASH:
            carried[row["fund"]] = carried.get(row["fund"], 0) - row["closing_fen"]
    return carried


def _policies_in_force(area: Area, period: Period) -> dict[str, str]:
    """Name every policy in force at the month's end with its effective date."""
    return {
        name: effective
        for name, effective in sorted(area.policies)
        if effective <= period.last_day.isoformat()
    }


def plan_hash(plan: Mapping[str, Any]) -> str:
    """Hash a plan: this is what the second person approves."""
    text = json.dumps(plan, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def blocking(plan: Mapping[str, Any]) -> list[str]:
    """List the codes of checks that refuse the approval."""
    return sorted({check["code"] for check in plan["checks"] if check["blocking"]})
