"""The monthly clearing of one fund, computed and not posted (按月清算试算).

Archive and policy in, amounts out. Nothing here reads a projection; the same position of the log,
the same policies and another engine give the same document and the same digest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from settlement.clearing import monthly
from settlement.clearing.cases import budgets, kernel
from settlement.clearing.cases.census import CaseKind, Census
from settlement.clearing.cases.counting import TEXTS, Asked, count_cases, reason_of
from settlement.clearing.cases.insured_elsewhere import census_of, scope_of
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.run import RunRecord, Tally
from settlement.clearing.cases.scoring import scope_tables
from settlement.clearing.digest import rows_digest, tables_digest
from settlement.clearing.engine import Row
from settlement.clearing.month.question import Chosen, Question
from settlement.clearing.month.refusals import PolicyOfAnotherFund, TotalsDiffer
from settlement.clearing.monthly import Counted, MonthDue
from settlement.clearing.policies.policy import Capitation, CountyCommunity, FeeForService, Method


@dataclass(frozen=True, slots=True)
class Held:
    """Cases of one method that are held back (挂起待查), with the reason."""

    method: str
    reason: str
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """One month of one fund under one policy: who is due what, and every case accounted for."""

    chosen: Chosen
    due: MonthDue
    held: tuple[Held, ...]
    gaps: tuple[CaseKind, ...]  # cases that no method of the policy takes (政策空白)
    cancelled: tuple[CaseKind, ...]
    obligations_fen: int  # of all settlements of the month, cancelled ones too
    elsewhere_fen: int  # of these: for people insured otherwise, whose cases no method is for
    record: RunRecord
    key_versions: Mapping[str, tuple[int, ...]]  # by method that looked for readmissions
    uncompared: Mapping[str, int]  # of these: stays that a rotation of the key left unjudged


def clear_month(question: Question, chosen: Chosen) -> Cleared:
    """Compute a month under a policy; TotalsDiffer where something does not add up."""
    if chosen.policy.fund != question.fund:
        raise PolicyOfAnotherFund(policy=chosen.id, its_fund=chosen.policy.fund, fund=question.fund)
    return _Run(question, chosen).cleared()


class _Run:
    """One computation, and what it was told and answered on the way."""

    def __init__(self, question: Question, chosen: Chosen) -> None:
        self._question = question
        self._chosen = chosen
        self._policy = chosen.policy
        self._told: dict[str, str] = {}
        self._kinds: tuple[CaseKind, ...] = ()
        self._held: list[Held] = []
        self._key_versions: dict[str, tuple[int, ...]] = {}
        self._uncompared: dict[str, int] = {}

    def cleared(self) -> Cleared:
        asked = self._question
        census, rows, told = census_of(
            self._policy, asked.engine, asked.parts, asked.scope(), watermark=asked.watermark
        )
        self._told["census"] = told
        self._kinds = census.kinds
        self._check_obligations(census)
        standing = [one for one in census.kinds if not one.cancelled]
        of_method = self._by_method(census.kinds)
        counted = [
            one
            for method in self._policy.methods
            for one in self._count(method, of_method.get(method.name, []))
        ]
        due = monthly.due_of_month(self._policy, self._question.month, counted)
        self._check_pool(due)
        gaps = [one for one in standing if self._method_of(one) is None]
        self._check_whole(census, counted, gaps)
        return Cleared(
            chosen=self._chosen,
            due=due,
            held=tuple(self._held),
            gaps=tuple(gaps),
            cancelled=tuple(one for one in census.kinds if one.cancelled),
            obligations_fen=sum(census.obligations_fen.values()) + census.elsewhere_fen,
            elsewhere_fen=census.elsewhere_fen,
            record=self._record(rows, due),
            key_versions=self._key_versions,
            uncompared=self._uncompared,
        )

    def _method_of(self, kind: CaseKind) -> Method | None:
        return self._policy.method_of(
            clr_type=kind.clr_type, med_type=kind.med_type, institution=kind.institution
        )

    def _by_method(self, kinds: tuple[CaseKind, ...]) -> dict[str, list[CaseKind]]:
        found: dict[str, list[CaseKind]] = {}
        for kind in kinds:
            method = self._method_of(kind)
            if method is not None:
                found.setdefault(method.name, []).append(kind)
        return found

    def _count(self, method: Method, kinds: list[CaseKind]) -> Iterator[Counted]:
        """Count the cases of a method, and set those aside that are held back."""
        if isinstance(method.rules, FeeForService):
            yield from budgets.as_booked(method.name, kinds)
            return
        if isinstance(method.rules, Capitation | CountyCommunity):
            yield from self._count_budget(method, method.rules, kinds)
            return
        tallies = self._ask(method, method.rules, kinds) if kinds else ()
        self._check_cases(method, kinds, [tally for tally, _ in tallies])
        sums: dict[str, list[int]] = {}
        for tally, worth_fen in tallies:
            if tally.standing.held_back:
                reason = reason_of(method.rules, tally.standing)
                self._held.append(Held(method.name, reason, tally))
            elif tally.standing is not Standing.CANCELLED:
                added = (
                    tally.cases,
                    tally.cost_fen,
                    tally.booked_fen,
                    tally.borne_fen,
                    tally.points4,
                    worth_fen,
                )
                before = sums.get(tally.institution, [0] * len(added))
                sums[tally.institution] = [a + b for a, b in zip(before, added, strict=True)]
        for institution, (cases, cost, booked, borne, points4, worth) in sums.items():
            yield Counted(
                institution=institution,
                method=method.name,
                cases=cases,
                cost_fen=cost,
                booked_fen=booked,
                borne_fen=borne,
                points4=points4,
                priced_fen=worth,
            )

    def _count_budget(
        self, method: Method, rules: Capitation | CountyCommunity, kinds: list[CaseKind]
    ) -> list[Counted]:
        """Count the cases of a method with a sum of its own, and set those aside that it is not for."""
        months = sorted(map(str, self._question.period.months))
        if isinstance(rules, Capitation):
            known = budgets.signed_with(rules)
            sums = budgets.capitation_sums(rules, months)
        else:
            known = frozenset(rules.weights)
            sums = self._community_sums(method, rules, months)
        for tally in budgets.held_elsewhere(kinds, known):
            self._held.append(Held(method.name, reason_of(rules, tally.standing), tally))
        own = [one for one in kinds if one.institution in known]
        return budgets.as_booked(method.name, own, sums)

    def _community_sums(
        self, method: Method, rules: CountyCommunity, months: list[str]
    ) -> dict[str, int]:
        """Share a community's budget; the cases of its people are sought wherever they were treated."""
        asked, kinds = self._question, self._kinds
        booked: dict[str, int] = {}
        for one in kinds:
            if not one.cancelled and self._method_of(one) is method:
                booked[one.institution] = booked.get(one.institution, 0) + one.booked_fen
        spent = {code: fen for code, fen in booked.items() if code in rules.weights}
        if rules.insured_in:
            anywhere = replace(method.cases, institutions=frozenset())
            alike = frozenset(
                one.kind
                for one in kinds
                if anywhere.fits(
                    clr_type=one.clr_type, med_type=one.med_type, institution=one.institution
                )
            )
            scope = scope_tables(asked.scope(alike), {}, watermark=asked.watermark)
            self._told[method.name] = tables_digest(scope)
            spent = budgets.spent_by_place(asked.engine, asked.parts, rules, scope)
        return budgets.community_sums(
            rules,
            months,
            shares=monthly.shares_of_year(self._policy, months[0][:4]),
            booked_fen=booked,
            spent_fen=spent,
        )

    def _ask(
        self, method: Method, rules: Asked, kinds: list[CaseKind]
    ) -> tuple[tuple[Tally, int], ...]:
        asked = self._question
        own = asked.scope(frozenset(one.kind for one in kinds))
        scope = scope_of(self._policy, rules, own)
        if asked.elsewhere is not None:
            answer = asked.elsewhere(self._chosen, method, scope)
        else:
            answer = count_cases(asked.engine, asked.parts, rules, scope, watermark=asked.watermark)
        self._told[method.name] = answer.digest
        if answer.key_versions:
            self._key_versions[method.name] = answer.key_versions
            self._uncompared[method.name] = answer.uncompared
        return answer.tallies

    def _record(self, rows: list[Row], due: MonthDue) -> RunRecord:
        asked = self._question
        held = [(one.method, one.reason, *_tally_row(one.tally)) for one in self._held]
        lines = [
            (one.counted.institution, one.counted.method, one.counted.points4, one.due_fen)
            for one in due.lines
        ]
        told = sorted(self._told.items())
        return RunRecord(
            engine=asked.engine.name,
            engine_version=asked.engine.version,
            kernel=kernel.text_hash(*TEXTS),
            parameters=rows_digest([(self._chosen.content_hash, str(asked.period)), *told]),
            watermark=asked.watermark,
            result=rows_digest([*rows, *held, *lines]),
        )

    def _check_obligations(self, census: Census) -> None:
        """Every fen that the month's entries made the fund owe is of a case that was counted."""
        found: dict[str, int] = {}
        for one in census.kinds:
            found[one.institution] = found.get(one.institution, 0) + one.booked_fen
        for institution in sorted({*found, *census.obligations_fen}):
            self._same(
                f"记账 booked {institution}",
                census.obligations_fen.get(institution, 0),
                found.get(institution, 0),
            )

    def _check_cases(self, method: Method, kinds: list[CaseKind], tallies: list[Tally]) -> None:
        """Every case of the method is scored, held back or cancelled, and nothing else is."""
        for what in ("cases", "cost_fen", "booked_fen"):
            expected = sum(getattr(one, what) for one in kinds)
            self._same(
                f"{method.name} {what}", expected, sum(getattr(one, what) for one in tallies)
            )

    def _check_whole(self, census: Census, counted: list[Counted], gaps: list[CaseKind]) -> None:
        """Every case counts, is held back, was cancelled, or is of no method: once."""
        held = [one.tally for one in self._held]
        gone = [one for one in census.kinds if one.cancelled]
        for what in ("cases", "booked_fen"):
            found = sum(getattr(one, what) for one in [*counted, *held, *gaps, *gone])
            self._same(what, sum(getattr(one, what) for one in census.kinds), found)

    def _check_pool(self, due: MonthDue) -> None:
        if due.pool is not None:
            shared = due.pool.due_fen + due.pool.difference_fen
            self._same("应付加差额 due + difference", due.pool.distributable_fen, shared)

    def _same(self, what: str, expected: int, found: int) -> None:
        if expected != found:
            raise TotalsDiffer(
                period=str(self._question.period),
                fund=self._question.fund,
                what=what,
                expected=expected,
                found=found,
            )


def _tally_row(one: Tally) -> Row:
    return (
        one.institution,
        int(one.standing),
        one.group,
        one.cases,
        one.points4,
        one.cost_fen,
        one.booked_fen,
        one.first_position,
    )
