"""The bridge of a statement (勾稽): from what was booked to what the bank paid, and who agrees with it.

The obligations book says booked − everything taken off = approved, ordered or paid. The runs add
what they carried in from other months and out of this one; the bank's confirmations say what of it
was paid.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ledger.domain.chart import CHART
from ledger.domain.entry import Book
from ledger.events.clearing import ClearedLine, SettlementApproved
from ledger.events.settlement import SettlementFact
from projections.page import OBLIGATION_SUMS
from projections.queries.obligations import by_account

#: The rows of the bridge (勾稽) in their order, after what was booked: key, account.
_BRIDGE = (
    ("refused", "claims.refused"),
    ("undeclared", "owed.booked"),
    ("unaudited", "owed.declared"),
    ("deposit", "owed.deposit"),
    ("forfeited", "claims.forfeited"),
    ("insurer", "claims.insurer"),
    ("cleared", "claims.cleared"),
    ("offset", "claims.offset"),
    ("prepaid", "claims.prepaid"),
)
#: Rows of what has not gone on: no document made them.
_REMAINS = frozenset({"undeclared", "unaudited"})
#: Rows that the statement shows even where they are nil.
ALWAYS = frozenset(
    {"booked", "refused", "deposit", "offset", "prepaid", "carried_in", "carried_out"}
)
#: Accounts that nothing but the facts of the month's own stream moves.
_OWN = frozenset(key for key, account in CHART.items() if account.book is Book.OBLIGATIONS) - {
    "claims.incurred",
    "claims.paid",
    "owed.booked",
}


_NOTHING = [0] * 6


def bridge_of(
    booked: Sequence[dict[str, Any]],
    steps: Sequence[tuple[int, SettlementFact]],
    approved: Sequence[tuple[str, ClearedLine]],
    payments: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Lay the bridge from what was booked to what was paid, and say which witnesses agree."""
    balance = by_account({name: sum(row[name] for row in booked) for name in OBLIGATION_SUMS})
    rows = [("booked", sum(row["booked_fen"] for row in booked))]
    rows += [(key, -balance[account]) for key, account in _BRIDGE]
    lines = [line for _, line in approved]
    rows += [("carried_in", sum(one.carried_in_fen for one in lines[:1]))]
    rows += [("carried_out", -sum(one.carried_out_fen for one in lines[-1:]))]
    payable = sum(fen for _, fen in rows)
    confirmed = [one for one in payments if one["state"] == "paid"]
    earlier = sum(one["earlier_fen"] for one in confirmed)
    paid = balance["claims.paid"] + earlier
    own = sum(one["amount_fen"] for one in confirmed)
    ends = {"carried_in": approved[:1], "carried_out": approved[-1:]}
    by_run = {key: {run for run, _ in some} for key, some in ends.items()}
    return {
        "bridge": [
            {"key": key, "fen": fen, "documents": _documents(steps, key, by_run) if fen else []}
            for key, fen in rows
        ],
        "payable_fen": payable,
        "paid_fen": paid,
        "unpaid_fen": payable - paid,
        "paid_otherwise_fen": balance["claims.paid"] - own,
        "agrees": {
            "books": _moved(fact for _, fact in steps) == _own_balances(balance),
            "runs": _settled_by_runs(lines) == _settled_by_facts(fact for _, fact in steps),
            "bank": sum(one["amount_fen"] for one in payments if one["state"] == "ordered")
            == balance["owed.ordered"],
        },
    }


def _documents(
    steps: Sequence[tuple[int, SettlementFact]], key: str, by_run: Mapping[str, set[str]]
) -> list[dict[str, Any]]:
    """List the documents that a row of the bridge is made of, with date and log position."""
    account = dict(_BRIDGE).get(key)
    return [
        {"number": _number(fact), "date": fact.date, "position": position}
        for position, fact in steps
        if (key in by_run and _number(fact) in by_run[key] and isinstance(fact, SettlementApproved))
        or (
            key not in _REMAINS and any(account in {one.debit, one.credit} for one in fact.postings)
        )
    ]


def _number(fact: SettlementFact) -> str | None:
    """Give the number of the document that a step is of: refusal, run, application or order."""
    names = ("doc_no", "order_no", "application", "run")
    return next((found for name in names if (found := getattr(fact, name, None))), None)


def _moved(facts: Iterable[SettlementFact]) -> dict[str, int]:
    """Add up what the month's own facts moved: credits less debits by account, nil left out."""
    moved: dict[str, int] = {}
    for fact in facts:
        for one in fact.postings:
            moved[one.credit] = moved.get(one.credit, 0) + one.fen
            moved[one.debit] = moved.get(one.debit, 0) - one.fen
    return _own_balances(moved)


def _own_balances(balance: Mapping[str, int]) -> dict[str, int]:
    return {account: fen for account, fen in balance.items() if fen and account in _OWN}


def _settled_by_runs(lines: Iterable[ClearedLine]) -> list[int]:
    """Give what the runs settled: declared, and each part that was taken off or added."""
    parts = [
        (
            one.settled_fen,
            *(
                one.deposit_fen,
                one.difference_fen,
                one.insurer_fen,
                one.offset_fen,
                one.prepaid_fen,
            ),
        )
        for one in lines
    ]
    return [sum(column) for column in zip(*parts, strict=True)] or _NOTHING


def _settled_by_facts(facts: Iterable[SettlementFact]) -> list[int]:
    """Give the same as the facts on the month's stream say it."""
    parts = [
        (
            one.declared_fen,
            *(
                one.deposit_fen,
                one.difference_fen,
                one.insurer_fen,
                one.offset_fen,
                one.prepaid_fen,
            ),
        )
        for one in facts
        if isinstance(one, SettlementApproved)
    ]
    return [sum(column) for column in zip(*parts, strict=True)] or _NOTHING
