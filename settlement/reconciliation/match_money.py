"""Matching payments of our books with those of a statement (对账), each used at most once. Pure.

In this order: reference and amount; all of one reference by their sum; reference with another
amount, which is unequal and never silently even; amount and party, then amount alone, near in time;
at last several of one day against one with their sum. What could go two ways there goes neither.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar


class How(StrEnum):
    """By what two sides were matched (勾对依据)."""

    REF = "ref"  # 单据号、流水号一致
    REF_SUM = "ref_sum"  # 同一单据号合计一致
    REVERSED = "reversed"  # 同一单据号红蓝相抵
    PARTY = "party"  # 金额、对方一致,日期相近
    AMOUNT = "amount"  # 金额一致,日期相近
    DAY_SUM = "day_sum"  # 当日合计一致
    HAND = "hand"  # 人工勾对


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Payment:
    """One payment as our books or a statement has it; the amount is signed, + is in."""

    ref: str  # our document or order, or what the bank prints of it; empty: none of ours
    day: int  # ordinal of the date
    fen: int
    party: str  # the institution; empty: not known
    line: int  # tells it apart on its side


Payments = tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Payments of both sides that are the same money; one side is empty where the other cancels out."""

    how: How
    ours: Payments
    theirs: Payments


@dataclass(slots=True)
class Matched:
    """What went together and what did not; every payment of both sides is in exactly one place."""

    even: list[Together] = field(default_factory=list)
    unequal: list[tuple[Payment, Payment]] = field(default_factory=list)
    only_ours: list[Payment] = field(default_factory=list)
    only_theirs: list[Payment] = field(default_factory=list)
    ambiguous: set[Payment] = field(default_factory=set)  # open, because it could go two ways


class _Open:
    """The payments that are still open on both sides, in their order."""

    def __init__(self, ours: Iterable[Payment], theirs: Iterable[Payment]) -> None:
        self.ours = dict.fromkeys(sorted(ours))
        self.theirs = dict.fromkeys(sorted(theirs))

    def take(self, ours: Payments, theirs: Payments) -> None:
        """Strike what was matched."""
        for one in ours:
            del self.ours[one]
        for one in theirs:
            del self.theirs[one]


def match_payments(
    ours: Iterable[Payment], theirs: Iterable[Payment], *, days_apart: int
) -> Matched:
    """Match payments; the order in which they are given is irrelevant."""
    found, left = Matched(), _Open(ours, theirs)
    for mine, other in _nearest(left, _by_ref_and_amount):
        found.even.append(Together(How.REF, (mine,), (other,)))
    found.even += _match_refs(left)
    found.unequal = list(_nearest(left, _by_ref))
    for how, key in ((How.PARTY, _by_party_and_amount), (How.AMOUNT, _by_amount)):
        for mine, other in _within(left, key, days_apart):
            found.even.append(Together(how, (mine,), (other,)))
    for key in (_day_and_party, _day):
        for turned in (False, True):
            found.even += _match_days(found, left, key, turned=turned)
    found.only_ours, found.only_theirs = list(left.ours), list(left.theirs)
    found.ambiguous &= {*left.ours, *left.theirs}
    return found


def _match_refs(left: _Open) -> Iterator[Together]:
    """Match all payments of one reference by their sum: an order paid in parts, a document in red."""
    ours, theirs = _grouped(left.ours, _by_ref), _grouped(left.theirs, _by_ref)
    for ref in sorted({*ours, *theirs}, key=str):
        mine, others = tuple(ours.get(ref, ())), tuple(theirs.get(ref, ()))
        if _sum(mine) == _sum(others):
            left.take(mine, others)
            yield Together(How.REF_SUM if mine and others else How.REVERSED, mine, others)


