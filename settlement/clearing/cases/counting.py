"""Asks the engine for the cases of one method: which text is for which rules, in one place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as with_changes

from settlement.clearing.cases import kernel
from settlement.clearing.cases.budgets import BY_PLACE
from settlement.clearing.cases.census import CENSUS, OBLIGATIONS
from settlement.clearing.cases.drg_scoring import TEXTS as TEXTS_OF_STAYS
from settlement.clearing.cases.drg_scoring import score_stays
from settlement.clearing.cases.kernel import Standing
from settlement.clearing.cases.priced import PRICED, WEIGHTS, price_cases, price_tables
from settlement.clearing.cases.run import Scored, Tally, score_cases
from settlement.clearing.cases.scoring import Kind, Scope, narrowed
from settlement.clearing.digest import rows_digest, tables_digest
from settlement.clearing.engine import Engine, Parts
from settlement.clearing.policies.policy import DayWard, Dip, Drg, DrgFixedRate, PerDiem, Rules

#: The texts of a run, in the order in which they are named by its hash.
TEXTS = (
    CENSUS,
    OBLIGATIONS,
    kernel.HITS,
    kernel.KERNEL,
    WEIGHTS,
    PRICED,
    *TEXTS_OF_STAYS,
    BY_PLACE,
)

#: Rules whose cases are asked of the engine; the others count what was booked.
Asked = Dip | Drg | DrgFixedRate | PerDiem | DayWard


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine found for a method: tallies, each with what its cases are worth in fen.

    ``parameters`` is the digest of what it was told, of the whole scope. Where readmissions were
    looked for, ``readmitted`` are the positions of the earlier stays and ``key_versions`` those of the
    tokens of persons: with more than one, at most ``uncompared`` of them were missed.
    """

    tallies: tuple[tuple[Tally, int], ...]
    parameters: str
    readmitted: tuple[int, ...] = ()
    key_versions: tuple[int, ...] = ()
    uncompared: int = 0

    @property
    def digest(self) -> str:
        """Give the digest of everything that the engine was told in the end."""
        return rows_digest([(self.parameters,), *((one,) for one in self.readmitted)])


def count_cases(
    engine: Engine,
    parts: Mapping[str, Parts],
    rules: Asked,
    scope: Scope,
    *,
    watermark: int,
    own: frozenset[Kind] | None = None,
) -> Answer:
    """Count the cases of a method in a scope, at a log position; with ``own``, only of some kinds."""
    if isinstance(rules, Dip):
        return _by_catalogue(engine, parts, rules, scope, watermark=watermark, own=own)
    if isinstance(rules, Drg):
        found = score_stays(engine, parts, rules, scope, watermark=watermark, own=own)
        return _scored(found)
    told = price_tables(engine, parts, rules, scope, watermark=watermark)
    tallies = price_cases(engine, parts, narrowed(told, own))
    return Answer(tuple(tallies), tables_digest(told))


def merged(answers: Iterable[Answer]) -> Answer:
    """Put the parts of a method together again: no case is in two of them."""
    many = tuple(answers)
    (parameters,) = {one.parameters for one in many}
    tallies = (one for answer in many for one in answer.tallies)
    return Answer(
        tallies=tuple(sorted(tallies, key=lambda one: one[0].order)),
        parameters=parameters,
        readmitted=tuple(sorted(one for answer in many for one in answer.readmitted)),
        key_versions=tuple(sorted({one for answer in many for one in answer.key_versions})),
        uncompared=sum(answer.uncompared for answer in many),
    )


def _by_catalogue(
    engine: Engine,
    parts: Mapping[str, Parts],
    rules: Dip,
    scope: Scope,
    *,
    watermark: int,
    own: frozenset[Kind] | None,
) -> Answer:
    """Score the months of each catalogue (病种目录) by its groups, and add what they count up."""
    months: dict[str, list[str]] = {}
    for month in sorted(scope.months):
        since = max((one.since for one in rules.catalogues if one.since <= month), default="")
        months.setdefault(since, []).append(month)
    answers = [
        _scored(
            score_cases(
                engine,
                parts,
                with_changes(rules, groups=rules.groups_of(many[0])),
                with_changes(scope, months=frozenset(many)),
                watermark=watermark,
                own=own,
            )
        )
        for many in months.values()
    ]
    if len(answers) == 1:
        return answers[0]
    sums: dict[tuple[str, Standing, str | None], Tally] = {}
    for tally, _ in (one for answer in answers for one in answer.tallies):
        key = (tally.institution, tally.standing, tally.group)
        sums[key] = tally if key not in sums else sums[key].plus(tally)
    tallies = tuple((one, 0) for one in sorted(sums.values(), key=lambda one: one.order))
    return Answer(tallies, rows_digest([(answer.parameters,) for answer in answers]))


def _scored(found: Scored) -> Answer:
    priceless = tuple((tally, 0) for tally in found.tallies)
    again = found.readmissions
    if again is None:
        return Answer(priceless, found.record.parameters)
    return Answer(
        priceless,
        found.record.parameters,
        again.positions,
        again.key_versions,
        again.uncompared,
    )


def reason_of(rules: Rules, standing: Standing) -> str:
    """Name the reason for which cases are held back, in the words of their method."""
    by_days = isinstance(rules, PerDiem)
    if by_days and standing is Standing.NO_GROUP:
        return "no_days"
    if by_days and standing is Standing.UNKNOWN_GROUP:
        return "days_out_of_bounds"
    return standing.name.lower()
