"""What is reconciled as one (对账单位): accounts that hold the same money account of the same funds. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.domain.fund import leaves
from settlement.banking import TAX, BankAccount, Banks, Place
from settlement.reconciliation.money_facts import MoneyFacts, accounts_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is reconciled as one: the accounts of one money account and its funds (对账单位)."""

    name: str
    money_account: str
    funds: frozenset[str]  # leaf funds
    accounts: tuple[str, ...]
    registered: bool = True  # the setup says which money account and funds it is


def units_of(found: MoneyFacts, banks: Banks, funds: frozenset[str]) -> list[Unit]:
    """Put accounts together that cannot be told apart in our books, and what no account is named for."""
    if found.counterparty == TAX:
        return [Unit(name=TAX, money_account=TAX, funds=funds, accounts=(TAX,))]
    kept = accounts_kept(found.counterparty)
    groups: list[tuple[str, frozenset[str], tuple[str, ...]]] = []
    for account in _accounts(found, banks):
        if account.money_account not in kept:
            continue
        held = frozenset(leaf for one in account.funds for leaf in leaves(one)) & funds or funds
        mine, names = held, [account.account]
        for group in list(groups):
            if group[0] == account.money_account and group[1] & held:
                groups.remove(group)
                mine, names = mine | group[1], [*group[2], *names]
        groups.append((account.money_account, mine, tuple(names)))
    for place in kept:
        covered = frozenset[str]().union(*(one[1] for one in groups if one[0] == place))
        left = funds - covered
        moved = {
            one.fund for one in (*found.entries, *found.openings) if one.money_account == place
        }
        if left & moved:
            groups.append((place, left, ()))
    return [
        Unit(
            name="+".join(sorted(names)) or place,
            money_account=place,
            funds=held,
            accounts=tuple(sorted(names)),
        )
        for place, held, names in sorted(groups, key=lambda one: (kept.index(one[0]), one[2]))
    ]


def _accounts(found: MoneyFacts, banks: Banks) -> Iterator[BankAccount]:
    yield from banks.accounts.values()
    for account in sorted({line.account for line in found.lines} - set(banks.accounts)):
        money_account = banks.money_account(Place(found.counterparty, account))
        yield BankAccount(account=account, money_account=money_account)
