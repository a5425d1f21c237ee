"""The clearing of a year (年度清算): archive and policy in, what is posted for each institution out.

The engine counts twelve months at once, late lists, groupings and reviews among them; the books say
what was settled in the months and by earlier runs of the year. What stands in the way is listed, not
raised: a trial shows it beside the figures, a run is refused with all of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

from ledger.aggregates.policies import APPROVED, CLEARING, Policies, Version
from ledger.domain.chart import STAGES
from ledger.domain.period import Year
from ledger.events.cases import AssessmentRecorded
from settlement.clearing.deposit import ScoreWithoutRule, release
from settlement.clearing.digest import rows_digest
from settlement.clearing.month.provisional import Cleared, clear_month
from settlement.clearing.month.question import Chosen, Question, chosen_of
from settlement.clearing.month.refusals import TotalsDiffer
from settlement.clearing.owed import BOOKED, DECLARED, Month, Records
from settlement.clearing.policies.policy import Policy
from settlement.clearing.policies.yearly_rules import Months, NoMethod
from settlement.clearing.year.left import left_declared, still_left
from settlement.clearing.year.refusals import PolicyChangesWithinYear, YearProblem
from settlement.clearing.yearly import YearBooks, YearDue, due_of_year

DEPOSIT = "owed.deposit"
_INCURRED, _REFUSED, _FORFEITED = "claims.incurred", "claims.refused", "claims.forfeited"
#: Where an amount is once it was approved: it never comes back before it.
SETTLED = (
    *(stage for stage in STAGES if stage not in {BOOKED, DECLARED}),
    *("claims.paid", "claims.offset", "claims.prepaid", "claims.insurer", _FORFEITED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearDeposit:
    """The quality deposit of an institution's year (质量保证金), in fen; None: not decided."""

    institution: str
    score: str | None
    withheld_fen: int
    released_fen: int | None  # of the whole year
    forfeited_fen: int | None
    release_fen: int = 0  # what this run posts
    forfeit_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearedYear:
    """One year of one fund under one policy, and what stands in the way of posting it."""

    cleared: Cleared
    due: YearDue
    deposits: tuple[YearDeposit, ...]
    scores: Mapping[str, str]
    left: Mapping[str, int]  # by institution: declared, and not paid by the months' share
    problems: tuple[YearProblem, ...]
    result: str  # digest of all that would be posted


@dataclass(slots=True)
class _Books:
    """One institution's year as the books have it, in fen."""

    booked: int = 0
    refused: int = 0
    settled: int = 0
    unsettled: dict[str, int] = field(default_factory=dict)  # by month
    left: int = 0  # of what was declared, by the share that is paid monthly
    withheld: int = 0  # deposit of the months
    released: int = 0  # by earlier runs of the year
    forfeited: int = 0


def policy_of_year(policies: Policies, fund: str, year: Year) -> Chosen:
    """Give the policy that clears a year: the latest that names it, else the one in force all of it.

    NoPolicyInForce and PolicyChangesWithinYear name the first day in question.
    """
    named = [one for one in policies.versions if _names(one, fund, year)]
    if named:
        return chosen_of(named[-1])
    day, last = year.months[0].first_day, year.months[-1].last_day
    first = policies.in_force(fund, day.isoformat())
    while day < last:
        day += timedelta(days=1)
        later = policies.in_force(fund, day.isoformat())
        if later is not first:
            raise PolicyChangesWithinYear(
                year=str(year), first=first.id, second=later.id, day=day.isoformat()
            )
    return chosen_of(first)


def _names(version: Version, fund: str, year: Year) -> bool:
    table = version.content.get("yearly")
    said = table.get("year") if isinstance(table, dict) else None
    approved = version.state == APPROVED and version.kind == CLEARING
    return approved and version.fund == fund and said == year.year


def clear_year(question: Question, records: Records, chosen: Chosen) -> ClearedYear:
    """Compute a year under a policy; TotalsDiffer where something does not add up."""
    year = str(question.period)
    cleared = clear_month(question, chosen)
    books = _books(records, question)
    assessed = assessments(records, question.fund, year)
    due = due_of_year(
        chosen.policy, cleared.due, _year_books(cleared, books, assessed, chosen.policy)
    )
    if due.unaccounted_fen:
        raise TotalsDiffer(
            period=year,
            fund=question.fund,
            what="预算去向 whereabouts of the budget",
            expected=0,
            found=due.unaccounted_fen,
        )
    deposits, gaps = _deposits(chosen.policy, books, assessed)
    problems = [*_unsettled(chosen.policy, books), *_no_method(cleared), *gaps]
    lines = [
        (one.institution, one.final_fen, one.settled_fen, one.difference_fen) for one in due.lines
    ]
    told = [(one.institution, one.release_fen, one.forfeit_fen) for one in deposits]
    left = {code: one.left for code, one in sorted(books.items()) if one.left}
    return ClearedYear(
        cleared=cleared,
        due=due,
        deposits=deposits,
        scores={code: one.score for code, one in sorted(assessed.items())},
        left=left,
        problems=tuple(problems),
        result=rows_digest([(cleared.record.result,), *lines, *told, *left.items()]),
    )


