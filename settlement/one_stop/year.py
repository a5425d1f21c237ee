"""What a person's year has used before a claim (年度累计), as it was settled: at the counter and by hand."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from settlement.one_stop.layers import Cost, YearSoFar
from settlement.one_stop.policy import Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """One settlement of the year: its rules, what lay within scope, and what was paid of it, in fen."""

    applied: Applied | None  # None: no policy, no rule, or nothing known of its scope
    scope_fen: int
    parts: dict[str, int]


@dataclass(slots=True)
class PersonYear:
    """The year of one person, added up; ``unjudged`` settlements may have used more."""

    pools: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # scope, paid, settlements
    qualified_fen: int = 0
    catastrophic_paid_fen: int = 0
    assistance_base_fen: int = 0
    assistance_paid_fen: int = 0
    unjudged: int = 0

    def before(self, pool: str) -> tuple[YearSoFar, int]:
        """Give what a settlement of a pool finds used, and how many of the pool came before."""
        scope, paid, settlements = self.pools.get(pool, (0, 0, 0))
        so_far = YearSoFar(
            basic_scope_fen=scope,
            basic_paid_fen=paid,
            qualified_fen=self.qualified_fen,
            catastrophic_paid_fen=self.catastrophic_paid_fen,
            assistance_base_fen=self.assistance_base_fen,
            assistance_paid_fen=self.assistance_paid_fen,
        )
        return so_far, settlements

    def add(self, used: Used) -> None:
        """Add a settlement as it was settled."""
        basic = used.parts.get("hifp_pay", 0)
        catastrophic = used.parts.get("hifmi_pay", 0) + used.parts.get("hifob_pay", 0)
        left = max(used.scope_fen - basic, 0)
        self.catastrophic_paid_fen += catastrophic
        self.assistance_paid_fen += used.parts.get("maf_pay", 0)
        if used.applied is None:
            self.unjudged += 1
            return
        pool = used.applied.basic.pool
        scope, paid, settlements = self.pools.get(pool, (0, 0, 0))
        self.pools[pool] = (scope + used.scope_fen, paid + basic, settlements + 1)
        if used.applied.catastrophic is not None:
            self.qualified_fen += left
        if used.applied.assistance is not None:
            self.assistance_base_fen += max(left - catastrophic, 0)


def year_of(settlements: Iterable[Used]) -> PersonYear:
    """Add a year up, in whatever order."""
    year = PersonYear()
    for one in settlements:
        year.add(one)
    return year


def scope_of(cost: Cost, given_fen: int | None) -> int | None:
    """Give the amount within scope: as the settlement says, else as its cost does."""
    return given_fen if given_fen is not None else cost.within_scope_fen
