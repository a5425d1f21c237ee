"""What an area's setup says of its accounts at bank, treasury and fiscal bureau (银行账户、对账单格式).

Pure values, read out of the area's options. Those who state something of our money are the
counterparties of the four-way reconciliation (四方对账): bank, treasury, fiscal bureau, tax office.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.domain.chart import KEEPER

BANK, TREASURY, FISCAL, TAX = COUNTERPARTIES = ("bank", "treasury", "fiscal", "tax")

#: The account that is meant where nothing more is said.
_USUAL = {BANK: "expenditure", FISCAL: "fiscal", TREASURY: "treasury", TAX: TAX}


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """One account as a statement names it (账号): the money account it is, and the funds it holds."""

    account: str
    money_account: str
    funds: tuple[str, ...] = ()  # as the setup names them; empty: every fund of the area


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLayout:
    """How one bank writes its statements (对账单格式): what differs from our own columns."""

    name: str
    heads: Mapping[str, str] = field(default_factory=dict)  # our column → their head
    date_format: str | None = None  # such as DD/MM/YYYY; None: as everywhere
    reversed_sign: bool = False  # their + is money out
    in_words: tuple[str, ...] = ()  # of the direction column
    out_words: tuple[str, ...] = ()
    account: str | None = None  # where the file does not name it
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Whose statement a row is of, and of which account."""

    source: str
    account: str


class NoSuchAccount(ValueError):
    """A row whose account cannot be told; ``code`` is one of the row rejections."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Banks:
    """The accounts and layouts of one area; without accounts any account is taken."""

    accounts: Mapping[str, BankAccount] = field(default_factory=dict)
    layouts: Mapping[str, BankLayout] = field(default_factory=dict)

    def place(self, source: str | None, account: str | None) -> Place:
        """Tell whose statement a row is of; NoSuchAccount where that cannot be said.

        An account of the setup, or the name of a money account, says it all. Where the setup
        names none, what is not said is the usual: the expenditure account at the bank.
        """
        if source == TAX:
            return Place(TAX, TAX)
        if account in KEEPER:
            return Place(source or KEEPER[account], account)
        if account is None:
            mine = [
                one.account
                for one in self.accounts.values()
                if KEEPER[one.money_account] == (source or BANK)
            ]
            if len(mine) == 1:
                return Place(source or BANK, mine[0])
            if self.accounts:
                raise NoSuchAccount("bank_account_needed")
            return Place(source or BANK, _USUAL[source or BANK])
        known = self.accounts.get(account)
        if known is None and self.accounts:
            raise NoSuchAccount("unknown_bank_account")
        keeper = KEEPER[known.money_account] if known is not None else BANK
        return Place(source or keeper, account)

    def money_account(self, place: Place) -> str:
        """Give the money account that a statement is held against; ``tax`` for the tax office's."""
        known = self.accounts.get(place.account)
        if known is not None:
            return known.money_account
        return place.account if place.account in KEEPER else _USUAL[place.source]

    def funds(self, place: Place) -> tuple[str, ...]:
        """Give the funds whose money lies there; empty: every fund of the area."""
        known = self.accounts.get(place.account)
        return known.funds if known is not None else ()


def banks_of(options: Mapping[str, Any]) -> Banks:
    """Read the accounts and layouts out of an area's options."""
    accounts = [
        BankAccount(
            account=one["account"],
            money_account=one["money_account"],
            funds=tuple(one.get("funds", ())),
        )
        for one in options.get("bank_accounts", ())
    ]
    layouts = [
        BankLayout(
            name=one["name"],
            heads=dict(one.get("heads", {})),
            date_format=one.get("date_format"),
            reversed_sign=one.get("sign") == "out_positive",
            in_words=tuple(one.get("in_words", ())),
            out_words=tuple(one.get("out_words", ())),
            account=one.get("account"),
            source=one.get("source"),
        )
        for one in options.get("bank_profiles", ())
    ]
    return Banks({one.account: one for one in accounts}, {one.name: one for one in layouts})
