"""Reconciling our money with bank, treasury, fiscal bureau and tax office (四方对账、余额调节表). Pure.

The unit is what can be told apart on both sides: the accounts that hold the same money account of
the same funds. Both sides count from the first month that was stated; what was matched and recorded
before stays matched. Adjusted by what only the other side has, both balances must be equal; what
keeps them apart is said: the opening, amounts that differ under one reference, nothing else.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ledger.domain.chart import KEEPER
from ledger.domain.fund import leaves
from ledger.domain.period import Period
from ledger.events.outstanding import MatchRecorded
from settlement.banking import TAX, Banks
from settlement.reconciliation.match_money import Payment, match_payments
from settlement.reconciliation.money_facts import (
    OURS,
    THEIRS,
    Entry,
    Line,
    MoneyFacts,
)
from settlement.reconciliation.units import Unit, units_of

BALANCE, TURNOVER = "balance", "turnover"
EVEN, EXPLAINED, APART, NO_STATEMENT = "even", "explained", "apart", "no_statement"
#: A word of a summary that may be one of our numbers.
_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One payment of one side, with where it is to be found."""

    side: str
    item: str  # names it among the payments of its side
    day: date
    fen: int
    refs: tuple[str, ...]  # the first names it, the others may lead to it
    text: str
    party: str
    owner: str
    position: int
    line: int | None = None
    intake: str | None = None

    @property
    def ref(self) -> str:
        return self.refs[0] if self.refs else ""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Payments that are the same money; ``match`` names it where it is recorded."""

    how: str
    ours: tuple[Item, ...]
    theirs: tuple[Item, ...]
    match: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stated balance that does not follow from the one before: a statement is missing (断点)."""

    day: date
    line: Item
    expected_fen: int
    stated_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountResult:
    """One unit's balance reconciliation (余额调节表) at the end of the month."""

    unit: Unit
    since: date
    basis: str
    ours_fen: int
    theirs_fen: int | None
    opening_fen: int  # how far apart both sides were before
    stated_lines: int  # of the month
    pairings: tuple[Pairing, ...]
    unequal: tuple[tuple[Item, Item], ...]
    only_ours: tuple[Item, ...]
    only_theirs: tuple[Item, ...]
    ambiguous: frozenset[tuple[str, str]]
    gaps: tuple[Gap, ...]

    @property
    def adjusted_ours_fen(self) -> int:
        return self.ours_fen + sum(one.fen for one in self.only_theirs)

    @property
    def adjusted_theirs_fen(self) -> int | None:
        if self.theirs_fen is None:
            return None
        return self.theirs_fen + sum(one.fen for one in self.only_ours)

    @property
    def difference_fen(self) -> int | None:
        theirs = self.adjusted_theirs_fen
        return None if theirs is None else self.adjusted_ours_fen - theirs

    @property
    def unequal_fen(self) -> int:
        return sum(mine.fen - other.fen for mine, other in self.unequal)

    @property
    def result(self) -> str:
        if self.theirs_fen is None:
            return NO_STATEMENT
        if self.difference_fen or self.unequal:
            return APART
        return EXPLAINED if self.only_ours or self.only_theirs else EVEN


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReconciliation:
    """The result for one counterparty and month, as of a position of the log."""

    area: str
    counterparty: str
    period: str
    position: int
    accounts: tuple[AccountResult, ...]


def reconcile_money(
    found: MoneyFacts,
    *,
    banks: Banks,
    funds: Collection[str],
    institutions: Collection[str],
    days_apart: int,
    fund: str | None = None,
) -> MoneyReconciliation:
    """Reconcile every unit of a counterparty, or those that hold a fund's money."""
    wanted = frozenset(funds if fund is None else leaves(fund))
    results = []
    for unit in units_of(found, banks, frozenset(funds)):
        if not unit.funds & wanted:
            continue
        registered = any(account in banks.accounts for account in unit.accounts)
        held = unit.funds if registered else unit.funds & wanted
        known = replace(unit, funds=held, registered=registered or unit.name == TAX)
        results.append(_account(found, known, frozenset(institutions), days_apart))
    return MoneyReconciliation(
        area=found.area,
        counterparty=found.counterparty,
        period=str(found.period),
        position=found.position,
        accounts=tuple(results),
    )


