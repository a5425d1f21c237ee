"""Every settlement of one institution's month, line by line, for its statement (结算明细).

What was settled and refunded stands as it was booked, so that the lines add up to what the fund was
charged; beside each stand the method that takes it, its standing, and its points or price.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from settlement.clearing.cases.drg_scoring import prepared as prepared_stays
from settlement.clearing.cases.insured_elsewhere import census_of, scope_of
from settlement.clearing.cases.kernel import POINTED, POSTINGS, Standing
from settlement.clearing.cases.priced import TOLD, price_tables
from settlement.clearing.cases.run import prepared
from settlement.clearing.cases.scoring import Kind, scope_tables
from settlement.clearing.cases.stays import POINTED_STAYS
from settlement.clearing.engine import Parts, Table
from settlement.clearing.month.question import Question
from settlement.clearing.policies.policy import (
    DayWard,
    Dip,
    Drg,
    DrgFixedRate,
    Method,
    PerDiem,
    Policy,
)

_SAID = (
    ("position", "BIGINT"),
    ("area", "VARCHAR"),
    ("setl_id", "VARCHAR"),
    ("setl_date", "VARCHAR"),
    ("belongs_to", "VARCHAR"),
    ("insutype", "VARCHAR"),
    ("clr_type", "VARCHAR"),
    ("med_type", "VARCHAR"),
    ("institution", "VARCHAR"),
    ("dise_code", "VARCHAR"),
    ("days", "VARCHAR"),
    ("medfee_sumamt", "BIGINT"),
    ("postings", POSTINGS),
)

#: What the fund was charged for at an institution in the months, and the cases of its own people that
#: it was charged nothing for: they bring points too.
LISTED = f"""
WITH undone AS (
    SELECT r.original_position AS position
    FROM reversed AS r JOIN bounds AS b ON r.area = b.area
    WHERE r.position <= b.watermark
),
regrouped AS (
    SELECT g.setl_id, MAX(g.position) AS position
    FROM grouped AS g JOIN bounds AS b ON g.area = b.area
    WHERE g.position <= b.watermark
    GROUP BY g.setl_id
),
told AS (
    SELECT {", ".join(name for name, _ in _SAID)}, FALSE AS refund FROM settled
    UNION ALL
    SELECT {", ".join(name for name, _ in _SAID)}, TRUE AS refund FROM refunded
),
charged AS (
    SELECT
        t.*, list_max(list_transform(
            t.postings, lambda p: CASE WHEN p.fund = b.fund THEN p.fen END
        )) AS booked_fen
    FROM told AS t JOIN bounds AS b ON t.area = b.area
    WHERE t.position <= b.watermark
        AND t.belongs_to IN (SELECT code FROM months)
        AND t.institution IN (SELECT code FROM wanted)
)
SELECT
    c.position, c.setl_id, c.setl_date, c.refund, u.position IS NOT NULL AS reversed,
    c.insutype, c.clr_type, c.med_type, COALESCE(g.dise_code, c.dise_code) AS dise_code, c.days,
    c.medfee_sumamt AS cost_fen, COALESCE(c.booked_fen, 0) AS booked_fen
