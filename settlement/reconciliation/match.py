"""Matching two sides one to one (对账): totals first, then details, each fact used at most once.

Results are those of the interface (3201 ``stmt_rslt``): 平 · 中心多 · 机构多 · 不一致.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

Row = TypeVar("Row")


class Result(StrEnum):
    """How two sides compare."""

    EVEN = "0"  # 平
    OURS_MORE = "1"  # 中心多
    THEIRS_MORE = "2"  # 机构多
    UNEQUAL = "3"  # 不一致


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """One side's sums for an institution, fund and kind of clearing over a period, in fen."""

    cases: int
    medfee_fen: int
    fund_fen: int
    account_fen: int


NOTHING = Totals(cases=0, medfee_fen=0, fund_fen=0, account_fen=0)


def compare_totals(ours: Totals, theirs: Totals) -> Result:
    """Compare sums: more on one side only if nothing of the other side is larger (对总账)."""
    pairs = [
        (ours.cases, theirs.cases),
        (ours.medfee_fen, theirs.medfee_fen),
        (ours.fund_fen, theirs.fund_fen),
        (ours.account_fen, theirs.account_fen),
    ]
    if all(a == b for a, b in pairs):
        return Result.EVEN
    if all(a >= b for a, b in pairs):
        return Result.OURS_MORE
    if all(a <= b for a, b in pairs):
        return Result.THEIRS_MORE
    return Result.UNEQUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One settlement as one side has it (对明细账); ``line`` tells where that side shows it."""

    setl_id: str
    refund: bool
    medfee_fen: int
    fund_fen: int
    account_fen: int
    line: int

    @property
    def key(self) -> tuple[str, bool]:
        return self.setl_id, self.refund

    @property
    def amounts(self) -> tuple[int, int, int]:
        return self.medfee_fen, self.fund_fen, self.account_fen


@dataclass(slots=True)
class Matched(Generic[Row]):
    """What went together and what did not; every row of both sides is in exactly one list."""

    even: list[tuple[Row, Row]] = field(default_factory=list)
    unequal: list[tuple[Row, Row]] = field(default_factory=list)
    only_ours: list[Row] = field(default_factory=list)
    only_theirs: list[Row] = field(default_factory=list)

    @property
    def is_even(self) -> bool:
        return not (self.unequal or self.only_ours or self.only_theirs)


def match_details(ours: Iterable[Detail], theirs: Iterable[Detail]) -> Matched[Detail]:
    """Match settlements by number and refund flag, once each, in the order of the lines.

    A number that one side shows twice is matched once; the second stands alone, as it should.
    """
    found: Matched[Detail] = Matched()
    waiting: dict[tuple[str, bool], list[Detail]] = {}
    for detail in sorted(theirs, key=lambda one: one.line, reverse=True):
        waiting.setdefault(detail.key, []).append(detail)
    for detail in sorted(ours, key=lambda one: one.line):
        partners = waiting.get(detail.key)
        if not partners:
            found.only_ours.append(detail)
            continue
        partner = _take(partners, detail)
        side = found.even if partner.amounts == detail.amounts else found.unequal
        side.append((detail, partner))
    left = [detail for partners in waiting.values() for detail in partners]
    found.only_theirs = sorted(left, key=lambda one: one.line)
    return found


def _take(partners: list[Detail], detail: Detail) -> Detail:
    """Take the first partner with equal amounts, else the first."""
    for place in range(len(partners) - 1, -1, -1):
        if partners[place].amounts == detail.amounts:
            return partners.pop(place)
    return partners.pop()


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Payment:
    """One payment as our books or the bank's statement has it; the amount is signed, + is in."""

    ref: str  # our order number, or what the bank prints of it
    day: int  # ordinal of the date
    fen: int
    party: str
    line: int


def match_payments(
    ours: Iterable[Payment], theirs: Iterable[Payment], *, days_apart: int
) -> Matched[Payment]:
    """Match payments one to one: by reference and amount, then by party and amount near in time.

    An amount that could go with several of the other side goes with the nearest day, then the
    earlier line; a reference that agrees with another amount is unequal, never silently even.
    """
    found: Matched[Payment] = Matched()
    open_ours, open_theirs = list(ours), list(theirs)
    for key, fits, side in (
        (_by_ref_and_amount, _always, found.even),
        (_by_ref, _always, found.unequal),
        (_by_party_and_amount, _near(days_apart), found.even),
    ):
        pairs = _pairs(open_ours, open_theirs, key, fits)
        side.extend(pairs)
        mine, other = {id(a) for a, _ in pairs}, {id(b) for _, b in pairs}
        open_ours = [one for one in open_ours if id(one) not in mine]
        open_theirs = [one for one in open_theirs if id(one) not in other]
    found.only_ours, found.only_theirs = open_ours, open_theirs
    return found


def _by_ref_and_amount(one: Payment) -> Hashable:
    return (one.ref, one.fen) if one.ref else None


def _by_ref(one: Payment) -> Hashable:
    return one.ref or None


def _by_party_and_amount(one: Payment) -> Hashable:
    return one.party, one.fen


def _always(_mine: Payment, _other: Payment) -> bool:
    return True


def _near(days: int) -> Callable[[Payment, Payment], bool]:
    def fits(mine: Payment, other: Payment) -> bool:
        both_named = bool(mine.ref and other.ref)  # and differently, or they had met before
        return not both_named and abs(mine.day - other.day) <= days

    return fits


def _pairs(
    ours: Sequence[Payment],
    theirs: Sequence[Payment],
    key: Callable[[Payment], Hashable],
    fits: Callable[[Payment, Payment], bool],
) -> list[tuple[Payment, Payment]]:
    """Pair what shares a key, the nearest in time first, each once."""
    groups: dict[Hashable, list[Payment]] = {}
    for other in theirs:
        groups.setdefault(key(other), []).append(other)
    groups.pop(None, None)
    near = sorted(
        (abs(mine.day - other.day), mine.line, other.line, mine, other)
        for mine in ours
        for other in groups.get(key(mine), ())
        if fits(mine, other)
    )
    pairs, taken = [], set()
    for _, _, _, mine, other in near:
        if id(mine) not in taken and id(other) not in taken:
            taken |= {id(mine), id(other)}
            pairs.append((mine, other))
    return pairs


def repeated_keys(details: Iterable[Detail]) -> list[tuple[str, bool]]:
    """Name the settlements that one side shows more than once."""
    counts = Counter(detail.key for detail in details)
    return sorted(key for key, count in counts.items() if count > 1)
