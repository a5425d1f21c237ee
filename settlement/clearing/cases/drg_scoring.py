"""What the text of stays is told for one run of DRG points, and the run itself.

Tiers of multiples are said in exact fractions of the group's average cost and handed over as whole
fen for each group, as in ``scoring.py``. Before the text there are two steps of their own: the sizes
of the groups, where small ones want a single review, and the readmissions.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor

from settlement.clearing.cases import kernel, stays
from settlement.clearing.cases.readmissions import (
    KEY_VERSIONS,
    READMITTED,
    SIZES,
    Readmissions,
    Watch,
    find_readmissions,
    group_sizes,
)
from settlement.clearing.cases.run import RunRecord, Scored, tallies_of
from settlement.clearing.cases.scoring import Kind, Scope, check_bounds, narrowed, scope_tables
from settlement.clearing.cases.uncompared import UNCOMPARED
from settlement.clearing.digest import rows_digest, tables_digest
from settlement.clearing.engine import Engine, Parts, Row, Table
from settlement.clearing.methods.drg import high_multiple
from settlement.clearing.policies.policy import Drg, Group

#: The texts of a run of stays.
TEXTS = (SIZES, READMITTED, KEY_VERSIONS, UNCOMPARED, stays.STAYS)

#: A stay of more days, ten years, is held back: it is a mistake or wants to be looked at.
MAX_DAYS = 3_660


def score_stays(
    engine: Engine,
    parts: Mapping[str, Parts],
    rules: Drg,
    scope: Scope,
    *,
    watermark: int,
    own: frozenset[Kind] | None = None,
) -> Scored:
    """Score the stays that stood at a log position (``watermark``), on an engine.

    Parts, position and ``own`` are as for ``score_cases``; the sizes of groups are those of the whole
    scope. NotComputable where a number is out of bounds.
    """
    whole, found = prepared(engine, parts, rules, scope, watermark=watermark, own=own)
    rows = engine.answer(stays.STAYS, parts, narrowed(whole, own))
    plain = {**whole, "readmitted": Table(stays.TABLES["readmitted"], ())}
    record = RunRecord(
        engine=engine.name,
        engine_version=engine.version,
        kernel=kernel.text_hash(*TEXTS),
        parameters=tables_digest(plain),
        watermark=watermark,
        result=rows_digest(rows),
    )
    return Scored(tallies_of(rows), record, found)


def prepared(
    engine: Engine,
    parts: Mapping[str, Parts],
    rules: Drg,
    scope: Scope,
    *,
    watermark: int,
    own: frozenset[Kind] | None = None,
) -> tuple[dict[str, Table], Readmissions]:
    """Take the steps before the text: what it is told, and the readmissions that were found.

    With ``own``, readmissions are looked for only after stays of some kinds of the scope.
    """
    _check(rules)
    of_scope = scope_tables(scope, rules.coefficients4, watermark=watermark)
    sizes = group_sizes(engine, parts, of_scope)
    said = rules.rules
    small = frozenset(code for code, cases in sizes.items() if cases < said.min_cases)
    watch = Watch(watched(rules), said.readmission_days, said.readmission_anywhere)
    found = find_readmissions(engine, parts, watch, narrowed(of_scope, own))
    return tables(rules, of_scope, readmissions=found, small=small), found


def watched(rules: Drg) -> frozenset[str]:
    """Name the groups in which a readmission counts; none where the earlier stay keeps all."""
    if rules.rules.readmission_keeps == 1:
        return frozenset()
    return frozenset(rules.groups) - rules.readmission_exempt


def tables(
    rules: Drg,
    of_scope: Mapping[str, Table],
    *,
    readmissions: Readmissions,
    small: frozenset[str],
) -> dict[str, Table]:
    """Give the small tables of a run."""
    own = rules.rules
    keeps = own.readmission_keeps
    dated = watched(rules) if own.undated_held else frozenset[str]()
    single = rules.single_review | small
    groups: list[Row] = [
        (
            code,
            *_edges(group, rules),
            int(code in rules.bed_day),
            int(code in single),
            int(code in dated),
        )
        for code, group in rules.groups.items()
    ]
    # A group that no points are set for, its stays only reviewed: 无法入组, 歧义组.
    groups += [
        (code, *[None] * 6, 0, 1, 0) for code in rules.single_review - frozenset(rules.groups)
    ]
    before = rules.review_points is rules.review_points.BEFORE_COEFFICIENT
    rows: dict[str, list[Row]] = {
        "groups": sorted(groups, key=lambda row: str(row[0])),
        "ways": [(code,) for code in sorted(own.incomplete_ways)],
        "lengths": [(str(days), days) for days in range(MAX_DAYS + 1)] if rules.bed_day else [],
        "readmitted": [(position,) for position in readmissions.positions],
        "keeping": [(int(before), keeps.numerator, keeps.denominator)],
    }
    return {**of_scope, **{name: Table(stays.TABLES[name], rows[name]) for name in rows}}


def _edges(group: Group, rules: Drg) -> tuple[int, ...]:
    average = group.average_fen
    multiple = high_multiple(group.points4, rules.rules.high_tiers)
    return (
        group.points4,
        average,
        ceil(rules.rules.low_multiple * average),
        floor(multiple * average),
        multiple.denominator,
        multiple.numerator * average,
    )


def _check(rules: Drg) -> None:
    """NotComputable where a number of the rules is out of the bounds of the text's whole numbers."""
    own = rules.rules
    check_bounds("low", own.low_multiple, 0, 1)
    check_bounds("readmission_keeps", own.readmission_keeps, 0, 1)
    named: list[tuple[str, Fraction]] = [
        ("low", own.low_multiple),
        ("readmission_keeps", own.readmission_keeps),
    ]
    for tier in own.high_tiers:
        check_bounds("multiple", tier.multiple, 1, kernel.MAX_MULTIPLE)
        named.append(("multiple", tier.multiple))
    for name, edge in named:
        check_bounds(f"{name} (denominator)", edge.denominator, 1, kernel.MAX_DENOMINATOR)
    for code, group in rules.groups.items():
        check_bounds(code, group.points4, 0, kernel.MAX_BASE4)
        check_bounds(code, group.average_fen, kernel.MIN_AVERAGE_FEN, kernel.MAX_AVERAGE_FEN)
    for code, coefficient4 in rules.coefficients4.items():
        check_bounds(code, coefficient4, 0, kernel.MAX_COEFFICIENT4)