FROM charged AS c
LEFT JOIN undone AS u ON u.position = c.position
LEFT JOIN regrouped AS r ON r.setl_id = c.setl_id AND r.position > c.position AND NOT c.refund
LEFT JOIN grouped AS g ON g.position = r.position
WHERE c.booked_fen IS NOT NULL OR c.insutype IN (SELECT code FROM insutypes)
"""

_OF_WANTED = "WHERE institution IN (SELECT code FROM wanted)"
_OF_POINTED = f"SELECT position, standing, points4, 0 AS worth_fen FROM pointed {_OF_WANTED}"
_POINTS = f"{POINTED}\n{_OF_POINTED}"
_STAYS = f"{POINTED_STAYS}\n{_OF_POINTED}"
_PRICES = f"{TOLD}\nSELECT position, standing, 0 AS points4, worth_fen FROM told {_OF_WANTED}"
_CODES = (("code", "VARCHAR"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """One settlement or refund; amounts in fen. What no method looks at case by case has no standing."""

    position: int
    setl_id: str
    date: str
    refund: bool
    reversed: bool
    insutype: str
    clr_type: str
    med_type: str
    group: str | None
    days: str | None
    cost_fen: int
    booked_fen: int
    method: str | None = None
    standing: Standing | None = None
    points4: int = 0
    worth_fen: int = 0

    @property
    def charged_fen(self) -> int:
        """Give what of it stands: a reversed one was never charged."""
        return 0 if self.reversed else self.booked_fen


def list_cases(question: Question, policy: Policy | None, institution: str) -> list[CaseLine]:
    """List the settlements of an institution's month as they stood at the question's watermark."""
    told = {
        **scope_tables(question.scope(), {}, watermark=question.watermark),
        "wanted": Table(_CODES, [(institution,)]),
    }
    parts = dict(question.parts)
    parts |= {name: Parts(_SAID, parts[name].files) for name in ("settled", "refunded")}
    lines = [
        CaseLine(
            position=position,
            setl_id=setl_id,
            date=date,
            refund=refund,
            reversed=undone,
            insutype=insutype,
            clr_type=clr_type,
            med_type=med_type,
            group=group or None,
            days=days or None,
            cost_fen=cost_fen,
            booked_fen=booked_fen,
        )
        for (
            position,
            setl_id,
            date,
            refund,
            undone,
            insutype,
            clr_type,
            med_type,
            group,
            days,
            cost_fen,
            booked_fen,
        ) in question.engine.answer(LISTED, parts, told)
    ]
    lines.sort(key=lambda one: (one.date, one.setl_id, one.position))
    return lines if policy is None else _judged(question, policy, institution, lines)


def _judged(
    question: Question, policy: Policy, institution: str, lines: list[CaseLine]
) -> list[CaseLine]:
    """Put beside each settlement of the fund's own people its method and what it comes to."""
    insured = question.scope().insutypes
    methods: dict[tuple[str, str], Method] = {}
    for one in lines:
        method = policy.method_of(
            clr_type=one.clr_type, med_type=one.med_type, institution=institution
        )
        if one.insutype in insured and method is not None:
            methods[one.clr_type, one.med_type] = method
    found: dict[int, tuple[Standing, int, int]] = {}
    for method in policy.methods:
        kinds = {(*kind, institution) for kind, one in methods.items() if one == method}
        if kinds:
            found |= _standings(question, policy, method, kinds)
    return [
        one
        if one.insutype not in insured or (one.clr_type, one.med_type) not in methods
        else _with(one, methods[one.clr_type, one.med_type], found)
        for one in lines
    ]


def _with(
    one: CaseLine, method: Method, found: Mapping[int, tuple[Standing, int, int]]
) -> CaseLine:
    if one.refund or one.position not in found:
        return replace(one, method=method.name)
    standing, points4, worth_fen = found[one.position]
    return replace(one, method=method.name, standing=standing, points4=points4, worth_fen=worth_fen)


def _standings(
    question: Question, policy: Policy, method: Method, kinds: set[Kind]
) -> dict[int, tuple[Standing, int, int]]:
    """Ask for the cases of a method one by one; a method that works on sums has no answer."""
    rules, engine, parts = method.rules, question.engine, question.parts
    asked = scope_of(policy, rules, question.scope(frozenset(kinds)))
    if isinstance(rules, Dip):
        of_month = replace(rules, groups=rules.groups_of(str(question.period)))
        told = prepared(engine, parts, of_month, asked, watermark=question.watermark)
        text = _POINTS
    elif isinstance(rules, PerDiem | DrgFixedRate | DayWard):
        text = _PRICES
        told = price_tables(engine, parts, rules, asked, watermark=question.watermark)
    elif isinstance(rules, Drg):
        # A readmission may follow a stay at another institution: all stays of the method are told.
        asked = replace(asked, kinds=_all_kinds(question, policy, method))
        told, _ = prepared_stays(engine, parts, rules, asked, watermark=question.watermark)
        text = _STAYS
    else:
        return {}
    wanted = Table(_CODES, sorted({(kind[2],) for kind in kinds}))
    rows = engine.answer(text, parts, {**told, "wanted": wanted})
    return {
        position: (Standing(standing), int(points4), int(worth_fen))
        for position, standing, points4, worth_fen in rows
    }


def _all_kinds(question: Question, policy: Policy, method: Method) -> frozenset[Kind]:
    census, *_ = census_of(
        policy, question.engine, question.parts, question.scope(), watermark=question.watermark
    )
    return frozenset(
        one.kind
        for one in census.kinds
        if method
        == policy.method_of(
            clr_type=one.clr_type, med_type=one.med_type, institution=one.institution
        )
    )


def charged(lines: Iterable[CaseLine]) -> int:
    """Add up what of the lines stands, in fen."""
    return sum(one.charged_fen for one in lines)
