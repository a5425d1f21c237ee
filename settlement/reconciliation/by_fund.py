"""The result with institutions by fund (机构 × 基金 × 清算类别). Pure.

A statement (3201) says one sum of all funds for each 险种, and personal accounts apart. So what an
institution has of one leaf fund is known where its sum agrees with ours, where only one fund owes
in the group, and for personal accounts always; else it is null with the reason. Groups that differ
in opposite directions are 不一致, whatever their sum.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.domain.fund import PERSONAL
from settlement.reconciliation.match import Result, Totals
from settlement.reconciliation.month_facts import Claim

SEVERAL_FUNDS, NO_STATEMENT, NO_FUND = "several_funds", "no_statement", "no_fund"


class FundKey(NamedTuple):
    """What a result by fund is of."""

    institution: str
    fund: str  # leaf fund; empty: theirs only, and no fund of ours owes anything there
    clr_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FundResult:
    """Both sides of one fund (基金对账结果), in fen; ``theirs_fen`` None with the reason."""

    key: FundKey
    ours_fen: int
    theirs_fen: int | None
    result: Result | None
    reason: str | None = None


@dataclass(slots=True)
class _Sums:
    ours: int = 0
    theirs: int = 0
    signs: set[int] = field(default_factory=set)
    reason: str | None = None


def owed_by_fund(claims: Iterable[Claim]) -> dict[str, int]:
    """Add up what each leaf fund owes for settlements."""
    sums: dict[str, int] = {}
    for claim in claims:
        for fund, fen in claim.funds:
            sums[fund] = sums.get(fund, 0) + fen
    return sums


class ByFund:
    """Gathers groups of insurance types into results by fund."""

    def __init__(self) -> None:
        self._sums: dict[FundKey, _Sums] = {}

    def add(
        self,
        institution: str,
        clr_type: str,
        owed: Mapping[str, int],
        totals: tuple[Totals, Totals | None],
        *,
        stated: bool = True,
    ) -> None:
        """Add one group: what our funds owe in it, and both sides' totals of it."""
        for fund, ours, theirs, reason in _shares(owed, *totals):
            sums = self._sums.setdefault(FundKey(institution, fund, clr_type), _Sums())
            sums.ours += ours
            if not stated:
                sums.reason = NO_STATEMENT
            elif theirs is None:
                sums.reason = sums.reason or reason
            else:
                sums.theirs += theirs
                sums.signs.add((ours > theirs) - (ours < theirs))

    def results(self) -> tuple[FundResult, ...]:
        """Give every fund's result in order."""
        return tuple(
            FundResult(
                key=key,
                ours_fen=sums.ours,
                theirs_fen=None if sums.reason else sums.theirs,
                result=None if sums.reason else _result(sums.signs),
                reason=sums.reason,
            )
            for key, sums in sorted(self._sums.items())
        )


def _result(signs: set[int]) -> Result:
    apart = signs - {0}
    if not apart:
        return Result.EVEN
    if len(apart) > 1:
        return Result.UNEQUAL
    return Result.OURS_MORE if apart == {1} else Result.THEIRS_MORE


def _shares(
    owed: Mapping[str, int], ours: Totals, stated: Totals | None
) -> Iterator[tuple[str, int, int | None, str | None]]:
    """Give fund, ours, theirs and the reason why theirs is not known, for one group."""
    theirs = stated or Totals(cases=0, medfee_fen=0, fund_fen=0, account_fen=0)
    personal = owed.get(PERSONAL, 0)
    if personal or theirs.account_fen:
        yield PERSONAL, personal, theirs.account_fen, None
    funds = {fund: fen for fund, fen in owed.items() if fund != PERSONAL}
    agreed = theirs.fund_fen == ours.fund_fen
    whole = sum(funds.values()) == ours.fund_fen
    for fund, fen in funds.items():
        if agreed:
            yield fund, fen, fen, None
        elif len(funds) == 1 and whole:
            yield fund, fen, theirs.fund_fen, None
        elif stated is None:
            yield fund, fen, 0, None
        else:
            yield fund, fen, None, SEVERAL_FUNDS
    if not funds and theirs.fund_fen:
        yield "", 0, None, NO_FUND