def _account(
    found: MoneyFacts, unit: Unit, institutions: frozenset[str], days_apart: int
) -> AccountResult:
    lines = [line for line in found.lines if _is_of(line, unit)]
    lines.sort(key=lambda line: line.payment.date)  # of one day in the order of the log
    entries = [one for one in found.entries if _booked_in(one, unit)]
    theirs = [_theirs(line) for line in lines]
    openings, gaps = _opened(lines, theirs)
    held = sum(one.fen for one in found.openings if _booked_in(one, unit))
    since, before = _start(found, lines, entries, held, openings)
    ours = list(_ours(one for one in entries if one.booked_on >= since))
    basis = BALANCE if openings is not None and unit.money_account in KEEPER else TURNOVER
    opened = openings or 0
    if basis == TURNOVER:
        before = opened = 0
    pairings = list(_recorded(found.matches, unit, ours, theirs))
    used = {(one.side, one.item) for pair in pairings for one in (*pair.ours, *pair.theirs)}
    left_ours = [one for one in ours if (OURS, one.item) not in used]
    left_theirs = [one for one in theirs if (THEIRS, one.item) not in used]
    named = _named(left_ours, {one.ref for one in left_theirs})
    mine = _payments(left_ours, institutions, named, sign=1)
    other = _payments(left_theirs, institutions, named, sign=-1)
    matched = match_payments(mine, other, days_apart=days_apart)
    pairings += [
        Pairing(one.how, tuple(mine[x] for x in one.ours), tuple(other[x] for x in one.theirs))
        for one in matched.even
    ]
    return AccountResult(
        unit=unit,
        since=since,
        basis=basis,
        ours_fen=before + sum(one.fen for one in ours),
        theirs_fen=opened + sum(one.fen for one in theirs) if lines else None,
        opening_fen=before - opened if lines else 0,
        stated_lines=sum(line.day >= found.period.first_day for line in lines),
        pairings=tuple(pairings),
        unequal=tuple((mine[a], other[b]) for a, b in matched.unequal),
        only_ours=tuple(mine[one] for one in matched.only_ours),
        only_theirs=tuple(other[one] for one in matched.only_theirs),
        ambiguous=frozenset(
            (side[one].side, side[one].item)
            for one in matched.ambiguous
            for side in (mine, other)
            if one in side
        ),
        gaps=tuple(gaps) if basis == BALANCE else (),
    )


def _start(
    found: MoneyFacts,
    lines: Sequence[Line],
    entries: Sequence[Entry],
    held: int,
    opened: int | None,
) -> tuple[date, int]:
    """Give the day both sides count from, and what our books held before it.

    That is the first of the month of the first line, unless a statement that begins within a month
    opens with what our books held on that very day.
    """
    if not lines:
        first = found.period.first_day
        return first, held + sum(one.fen for one in entries if one.booked_on < first)
    days = (Period.of(lines[0].day).first_day, lines[0].day)
    before = [(day, held + sum(one.fen for one in entries if one.booked_on < day)) for day in days]
    return next((one for one in before if one[1] == opened), before[0])


def _is_of(line: Line, unit: Unit) -> bool:
    fund = line.payment.fund
    mine = fund is None or bool(unit.funds & set(leaves(fund)))
    return mine and (line.account in unit.accounts or unit.money_account == TAX)


def _booked_in(entry: Entry, unit: Unit) -> bool:
    return entry.money_account == unit.money_account and entry.fund in unit.funds


def _ours(entries: Iterable[Entry]) -> Iterator[Item]:
    """Give the movements of our books: of one document one, whatever its funds here."""
    documents: dict[int, list[Entry]] = {}
    for one in entries:
        documents.setdefault(one.position, []).append(one)
    for position, parts in documents.items():
        fen = sum(one.fen for one in parts)
        if not fen:
            continue  # from one fund of the account to another
        first = parts[0]
        yield Item(
            side=OURS,
            item=f"{position}/{'+'.join(one.fund for one in parts)}",
            day=first.day,
            fen=fen,
            refs=first.refs,
            text=first.text,
            party=first.party,
            owner=first.by,
            position=position,
        )


