"""Matching two sides one to one (对账): totals first, then details, each fact used at most once.

Results are those of the interface (3201 ``stmt_rslt``): 平 · 中心多 · 机构多 · 不一致.
"""

from collections import Counter
from collections.abc import Iterable
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


def repeated_keys(details: Iterable[Detail]) -> list[tuple[str, bool]]:
    """Name the settlements that one side shows more than once."""
    counts = Counter(detail.key for detail in details)
    return sorted(key for key, count in counts.items() if count > 1)
