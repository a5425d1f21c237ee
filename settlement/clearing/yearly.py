"""What the year leaves each institution (年度清算): pure, in whole fen.

From what the methods make due over twelve months to the final amount, institution by institution::

    due (应付) ── bands (结余留用、超支分担) ── what the reserve bears ── share of a surplus
        + other methods as priced + what no method takes, as booked
        − 审核拒付 − 考核扣款 = final;  final − settled in the months = difference

Overruns that the bands grant are borne by the regional reserve (调节金) up to what it holds and the
policy lets it give; what it cannot bear is cut from all of them by largest remainder. Nothing is
lost on the way, to the fen::

    Σ final + refused + assessed + reserve left + surplus kept + difference of the point value
        = budget + due by methods without points + as booked + rounding

The result does not depend on the order of what comes in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.domain.money import allocate, fen_share, round_half_up
from settlement.clearing.bands import Bands, banded, capped_by_reserve
from settlement.clearing.monthly import Line, MonthDue
from settlement.clearing.policies.policy import Dip, Drg, Policy
from settlement.clearing.policies.yearly_rules import (
    Assessment,
    BandsOf,
    BandsOn,
    HeldBack,
    Rounding,
    Surplus,
    YearlyRules,
)

_YUAN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class YearBooks:
    """What the books say of one institution's year before it is cleared, in fen."""

    booked_fen: int = 0  # 记账 of all its settlements, refunds and reversals taken off
    refused_fen: int = 0  # 审核拒付
    settled_fen: int = 0  # 已结算: approved in the months, or by earlier runs of the year
    unsettled_fen: int = 0  # booked or declared, and in no approved run
    held_fen: int = 0  # booked of cases that are held back
    assessed_fen: int = 0  # 考核扣款


@dataclass(frozen=True, slots=True, kw_only=True)
class YearLine:
    """One institution's way from what is due to what is posted, in fen."""

    institution: str
    cases: int
    points4: int
    booked_fen: int  # of the cases that count
    due_fen: int  # by methods whose amounts go through the bands
    band_fen: int  # after the bands, the reserve and the surplus
    borne_fen: int  # what the reserve bears of it
    not_borne_fen: int  # what the bands grant and the reserve could not bear
    surplus_fen: int  # its share of a surplus
    priced_fen: int  # by the other methods
    as_booked_fen: int  # of no method of the policy
    refused_fen: int
    assessed_fen: int
    rounding_fen: int
    final_fen: int
    settled_fen: int
    expected_fen: int  # still to be settled by the months' own runs
    difference_fen: int  # final − settled − expected: what is posted


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPool:
    """Where the budget of the year went, in fen (总额预算去向)."""

    budget_fen: int
    reserve_fen: int
    reserve_used_fen: int
    surplus_fen: int  # what the bands took off dues
    surplus_used_fen: int  # of it: bears overruns, by the policy
    surplus_shared_fen: int
    not_borne_fen: int
    point_difference_fen: int  # 点值差额: of a published value, or of a year without points
    outside_fen: int  # due by methods without points whose amounts went through the bands

    @property
    def reserve_left_fen(self) -> int:
        return self.reserve_fen - self.reserve_used_fen

    @property
    def surplus_kept_fen(self) -> int:
        return self.surplus_fen - self.surplus_used_fen - self.surplus_shared_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class YearDue:
    """The year of one fund: a line for each institution, in their order, and the pool."""

    lines: tuple[YearLine, ...]
    pool: YearPool

    @property
    def unaccounted_fen(self) -> int:
        """Give what the budget's whereabouts do not explain: nil, or nothing of it may be used."""
        pool, lines = self.pool, self.lines
        told = (
            sum(one.final_fen + one.refused_fen + one.assessed_fen for one in lines)
            + pool.reserve_left_fen
            + pool.surplus_kept_fen
            + pool.point_difference_fen
        )
        by_budget = pool.budget_fen + sum(
            one.priced_fen + one.as_booked_fen + one.rounding_fen for one in lines
        )
        return by_budget + pool.outside_fen - told


@dataclass(slots=True)
class _Account:
    """One institution while its year is computed."""

    cases: int = 0
    points4: int = 0
    booked_fen: int = 0
    due_fen: int = 0
    banded_booked_fen: int = 0
    borne_by_others_fen: int = 0
    priced_fen: int = 0
    lines: list[Line] = field(default_factory=list)


