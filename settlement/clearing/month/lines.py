"""One institution's month, from what is owed to what is payable (应拨付): whole fen, nothing read.

What an earlier approved run has settled is taken off, so every line is of its own run alone; adding
up the lines of all runs of a month gives the month. The bridge, to the fen:

    booked − refused − otherwise − waiting = settled
    settled − deposit + difference − insurer − offset − prepaid + carried in − carried out = payable
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.domain import settlement_entries as steps
from ledger.domain.entry import Entry
from ledger.domain.money import fen_share
from ledger.events.clearing import ClearedLine, OffsetTaken
from settlement.clearing.deposit import withhold
from settlement.clearing.owed import APPROVED, BOOKED, DECLARED
from settlement.clearing.policies.policy import Basis, Deposit, Monthly, PrepaymentOffset, Unapplied

INCURRED, REFUSED = "claims.incurred", "claims.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By what a month is settled."""

    monthly: Monthly = field(default_factory=Monthly)
    deposit: Deposit | None = None
    payees: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOffset:
    """A recovery that waits to be taken from a payment (待抵扣追回)."""

    doc_no: str
    left_fen: int
    same_year: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueOf:
    """What the methods make of an institution's month."""

    due_fen: int  # 应付
    counted_fen: int  # booked of the cases in the due
    standing_fen: int  # booked of every case that stands, held back ones too
    cases: int = 0
    pointed_cases: int = 0
    points4: int = 0
    pointed_cost_fen: int = 0
    unmatched_cases: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one institution's month and fund at a position of the log; amounts in fen.

    ``owed`` are the accounts of the month, ``earlier`` the lines of the approved runs before.
    """

    institution: str
    owed: Mapping[str, int]
    cases: int = 0
    stays_booked_fen: int = 0  # by applications for less than was booked
    approved_elsewhere_fen: int = 0  # of other months, not ordered or owed back
    prepaid_fen: int = 0  # 预付金 that was not offset
    offsets: Sequence[OpenOffset] = ()
    due: DueOf | None = None
    earlier: Sequence[ClearedLine] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """A line, and what it takes of recoveries."""

    line: ClearedLine
    offsets: tuple[OffsetTaken, ...]


def settle(one: Standing, rules: Rules) -> Settled | None:
    """Give the line of one institution; None where nothing is new and nothing is taken."""
    declared, booked = one.owed.get(DECLARED, 0), one.owed.get(BOOKED, 0)
    on_behalf = _on_behalf(booked, one.stays_booked_fen, rules.monthly.without_application)
    settled = _settled(one, declared + on_behalf, rules.monthly)
    new_booked = -one.owed.get(INCURRED, 0) - _sum(one.earlier, "booked_fen")
    refused = one.owed.get(REFUSED, 0) - _sum(one.earlier, "refused_fen")
    waiting = booked + declared - settled - _sum(one.earlier, "waiting_fen")
    difference = _difference(one, declared + on_behalf, rules.monthly)
    deposit = _deposit(settled + difference, refused, rules.deposit)
    insurer = fen_share(settled - deposit + difference, rules.monthly.insurer_share)
    carried_in = one.approved_elsewhere_fen + one.owed.get(APPROVED, 0)
    available = settled - deposit + difference - insurer + carried_in
    taken = _take(one, available)
    available -= sum(part.fen for part in taken)
    prepaid = _prepaid(one, available, rules.monthly)
    available -= prepaid
    line = ClearedLine(
        institution=one.institution,
        payee=rules.payees.get(one.institution, one.institution),
        cases=one.cases - _sum(one.earlier, "cases"),
        booked_fen=new_booked,
        refused_fen=refused,
        otherwise_fen=new_booked - refused - waiting - settled,
        waiting_fen=waiting,
        declared_fen=declared,
        on_behalf_fen=on_behalf,
        settled_fen=settled,
        deposit_fen=deposit,
        difference_fen=difference,
        insurer_fen=insurer,
        offset_fen=sum(part.fen for part in taken),
        prepaid_fen=prepaid,
        carried_in_fen=carried_in,
        carried_out_fen=min(available, 0),
        payable_fen=max(available, 0),
        due_fen=None if one.due is None else one.due.due_fen,
        due_booked_fen=None if one.due is None else one.due.counted_fen,
        **_measured(one.due),
    )
    new = (new_booked, refused, waiting, settled, difference, deposit, insurer, *taken, prepaid)
    return Settled(line, taken) if any(new) else None


def _measured(due: DueOf | None) -> dict[str, int]:
    """Give what a line says of the cases of the whole month, for measures."""
    return {
        "due_cases": 0 if due is None else due.cases,
        "pointed_cases": 0 if due is None else due.pointed_cases,
        "points4": 0 if due is None else due.points4,
        "pointed_cost_fen": 0 if due is None else due.pointed_cost_fen,
        "unmatched_cases": 0 if due is None else due.unmatched_cases,
    }


def entry_of(fund: str, line: ClearedLine, offsets: Iterable[OffsetTaken]) -> Entry:
    """Give what a line posts when it is approved; ``declared_entry`` goes before on its own."""
    whom = (fund, line.institution)
    entry = steps.approved_entry(*whom, declared_fen=line.settled_fen, deposit_fen=line.deposit_fen)
    if line.difference_fen:
        entry += steps.due_difference_entry(*whom, line.difference_fen)
    if line.insurer_fen:
        entry += steps.insurer_entry(*whom, line.insurer_fen)
    for one in offsets:
        entry += steps.recovery_offset_entry(*whom, one.fen, same_year=one.same_year)
    if line.prepaid_fen:
        entry += steps.prepayment_offset_entry(*whom, line.prepaid_fen)
    return entry


def _sum(lines: Iterable[ClearedLine], name: str) -> int:
    return sum(getattr(line, name) for line in lines)


def _on_behalf(booked: int, stays: int, unapplied: Unapplied) -> int:
    """Declare for the institution what nobody applied for; what was refunded is declared always."""
    if booked < 0:
        return booked
    return max(booked - stays, 0) if unapplied is Unapplied.BOOKED else 0


def _settled(one: Standing, declared: int, monthly: Monthly) -> int:
    """Settle what is declared, or so much of all that was declared as is paid monthly."""
    if monthly.basis is Basis.DUE or monthly.share == 1:
        return declared
    before = _sum(one.earlier, "settled_fen")
    return fen_share(declared + before, monthly.share) - before


def _difference(one: Standing, declared: int, monthly: Monthly) -> int:
    """Bring what is settled to what is due, where a month is paid by that (应付 − 记账).

    An institution of which nothing was ever declared waits for its application.
    """
    if monthly.basis is not Basis.DUE or one.due is None:
        return 0
    if not declared and not any(line.settled_fen for line in one.earlier) and one.due.standing_fen:
        return 0
    whole = fen_share(one.due.due_fen, monthly.share) - one.due.standing_fen
    return whole - _sum(one.earlier, "difference_fen")


def _deposit(settled: int, refused: int, deposit: Deposit | None) -> int:
    """Withhold the quality deposit, in the order of the policy; never more than there is."""
    if deposit is None:
        return 0
    withheld = withhold(settled + refused, refused, share=deposit.share, order=deposit.order)
    return min(withheld.deposit_fen, max(settled, 0))


def _take(one: Standing, available: int) -> tuple[OffsetTaken, ...]:
    """Take recoveries from what is payable, oldest first; the rest waits for the next run."""
    taken = []
    for waiting in one.offsets:
        fen = min(waiting.left_fen, available)
        if fen <= 0:
            break
        taken.append(OffsetTaken(one.institution, waiting.doc_no, fen, waiting.same_year))
        available -= fen
    return tuple(taken)


def _prepaid(one: Standing, available: int, monthly: Monthly) -> int:
    if monthly.prepayment_offset is not PrepaymentOffset.MONTHLY or available <= 0:
        return 0
    return max(min(one.prepaid_fen, fen_share(available, monthly.prepayment_share)), 0)
