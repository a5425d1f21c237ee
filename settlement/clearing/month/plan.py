"""What a run of a month would settle (清算方案): from the archive at a position, for all at once.

The same archive, policy and runs before give the same plan and the same hash, in a dry run, in the
run and when it is approved; the hash does not name the position, so that what happened meanwhile and
is no part of the month changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from ledger.aggregates.application import fold_applications
from ledger.aggregates.clearing import Clearing
from ledger.aggregates.offset import Offset, fold_offset
from ledger.domain.fund import is_institution
from ledger.events.base import Fact
from ledger.events.clearing import (
    ApplicationFact,
    ClearedLine,
    OffsetFact,
    OffsetTaken,
)
from settlement.clearing.cases import kernel
from settlement.clearing.cases.run import RunRecord
from settlement.clearing.digest import rows_digest
from settlement.clearing.month.lines import DueOf, OpenOffset, Rules, Standing, settle
from settlement.clearing.month.provisional import Cleared
from settlement.clearing.month.question import Chosen
from settlement.clearing.monthly import value_text
from settlement.clearing.owed import (
    APPROVED,
    BOOKED_BY_GROUP,
    OWED,
    PREPAID_ASSET,
    Group,
    Month,
    Records,
)
from settlement.clearing.policies.policy import Basis, Dip, Drg, Policy
from settlement.clearing.returns import open_returns

#: The texts of a plan beside those of the methods.
TEXTS = (OWED, BOOKED_BY_GROUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The lines of a run, by what they came about, and the hash that is approved."""

    area: str
    fund: str
    period: str
    chosen: Chosen | None
    cleared: Cleared | None
    lines: tuple[ClearedLine, ...]
    offsets: tuple[OffsetTaken, ...]
    record: RunRecord

    @property
    def basis(self) -> Basis:
        return self.chosen.policy.monthly.basis if self.chosen is not None else Basis.BOOKED

    @property
    def point_value(self) -> str | None:
        """Give the value of a point as the policy publishes it; None where nothing is shared by points."""
        if self.cleared is None or self.cleared.due.pool is None:
            return None
        return value_text(self.cleared.due.pool, self.cleared.chosen.policy.point_value)

    @property
    def hash(self) -> str:
        """Name everything that is settled, and by which rules."""
        said: dict[str, Any] = {
            "area": self.area,
            "fund": self.fund,
            "period": self.period,
            "policy": None if self.chosen is None else self.chosen.content_hash,
            "kernel": self.record.kernel,
            "lines": self.lines,
            "offsets": self.offsets,
        }
        return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def make_plan(
    records: Records,
    clearing: Clearing,
    *,
    chosen: Chosen | None,
    cleared: Cleared | None,
    year: int,
) -> Plan:
    """Settle the month of every institution; ``year`` is that of the posting (追回: 本年 or earlier)."""
    fund, period = clearing.fund, clearing.period
    owed = records.owed(since=period)
    grouped = records.booked_by_group(period)
    told = _Told(
        owed={
            month: accounts
            for month, accounts in owed.items()
            if month.fund == fund and is_institution(month.institution)  # persons are paid apart
        },
        cases=_cases(grouped, fund),
        stays=_stays_booked(records, fund, period),
        offsets=open_offsets(records, fund),
        returning=open_returns(records, fund),
        due=_due(cleared),
        earlier=_earlier(clearing),
    )
    rules = _rules(chosen)
    found = [settle(one, rules) for one in told.standing(fund, period, year)]
    lines = tuple(one.line for one in found if one is not None)
    offsets = tuple(part for one in found if one is not None for part in one.offsets)
    return Plan(
        area=clearing.area,
        fund=fund,
        period=period,
        chosen=chosen,
        cleared=cleared,
        lines=lines,
        offsets=offsets,
        record=_record(records, chosen, cleared, period, lines),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the archive and the runs before say, by institution."""

    owed: Mapping[Month, Mapping[str, int]]
    cases: Mapping[str, int]
    stays: Mapping[str, int]
    offsets: Mapping[str, list[Offset]]
    returning: Mapping[str, int]  # of prepayments, asked back
    due: Mapping[str, DueOf] | None
    earlier: Mapping[str, list[ClearedLine]]

    def standing(self, fund: str, period: str, year: int) -> Iterable[Standing]:
        """Give what is known of each institution, in the order of their codes."""
        elsewhere = self._over_months(APPROVED, but=period)
        prepaid = self._over_months(PREPAID_ASSET)
        here = {month.institution for month in self.owed if month.month == period}
        for institution in sorted({*here, *self.offsets, *(self.due or {})}):
            yield Standing(
                institution=institution,
                owed=self.owed.get(Month(fund, institution, period), {}),
                cases=self.cases.get(institution, 0),
                stays_booked_fen=self.stays.get(institution, 0),
                approved_elsewhere_fen=elsewhere.get(institution, 0),
                prepaid_fen=-prepaid.get(institution, 0) - self.returning.get(institution, 0),
                offsets=[_waiting(one, year) for one in self.offsets.get(institution, [])],
                due=None if self.due is None else self.due.get(institution, _NOTHING_DUE),
                earlier=self.earlier.get(institution, []),
            )

    def _over_months(self, account: str, *, but: str | None = None) -> dict[str, int]:
        found: dict[str, int] = {}
        for month, accounts in self.owed.items():
            if month.month != but:
                fen = accounts.get(account, 0)
                found[month.institution] = found.get(month.institution, 0) + fen
        return found


#: Held back because no record of the case was matched to a group (未匹配).
_UNMATCHED = frozenset({"no_group", "unknown_group"})
_NOTHING_DUE = DueOf(due_fen=0, counted_fen=0, standing_fen=0)


def _rules(chosen: Chosen | None) -> Rules:
    if chosen is None:
        return Rules()
    policy: Policy = chosen.policy
    return Rules(monthly=policy.monthly, deposit=policy.deposit, payees=policy.payees)


def _cases(grouped: Mapping[Group, Mapping[str, Any]], fund: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for group, by_fund in grouped.items():
        if fund in by_fund:
            found[group.institution] = found.get(group.institution, 0) + by_fund[fund].cases
    return found


def _stays_booked(records: Records, fund: str, period: str) -> dict[str, int]:
    """Add up what applications that stand left booked on purpose."""
    told: dict[Group, list[tuple[int, Fact]]] = {}
    for position, fact in records.facts(ApplicationFact):
        if fact.belongs_to == period:
            group = Group(fact.institution, fact.insutype, fact.clr_type, fact.belongs_to)
            told.setdefault(group, []).append((position, fact))
    found: dict[str, int] = {}
    for group, stored in told.items():
        standing = fold_applications(stored).standing
        for part in standing.parts if standing is not None else ():
            if part.fund == fund:
                found[group.institution] = found.get(group.institution, 0) + part.left_fen
    return found


def open_offsets(records: Records, fund: str) -> dict[str, list[Offset]]:
    """Give the approved recoveries of a fund that are not taken whole, by institution, oldest first."""
    told: dict[str, list[tuple[int, Fact]]] = {}
    for position, fact in records.facts(OffsetFact):
        told.setdefault(fact.doc_no, []).append((position, fact))
    folded = (fold_offset(records.area, doc_no, stored) for doc_no, stored in told.items())
    waiting = [one for one in folded if one.open_fen and one.proposed.fund == fund]
    found: dict[str, list[Offset]] = {}
    for one in sorted(waiting, key=lambda one: one.approved_at or 0):
        found.setdefault(one.proposed.institution, []).append(one)
    return found


def _waiting(one: Offset, year: int) -> OpenOffset:
    return OpenOffset(
        doc_no=one.doc_no, left_fen=one.open_fen, same_year=one.proposed.original_year == year
    )


def _due(cleared: Cleared | None) -> dict[str, DueOf] | None:
    """Give what the methods make due, and what was booked of the cases that stand."""
    if cleared is None or not cleared.chosen.policy.methods:
        return None
    pointed = {
        one.name for one in cleared.chosen.policy.methods if isinstance(one.rules, Dip | Drg)
    }
    found: dict[str, dict[str, int]] = {}

    def add(institution: str, **amounts: int) -> None:
        mine = found.setdefault(institution, {})
        for name, amount in amounts.items():
            mine[name] = mine.get(name, 0) + amount

    for line in cleared.due.lines:
        one = line.counted
        add(
            one.institution,
            due_fen=line.due_fen,
            counted_fen=one.booked_fen,
            standing_fen=one.booked_fen,
            cases=one.cases,
        )
        if one.method in pointed:
            add(
                one.institution,
                pointed_cases=one.cases,
                points4=one.points4,
                pointed_cost_fen=one.cost_fen,
            )
    for held in cleared.held:
        unmatched = held.tally.cases if held.reason in _UNMATCHED else 0
        add(
            held.tally.institution,
            standing_fen=held.tally.booked_fen,
            unmatched_cases=unmatched,
        )
    for gap in cleared.gaps:
        add(gap.institution, standing_fen=gap.booked_fen)
    return {code: DueOf(**{"due_fen": 0, "counted_fen": 0, **one}) for code, one in found.items()}


def _earlier(clearing: Clearing) -> dict[str, list[ClearedLine]]:
    found: dict[str, list[ClearedLine]] = {}
    for run in clearing.approved:
        for line in run.computed.lines:
            found.setdefault(line.institution, []).append(line)
    return found


def _record(
    records: Records,
    chosen: Chosen | None,
    cleared: Cleared | None,
    period: str,
    lines: tuple[ClearedLine, ...],
) -> RunRecord:
    """Say what the run was done by; the result is of the methods' cases and the lines."""
    methods = [] if cleared is None else [cleared.record.kernel, cleared.record.result]
    policy = "" if chosen is None else chosen.content_hash
    told = [] if cleared is None else [cleared.record.parameters]
    return RunRecord(
        engine=records.engine.name,
        engine_version=records.engine.version,
        kernel=kernel.text_hash(*TEXTS, *methods[:1]),
        parameters=rows_digest([(policy, period, *told)]),
        watermark=records.watermark,
        result=rows_digest([tuple(methods[1:]), *map(msgspec.structs.astuple, lines)]),
    )