def due_of_year(policy: Policy, due: MonthDue, books: Mapping[str, YearBooks]) -> YearDue:
    """Give what the year leaves every institution that had cases, money or an assessment in it."""
    rules = policy.yearly
    accounts = _accounts(policy, due, books, rules)
    pointed = _with_points(policy)
    outside = sum(
        line.due_fen
        for account in accounts.values()
        for line in account.lines
        if line.counted.method not in pointed
    )
    budget_fen = policy.budget.year_fen if policy.budget is not None else 0
    distributable = due.pool.distributable_fen if due.pool is not None else 0
    reserve_fen = budget_fen - distributable if due.pool is not None else 0
    entitled = {
        code: account.due_fen - _before_bands(books, code, rules)
        for code, account in accounts.items()
    }
    granted = {
        code: _band(policy.bands, rules, accounts[code], entitled[code]) for code in accounts
    }
    surplus = sum(max(entitled[code] - granted[code], 0) for code in accounts)
    overruns = {code: max(granted[code] - entitled[code], 0) for code in accounts}
    available = fen_share(reserve_fen, rules.reserve_cap)
    if rules.surplus is Surplus.RESERVE:
        available += surplus
    shared = capped_by_reserve(overruns, reserve_fen=available)
    used = sum(shared.borne.values())
    surplus_used = min(used, surplus) if rules.surplus is Surplus.RESERVE else 0
    gifts = _gifts(fen_share(surplus - surplus_used, rules.surplus_shared), entitled)
    lines = tuple(
        _line(
            code,
            accounts[code],
            books.get(code, YearBooks()),
            rules,
            entitled=entitled[code],
            granted=granted[code],
            borne=shared.borne.get(code, 0),
            gift=gifts.get(code, 0),
        )
        for code in sorted(accounts)
    )
    pool = YearPool(
        budget_fen=budget_fen if due.pool is not None else 0,
        reserve_fen=reserve_fen,
        reserve_used_fen=used - surplus_used,
        surplus_fen=surplus,
        surplus_used_fen=surplus_used,
        surplus_shared_fen=sum(gifts.values()),
        not_borne_fen=shared.not_borne_fen,
        point_difference_fen=due.pool.difference_fen if due.pool is not None else 0,
        outside_fen=outside,
    )
    return YearDue(lines=lines, pool=pool)


def _with_points(policy: Policy) -> frozenset[str]:
    return frozenset(
        method.name for method in policy.methods if isinstance(method.rules, Dip | Drg)
    )


def _accounts(
    policy: Policy, due: MonthDue, books: Mapping[str, YearBooks], rules: YearlyRules
) -> dict[str, _Account]:
    pointed = _with_points(policy)
    found: dict[str, _Account] = {code: _Account() for code in books}
    for line in due.lines:
        counted = line.counted
        account = found.setdefault(counted.institution, _Account())
        account.cases += counted.cases
        account.booked_fen += counted.booked_fen
        account.points4 += counted.points4
        if rules.bands_of is BandsOf.ALL or counted.method in pointed:
            account.due_fen += line.due_fen
            account.banded_booked_fen += counted.booked_fen
            account.borne_by_others_fen += counted.borne_fen
            account.lines.append(line)
        else:
            account.priced_fen += line.due_fen
    return found


def _before_bands(books: Mapping[str, YearBooks], code: str, rules: YearlyRules) -> int:
    if rules.assessment is Assessment.AFTER_BANDS or code not in books:
        return 0
    return books[code].assessed_fen


def _band(bands: Bands | None, rules: YearlyRules, account: _Account, entitled_fen: int) -> int:
    """Give what the bands grant; without bands, or owed back already, what the institution is due."""
    if bands is None or not account.lines:
        return entitled_fen
    others = account.borne_by_others_fen if rules.bands_on is BandsOn.TOTAL else 0
    due, booked = entitled_fen + others, account.banded_booked_fen + others
    if due < 0 or booked < 0:
        return entitled_fen
    return banded(bands, due_fen=due, booked_fen=booked) - others


def _gifts(shared_fen: int, entitled: Mapping[str, int]) -> dict[str, int]:
    """Share a surplus by what institutions are due; largest remainder, ties to the smaller code."""
    weights = {code: fen for code, fen in entitled.items() if fen > 0}
    return allocate(shared_fen, weights) if shared_fen and weights else {}


def _line(
    code: str,
    account: _Account,
    books: YearBooks,
    rules: YearlyRules,
    *,
    entitled: int,
    granted: int,
    borne: int,
    gift: int,
) -> YearLine:
    overrun = max(granted - entitled, 0)
    band = min(granted, entitled) + borne + gift
    as_booked = books.booked_fen - account.booked_fen - books.held_fen
    if rules.held_back is HeldBack.AS_BOOKED:
        as_booked += books.held_fen
    after = books.assessed_fen if rules.assessment is Assessment.AFTER_BANDS else 0
    exact = band + account.priced_fen + as_booked - books.refused_fen - after
    final = _rounded(exact, rules.rounding)
    return YearLine(
        institution=code,
        cases=account.cases,
        points4=account.points4,
        booked_fen=account.booked_fen,
        due_fen=account.due_fen,
        band_fen=band,
        borne_fen=borne,
        not_borne_fen=overrun - borne,
        surplus_fen=gift,
        priced_fen=account.priced_fen,
        as_booked_fen=as_booked,
        refused_fen=books.refused_fen,
        assessed_fen=books.assessed_fen,
        rounding_fen=final - exact,
        final_fen=final,
        settled_fen=books.settled_fen,
        expected_fen=books.unsettled_fen,
        difference_fen=final - books.settled_fen - books.unsettled_fen,
    )


def _rounded(fen: int, rounding: Rounding) -> int:
    if rounding is Rounding.FEN:
        return fen
    return int(round_half_up(fen, -2)) if fen else 0