def _books(records: Records, question: Question) -> dict[str, _Books]:
    """Sum the fund's months of the year, and what earlier runs of the year posted."""
    months, year = set(map(str, question.period.months)), str(question.period)
    left = left_declared(records, question.fund, months)
    found: dict[str, _Books] = {}
    for of, accounts in records.owed(since=min(months)).items():
        if of.fund != question.fund or of.month not in {*months, year}:
            continue
        books = found.setdefault(of.institution, _Books())
        if of.month == year:
            _add_year(books, accounts)
        else:
            _add_month(books, of, accounts, left.get((of.institution, of.month), 0))
    return found


def _add_month(books: _Books, of: Month, accounts: Mapping[str, int], left: int) -> None:
    _add(books, accounts)
    declared = accounts.get(DECLARED, 0)
    kept = still_left(left, declared)
    books.left += kept
    if waiting := accounts.get(BOOKED, 0) + declared - kept:
        books.unsettled[of.month] = waiting
    books.withheld += accounts.get(DEPOSIT, 0)


def _add_year(books: _Books, accounts: Mapping[str, int]) -> None:
    _add(books, accounts)
    books.left += accounts.get(DECLARED, 0)  # below nil: taken off by an earlier run
    books.forfeited += accounts.get(_FORFEITED, 0)
    books.released -= accounts.get(DEPOSIT, 0) + accounts.get(_FORFEITED, 0)


def _add(books: _Books, accounts: Mapping[str, int]) -> None:
    books.booked -= accounts.get(_INCURRED, 0)
    books.refused += accounts.get(_REFUSED, 0)
    books.settled += sum(accounts.get(account, 0) for account in SETTLED)


def assessments(records: Records, fund: str, year: str) -> dict[str, AssessmentRecorded]:
    """Give each institution's assessment: the latest for the fund, else the latest for all funds."""
    found: dict[str, AssessmentRecorded] = {}
    for speaks_for in (None, fund):
        for _, fact in records.facts(AssessmentRecorded):
            if fact.year == year and fact.fund == speaks_for:
                found[fact.institution] = fact
    return found


def _year_books(
    cleared: Cleared,
    books: Mapping[str, _Books],
    assessed: Mapping[str, AssessmentRecorded],
    policy: Policy,
) -> dict[str, YearBooks]:
    held: dict[str, int] = {}
    for one in cleared.held:
        code = one.tally.institution
        held[code] = held.get(code, 0) + one.tally.booked_fen
    expected = policy.yearly.months is Months.EXPECTED
    deducted = {code: one.deduction_fen for code, one in assessed.items() if one.deduction_fen}
    return {
        code: YearBooks(
            booked_fen=one.booked,
            refused_fen=one.refused,
            settled_fen=one.settled,
            unsettled_fen=sum(one.unsettled.values()) if expected else 0,
            held_fen=held.get(code, 0),
            assessed_fen=deducted.get(code, 0),
        )
        for code in sorted({*books, *held, *deducted})
        for one in (books.get(code, _Books()),)
    }


def _unsettled(policy: Policy, books: Mapping[str, _Books]) -> Iterator[YearProblem]:
    if policy.yearly.months is Months.EXPECTED:
        return
    for code in sorted(books):
        for month, fen in sorted(books[code].unsettled.items()):
            yield YearProblem(code="month_not_settled", institution=code, month=month, fen=fen)


def _no_method(cleared: Cleared) -> Iterator[YearProblem]:
    if cleared.chosen.policy.yearly.no_method is NoMethod.AS_BOOKED:
        return
    for code in sorted({one.institution for one in cleared.gaps}):
        fen = sum(one.booked_fen for one in cleared.gaps if one.institution == code)
        yield YearProblem(code="no_method", institution=code, fen=fen)


def _deposits(
    policy: Policy, books: Mapping[str, _Books], assessed: Mapping[str, AssessmentRecorded]
) -> tuple[tuple[YearDeposit, ...], list[YearProblem]]:
    """Decide every deposit by its score; what cannot be decided is a gap, never guessed."""
    found, gaps = [], []
    for code, one in sorted(books.items()):
        score = assessed[code].score if code in assessed else None
        if not (one.withheld or one.released or one.forfeited):
            continue
        released = _released(policy, one.withheld, score)
        if released is None:
            gap = "no_assessment" if score is None else "score_without_rule"
            gaps.append(YearProblem(code=gap, institution=code, score=score, fen=one.withheld))
            found.append(
                YearDeposit(
                    institution=code,
                    score=score,
                    withheld_fen=one.withheld,
                    released_fen=None,
                    forfeited_fen=None,
                )
            )
            continue
        forfeited = one.withheld - released
        found.append(
            YearDeposit(
                institution=code,
                score=score,
                withheld_fen=one.withheld,
                released_fen=released,
                forfeited_fen=forfeited,
                release_fen=released - one.released,
                forfeit_fen=forfeited - one.forfeited,
            )
        )
    return tuple(found), gaps


def _released(policy: Policy, withheld_fen: int, score: str | None) -> int | None:
    if score is None:
        return None
    rules = policy.deposit.release if policy.deposit is not None else ()
    try:
        return release(withheld_fen, Fraction(score), rules)
    except ScoreWithoutRule:
        return None