def _theirs(line: Line) -> Item:
    one = line.payment
    return Item(
        side=THEIRS,
        item=line.item,
        day=line.day,
        fen=one.fen,
        refs=(one.ref,) if one.ref else (),
        text=" ".join(part for part in (one.counterparty, one.summary) if part),
        party=one.institution or "",
        owner=line.by,
        position=line.position,
        line=one.line,
        intake=line.intake,
    )


def _opened(lines: Sequence[Line], items: Sequence[Item]) -> tuple[int | None, list[Gap]]:
    """Give what the accounts held before their first line, and where stated balances do not follow.

    None where an account states no balance: then there is only what moved.
    """
    running: dict[str, int] = {}  # what an account holds, once it has said so
    unsaid: dict[str, int] = {}  # what moved before
    opening, gaps = 0, []
    for line, item in zip(lines, items, strict=True):
        account, stated = line.account, line.payment.balance_fen
        if account not in running:
            unsaid[account] = unsaid.get(account, 0) + item.fen
            if stated is not None:
                running[account] = stated
                opening += stated - unsaid[account]
            continue
        running[account] += item.fen
        if stated is not None and stated != running[account]:
            gaps.append(Gap(item.day, item, running[account], stated))
            running[account] = stated
    return (opening if running.keys() == unsaid.keys() else None), gaps


def _recorded(
    matches: Mapping[tuple[str, str, str], MatchRecorded],
    unit: Unit,
    ours: Iterable[Item],
    theirs: Iterable[Item],
) -> Iterator[Pairing]:
    """Give the matches that were recorded, as far as their payments are here."""
    how: dict[str, str] = {}
    together: dict[str, dict[str, list[Item]]] = {}
    for one in (*ours, *theirs):
        fact = matches.get((unit.money_account, one.side, one.item))
        if fact is not None:
            how[fact.match] = fact.how
            pair = together.setdefault(fact.match, {OURS: [], THEIRS: []})
            pair[one.side].append(one)
    for match, pair in together.items():
        yield Pairing(how[match], tuple(pair[OURS]), tuple(pair[THEIRS]), match)


def _named(ours: Iterable[Item], stated: Collection[str]) -> dict[str, str]:
    """Say which reference each of our numbers leads to: the one that a statement has, else our first.

    Several orders that the bank carried out under one number of its own go by that; a number that
    leads to different references leads nowhere.
    """
    named: dict[str, str] = {}
    lost: set[str] = set()
    for one in ours:
        if not one.refs:
            continue
        chosen = next((ref for ref in reversed(one.refs) if ref in stated), one.ref)
        for ref in one.refs:
            if named.setdefault(ref, chosen) != chosen:
                lost.add(ref)
    return {ref: chosen for ref, chosen in named.items() if ref not in lost or ref == chosen}


def _payments(
    items: Iterable[Item], institutions: Collection[str], named: Mapping[str, str], *, sign: int
) -> dict[Payment, Item]:
    """Give payments as they are matched; of a statement only a reference that is ours counts."""
    found = {}
    for number, one in enumerate(items, start=1):
        payment = Payment(
            ref=_our_ref(one, named),
            day=one.day.toordinal(),
            fen=one.fen,
            party=one.party if one.party in institutions else "",
            line=number * sign,
        )
        found[payment] = one
    return found


def _our_ref(one: Item, named: Mapping[str, str]) -> str:
    """Find which of our numbers a payment names: a statement's also as the only one in its summary."""
    for ref in reversed(one.refs):
        if ref in named:
            return named[ref]
    if one.side == OURS:
        return one.ref
    words = {named[word] for word in _WORD.findall(one.text) if word in named}
    return words.pop() if len(words) == 1 else ""