def _match_days(
    found: Matched, left: _Open, key: Callable[[Payment], Hashable], *, turned: bool
) -> Iterator[Together]:
    """Match the payments of a day with one of the other side, where only one has their sum."""
    many, ones = (left.theirs, left.ours) if turned else (left.ours, left.theirs)
    by_sum = _grouped(ones, lambda one: (one.day, one.fen))
    fitting: list[tuple[Payments, list[Payment]]] = []
    for _, day in sorted(_grouped(many, key).items(), key=lambda item: str(item[0])):
        candidates = by_sum.get((day[0].day, _sum(day)), [])
        fitting.append((tuple(day), [one for one in candidates if _compatible(one, day)]))
    wanted = Counter(one for group, fits in fitting if len(group) > 1 for one in fits)
    for group, fits in fitting:
        if len(group) < 2 or not fits:
            continue
        if len(fits) > 1 or wanted[fits[0]] > 1:
            found.ambiguous |= {*group, *fits}
            continue
        one: Payments = (fits[0],)
        ours, theirs = (one, group) if turned else (group, one)
        left.take(ours, theirs)
        yield Together(How.DAY_SUM, ours, theirs)


def _compatible(one: Payment, group: Iterable[Payment]) -> bool:
    parties = {mine.party for mine in group}
    return not one.party or parties <= {one.party, ""}


def _sum(payments: Iterable[Payment]) -> int:
    return sum(one.fen for one in payments)


def _by_ref_and_amount(one: Payment) -> Hashable:
    return (one.ref, one.fen) if one.ref else None


def _by_ref(one: Payment) -> Hashable:
    return one.ref or None


def _by_party_and_amount(one: Payment) -> Hashable:
    return (one.party, one.fen) if one.party else None


def _by_amount(one: Payment) -> Hashable:
    return (one.fen,)


def _day_and_party(one: Payment) -> Hashable:
    return (one.day, one.fen > 0, one.party) if one.party else None


def _day(one: Payment) -> Hashable:
    return one.day, one.fen > 0


def _on_day(one: Payment) -> int:
    return one.day


_Key = TypeVar("_Key", bound=Hashable)


def _grouped(
    payments: Iterable[Payment], key: Callable[[Payment], _Key | None]
) -> dict[_Key, list[Payment]]:
    groups: dict[_Key, list[Payment]] = {}
    for one in payments:
        found = key(one)
        if found is not None:
            groups.setdefault(found, []).append(one)
    return groups


def _nearest(left: _Open, key: Callable[[Payment], Hashable]) -> Iterator[tuple[Payment, Payment]]:
    """Pair what shares a key, the nearest in time first, then the earliest, each once."""
    ours, theirs = _grouped(left.ours, key), _grouped(left.theirs, key)
    for shared in sorted(ours.keys() & theirs.keys(), key=str):
        near = sorted(
            (abs(mine.day - other.day), *sorted((mine.day, other.day)), mine, other)
            for mine in ours[shared]
            for other in theirs[shared]
        )
        for *_, mine, other in near:
            if mine in left.ours and other in left.theirs:
                left.take((mine,), (other,))
                yield mine, other


def _within(
    left: _Open, key: Callable[[Payment], Hashable], days: int
) -> Iterator[tuple[Payment, Payment]]:
    """Pair what shares a key and lies at most so many days apart: the same day first, then the next.

    Thousands may share one amount, so days are compared and not every one with every other.
    """
    ours, theirs = _grouped(left.ours, key), _grouped(left.theirs, key)
    for shared in sorted(ours.keys() & theirs.keys(), key=str):
        mine, others = _grouped(ours[shared], _on_day), _grouped(theirs[shared], _on_day)
        for apart in range(days + 1):
            for day in sorted(mine):
                for other_day in dict.fromkeys((day - apart, day + apart)):
                    yield from _zipped(left, mine[day], others.get(other_day, []))


def _zipped(
    left: _Open, ours: Iterable[Payment], theirs: Iterable[Payment]
) -> Iterator[tuple[Payment, Payment]]:
    """Pair the open payments of two days in their order, but for those of different parties."""
    waiting = [one for one in theirs if one in left.theirs]
    for mine in [one for one in ours if one in left.ours]:
        for place, other in enumerate(waiting):
            if _same_payment(mine, other):
                del waiting[place]
                left.take((mine,), (other,))
                yield mine, other
                break


def _same_payment(mine: Payment, other: Payment) -> bool:
    both_named = bool(mine.ref and other.ref)  # and differently, or they had met before
    strangers = bool(mine.party and other.party) and mine.party != other.party
    return not both_named and not strangers
