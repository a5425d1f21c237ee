"""Reconciling a month with institutions (机构对账): totals first (3201), then details (3202).

Pure: both sides in, results out. A refund is a settlement of its own with negative amounts, so it
counts as one case and lowers the sums.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ledger.events.reconciliation import StatementTotalsReceived
from settlement.reconciliation.by_fund import ByFund, FundResult, owed_by_fund
from settlement.reconciliation.match import (
    NOTHING,
    Detail,
    Result,
    Totals,
    compare_totals,
    match_details,
)
from settlement.reconciliation.month_facts import (
    Claim,
    GroupKey,
    MonthFacts,
    StatedDetail,
    claims_by_institution,
    stated_by_institution,
)

ALL, NORMAL, REFUNDS = "all", "normal", "refunds"
_PARTS = {None: ALL, False: NORMAL, True: REFUNDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The sums of one 险种 and 清算类别 at an institution, on both sides."""

    key: GroupKey
    part: str
    ours: Totals
    theirs: Totals | None  # None: the institution stated others, but not this one
    result: Result
    intake: str | None = None  # where the statement came from
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A settlement that did not match (差异); the side that lacks it is None."""

    institution: str
    result: Result
    group: GroupKey | None  # as our books have it
    ours: Detail | None
    theirs: Detail | None
    intake: str | None

    @property
    def setl_id(self) -> str:
        return self._either.setl_id

    @property
    def refund(self) -> bool:
        return self._either.refund

    @property
    def _either(self) -> Detail:
        found = self.ours or self.theirs
        if found is None:
            raise ValueError("a break has at least one side")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailResult:
    """How an institution's settlements matched one to one (对明细账)."""

    institution: str
    even: int
    breaks: tuple[Break, ...]

    def count(self, result: Result) -> int:
        return sum(one.result is result for one in self.breaks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreconciled:
    """An institution that stated nothing for the month (未对账), and what we have of it."""

    institution: str
    ours: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The result for one month, as of a position of the log."""

    area: str
    period: str
    position: int
    groups: tuple[Group, ...]
    unreconciled: tuple[Unreconciled, ...]
    details: tuple[DetailResult, ...]
    by_fund: tuple[FundResult, ...]
    elsewhere: Totals  # settlements at institutions of other areas: theirs to reconcile (异地清分)

    @property
    def breaks(self) -> tuple[Break, ...]:
        return tuple(one for result in self.details for one in result.breaks)

    def count(self, result: Result) -> int:
        return sum(group.result is result for group in self.groups)


def sum_up(details: Iterable[Detail]) -> Totals:
    """Add settlements up; a refund is one case with negative amounts."""
    cases = medfee = fund = account = 0
    for one in details:
        cases += 1
        medfee += one.medfee_fen
        fund += one.fund_fen
        account += one.account_fen
    return Totals(cases=cases, medfee_fen=medfee, fund_fen=fund, account_fen=account)


def reconcile(found: MonthFacts, *, registered: Collection[str]) -> Reconciliation:
    """Compare both sides of a month; ``registered`` are the institutions of the area itself."""
    ours, stated = claims_by_institution(found), dict(stated_by_institution(found))
    groups: list[Group] = []
    unreconciled, details = [], []
    elsewhere: list[Detail] = []
    by_fund = ByFund()
    for institution in sorted({*ours, *stated, *found.details}):
        claims = ours.get(institution, [])
        if registered and institution not in registered:
            elsewhere += [claim.detail for claim in claims]
            continue
        mine = list(_groups(claims, stated.get(institution, {})))
        _add_by_fund(by_fund, claims, mine, stated=institution in stated)
        if institution in stated:
            groups += mine
        elif claims:
            total = sum_up(claim.detail for claim in claims)
            unreconciled.append(Unreconciled(institution=institution, ours=total))
        if institution in found.details:
            open_groups = {one.key for one in mine if one.result is not Result.EVEN}
            if open_groups or institution not in stated:
                theirs = found.details[institution]
                details.append(_match(institution, claims, theirs, open_groups))
    return Reconciliation(
        area=found.area,
        period=str(found.period),
        position=found.position,
        groups=tuple(groups),
        unreconciled=tuple(unreconciled),
        details=tuple(details),
        by_fund=by_fund.results(),
        elsewhere=sum_up(elsewhere),
    )


def _add_by_fund(
    by_fund: ByFund, claims: Iterable[Claim], groups: Iterable[Group], *, stated: bool
) -> None:
    """Add an institution's groups to the results by fund."""
    parts: dict[tuple[GroupKey, bool], list[Claim]] = {}
    for claim in claims:
        parts.setdefault((claim.group, claim.detail.refund), []).append(claim)
    for group in groups:
        mine = [
            claim
            for refund in {ALL: (False, True), NORMAL: (False,), REFUNDS: (True,)}[group.part]
            for claim in parts.get((group.key, refund), ())
        ]
        sides = (group.ours, group.theirs)
        owed = owed_by_fund(mine)
        by_fund.add(group.key.institution, group.key.clr_type, owed, sides, stated=stated)


def _groups(
    claims: Iterable[Claim],
    stated: Mapping[GroupKey, Mapping[bool | None, StatementTotalsReceived]],
) -> Iterable[Group]:
    """Compare like with like: where refunds were stated apart, ours are summed apart."""
    ours: dict[GroupKey, list[Detail]] = {}
    for claim in claims:
        ours.setdefault(claim.group, []).append(claim.detail)
    for key in sorted({*ours, *stated}):
        parts, mine = stated.get(key, {}), ours.get(key, [])
        for refund in (False, True) if parts.keys() & {False, True} else (None,):
            own = sum_up(one for one in mine if refund in {None, one.refund})
            fact = parts.get(refund)
            if fact is not None or own != NOTHING:
                yield _group(key, _PARTS[refund], own, fact)


def _group(key: GroupKey, part: str, ours: Totals, fact: StatementTotalsReceived | None) -> Group:
    if fact is None:  # what was not stated at all is more on our side, refunds too
        return Group(key=key, part=part, ours=ours, theirs=None, result=Result.OURS_MORE)
    theirs = Totals(
        cases=fact.cases,
        medfee_fen=fact.medfee_fen,
        fund_fen=fact.fund_fen,
        account_fen=fact.account_fen,
    )
    return Group(
        key=key,
        part=part,
        ours=ours,
        theirs=theirs,
        result=_compared(ours, theirs, refunds=part == REFUNDS),
        intake=fact.source.intake,
        line=fact.source.line,
    )


def _compared(ours: Totals, theirs: Totals, *, refunds: bool) -> Result:
    """Say who has more; of refunds alone, whose amounts are negative, that is who refunded more."""
    return (
        compare_totals(_turned(ours), _turned(theirs)) if refunds else compare_totals(ours, theirs)
    )


def _turned(totals: Totals) -> Totals:
    return Totals(
        cases=totals.cases,
        medfee_fen=-totals.medfee_fen,
        fund_fen=-totals.fund_fen,
        account_fen=-totals.account_fen,
    )


def _match(
    institution: str,
    claims: Iterable[Claim],
    stated: Mapping[tuple[str, bool], StatedDetail],
    open_groups: Collection[GroupKey],
) -> DetailResult:
    """Match the settlements of groups that differ, and whatever else the institution listed."""
    groups = {claim.detail.key: claim.group for claim in claims}
    ours = [
        claim.detail for claim in claims if claim.group in open_groups or claim.detail.key in stated
    ]
    matched = match_details(ours, (one.detail for one in stated.values()))

    def broken(
        key: tuple[str, bool], result: Result, ours: Detail | None, theirs: Detail | None
    ) -> Break:
        return Break(
            institution=institution,
            result=result,
            group=groups.get(key),
            ours=ours,
            theirs=theirs,
            intake=stated[key].intake if key in stated else None,
        )

    breaks = [
        *(broken(mine.key, Result.UNEQUAL, mine, other) for mine, other in matched.unequal),
        *(broken(mine.key, Result.OURS_MORE, mine, None) for mine in matched.only_ours),
        *(broken(other.key, Result.THEIRS_MORE, None, other) for other in matched.only_theirs),
    ]
    breaks.sort(key=lambda one: (one.setl_id, one.refund))
    return DetailResult(institution=institution, even=len(matched.even), breaks=tuple(breaks))
