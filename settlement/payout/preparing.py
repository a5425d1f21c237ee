"""Who is to be paid what (拨付制单): pure, from what is approved and not ordered.

Per institution the net of all its months is payable: what is below nil is taken off and stays where it
is (结转), without a posting of its own. The payable amount is taken from the months above nil, oldest
first. Who takes over a merged institution takes over its debt: it lowers what the line is paid. The same
input gives the same orders, at the preparation and again at the approval.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ledger.events.payout import HeldBack, OrderLine, OrderPart
from settlement.payout import kinds
from settlement.payout.owing import Month

CARRIED = "carried"  # 结转: the months together are nil or below
SUCCEEDED = "succeeded"  # 承继: all of it makes up for a debt in the line of a merger


@dataclass(frozen=True, slots=True)
class Payable:
    """What of an institution is payable, by month, oldest first; or why nothing is."""

    institution: str
    fen: int  # of all its months together
    months: tuple[tuple[str, int], ...]
    held: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How institutions stand on the day of payment: whom to hold back, who receives, whose agreement ended, who is merged."""

    held: Mapping[str, str] = field(default_factory=dict)  # institution → reason
    payees: Mapping[str, str] = field(default_factory=dict)  # institution → payee, where another
    final: Collection[str] = ()
    merged: Collection[str] = ()

    def payee_of(self, institution: str) -> str:
        """Name who receives what an institution is paid."""
        return self.payees.get(institution, institution)


def payable(
    approved: Mapping[Month, int],
    *,
    months: Collection[str] = (),
    institutions: Collection[str] = (),
    standing: Standing,
) -> Iterator[Payable]:
    """Say of every institution what is payable, in the order of their codes.

    ``months`` and ``institutions`` choose; an institution's net counts all its months even so.
    """
    by_institution: dict[str, dict[str, int]] = {}
    for (institution, month), fen in approved.items():
        if not institutions or institution in institutions:
            by_institution.setdefault(institution, {})[month] = fen
    succeeded = succeeded_debts(approved, standing)
    for institution, by_month in sorted(by_institution.items()):
        net = sum(by_month.values())
        left, taken = max(net - succeeded.get(institution, 0), 0), []
        for month, fen in sorted(by_month.items()):
            part = min(fen, left)
            if part > 0 and (not months or month in months):
                taken.append((month, part))
                left -= part
        held = standing.held.get(institution) or (CARRIED if net <= 0 else None)
        if held is None and net <= succeeded.get(institution, 0):
            held = SUCCEEDED
        if taken or held:
            yield Payable(institution, net, tuple(taken), held)


def succeeded_debts(approved: Mapping[Month, int], standing: Standing) -> dict[str, int]:
    """Give by how much an institution is paid less for a debt in its line of succession (合并承继).

    A merged institution and its successor are one debtor and one creditor: what one of them carries
    below nil is made up for by the others above nil, in the order of their codes. Nothing is posted;
    both amounts stay where they are and add up to nil.
    """
    nets: dict[str, int] = {}
    for (institution, _), fen in approved.items():
        nets[institution] = nets.get(institution, 0) + fen
    lines: dict[str, list[str]] = {}
    for institution in sorted(nets):
        merged = institution in standing.merged
        heir = standing.payee_of(institution) if merged else institution
        lines.setdefault(heir, []).append(institution)
    found: dict[str, int] = {}
    for members in lines.values():
        debt = -sum(min(nets[one], 0) for one in members)
        for one in members:
            found[one] = min(debt, max(nets[one], 0))
            debt -= found[one]
    return {institution: fen for institution, fen in found.items() if fen}


def orders(
    fund: str,
    found: Collection[Payable],
    *,
    booked: Mapping[Month, Mapping[tuple[str, str], int]],
    local: Mapping[str, str],
    standing: Standing,
) -> tuple[OrderLine, ...]:
    """Write a payment order for each institution that is not held back, with its kinds of benefit."""
    chosen = [one for one in found if one.held is None]
    return tuple(
        OrderLine(
            line=number,
            institution=one.institution,
            payee=standing.payee_of(one.institution),
            fen=sum(fen for _, fen in one.months),
            parts=tuple(
                OrderPart(
                    month=month,
                    fen=fen,
                    kinds=kinds.split(fund, fen, booked.get((one.institution, month), {}), local),
                )
                for month, fen in one.months
            ),
            final=one.institution in standing.final,
        )
        for number, one in enumerate(chosen, start=1)
    )


def held_back(found: Collection[Payable]) -> tuple[HeldBack, ...]:
    """List who is owed and not ordered, or carries a debt forward."""
    return tuple(
        HeldBack(institution=one.institution, fen=one.fen, reason=one.held)
        for one in found
        if one.held is not None
    )
