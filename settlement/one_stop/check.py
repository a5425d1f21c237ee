"""A month's settlements against the one-stop policy in force (一站式核查): flagged, never changed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import lcm
from typing import NamedTuple

from ledger.aggregates.area import Area
from ledger.aggregates.policies import Policies
from ledger.archive.read import Archive
from ledger.domain.claim_roles import OWN, REMOTE
from ledger.domain.period import Period
from settlement.clearing.cases.kernel import text_hash
from settlement.clearing.cases.run import RunRecord, parts_of
from settlement.clearing.digest import rows_digest
from settlement.clearing.engine import Engine, Parts, Row, Table
from settlement.clearing.month.question import insutypes_of
from settlement.clearing.policies.file import ONE_STOP
from settlement.intake.places import Places
from settlement.one_stop import check_texts
from settlement.one_stop.in_force import ChosenLayers, layers_of
from settlement.one_stop.layers import Layer
from settlement.one_stop.policy import ELSEWHERE, HERE, BasicRule, CaseKind

#: Why a settlement is not judged, by its number in the texts.
UNJUDGED = {1: "no_scope", 2: "no_rule", 3: "cost_out_of_bounds"}
#: Layer 0 pays nothing: a part that the policy knows, and no rule of it fits.
_NOBODY = 0


class Kind(NamedTuple):
    """What settlements have in common that decides which rules are theirs."""

    policy: int
    insutype: str
    institution: str
    med_type: str
    psn_type: str
    maf_psn_type: str
    insuplc: str
    mdtrtarea: str


class _Counted(NamedTuple):
    """A kind with its settlements of the month, and its first day and keys of the year."""

    kind: Kind
    of_month: int
    first_day: str
    first_key: int
    last_key: int


@dataclass(frozen=True, slots=True)
class Flagged:
    """A part of a settlement that does not follow the policy in force, in fen.

    ``unsure`` names why what the year had used before may be incomplete; None: it is complete.
    """

    position: int
    setl_id: str
    person: str
    institution: str
    setl_date: str
    med_type: str
    policy: str
    rule: str
    part: str
    settled_fen: int
    by_policy_fen: int
    unsure: str | None

    @property
    def difference_fen(self) -> int:
        return self.settled_fen - self.by_policy_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the check of one month found, as of a position of the log."""

    area: str
    fund: str
    period: Period
    policies: tuple[ChosenLayers, ...]
    settlements: int  # of the month, of people insured here
    judged: int
    unjudged: Mapping[str, int]  # by reason; no_policy too
    passthrough: int  # of people insured elsewhere: not ours to judge
    history_from: str | None  # first day of the year with a settlement
    key_versions: tuple[int, ...]
    flagged: tuple[Flagged, ...]
    record: RunRecord

    @property
    def history_complete(self) -> bool:
        """Tell whether the year's history begins in January."""
        return self.history_from is None or self.history_from[5:7] == "01"


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    """Which month of which fund, read from where, up to which position."""

    area: Area
    fund: str
    period: Period
    archive: Archive
    engine: Engine
    watermark: int


def policies_of_year(
    policies: Policies, fund: str, period: Period
) -> tuple[list[ChosenLayers], list[tuple[int, str, str]]]:
    """Find which policy speaks for which days from January to the month's end: (number, first, last).

    Numbers begin with 1; days without a policy are in no span.
    """
    day, last = date(period.year, 1, 1), period.last_day
    chosen: list[ChosenLayers] = []
    spans: list[tuple[int, str, str]] = []
    numbers: dict[str, int] = {}
    while day <= last:
        found = policies.speaking(fund, day.isoformat(), ONE_STOP)
        if found is not None:
            if found.id not in numbers:
                chosen.append(layers_of(found))
                numbers[found.id] = len(chosen)
            number, text = numbers[found.id], day.isoformat()
            if spans and spans[-1][0] == number and _follows(spans[-1][2], day):
                spans[-1] = (number, spans[-1][1], text)
            else:
                spans.append((number, text, text))
        day += timedelta(days=1)
    return chosen, spans


def _follows(last: str, day: date) -> bool:
    return date.fromisoformat(last) + timedelta(days=1) == day


def check_month(question: CheckQuestion, policies: Policies) -> Checked:
    """Put every settlement of a month through the layers in force and tell what differs."""
    return _Check(question, policies).checked()


@dataclass(slots=True)
class _Rules:
    """The layers of all policies as tables, each with a number of its own."""

    layers: list[Row] = field(default_factory=lambda: [(_NOBODY, None, 1, 0)])
    deductibles: list[Row] = field(default_factory=lambda: [(_NOBODY, 0, 0)])
    segments: list[Row] = field(default_factory=list)
    turns: list[Row] = field(default_factory=list)
    basic: dict[int, BasicRule] = field(default_factory=dict)
    _numbers: dict[tuple[int, str, str], int] = field(default_factory=dict)
    _others: dict[tuple[tuple[str, int, int], ...], int] = field(default_factory=dict)

    def layer(
        self, policy: int, kind: str, name: str, layer: Layer, later: Sequence[int] = ()
    ) -> int:
        """Number a layer, and write it down when it is first seen."""
        key = (policy, kind, name)
        if key in self._numbers:
            return self._numbers[key]
        number = self._numbers[key] = len(self._numbers) + 1
        den = lcm(*(one.share.denominator for one in layer.segments))
        self.layers.append((number, layer.ceiling_fen, den, len(later)))
        for nth, fen in enumerate((layer.deductible_fen, *later)):
            self.deductibles.append((number, nth, fen))
        begin = 0
        for segment in layer.segments:
            num = int(segment.share * den)
            self.segments.append((number, begin, segment.upto_fen, num))
            begin = segment.upto_fen or begin
        return number

    def others(self, turns: tuple[tuple[str, int, int], ...]) -> int | None:
        """Number a row of further funds: part, numerator and denominator of each turn."""
        if not turns:
            return None
        if turns not in self._others:
            number = self._others[turns] = len(self._others) + 1
            self.turns += [(number, turn, *one) for turn, one in enumerate(turns, start=1)]
        return self._others[turns]


class _Check:
    """One check, and what it was told and answered on the way."""

    def __init__(self, question: CheckQuestion, policies: Policies) -> None:
        self._question = question
        self._chosen, self._spans = policies_of_year(policies, question.fund, question.period)
        self._places = Places.of(question.area)
        self._rules = _Rules()
        parts = parts_of(
            question.archive,
            area=question.area.code,
            since=f"{question.period.year}-01",
            until=question.watermark,
        )
        self._parts: dict[str, Parts] = check_texts.parts_with(parts)
        self._answers: list[Row] = []

    def checked(self) -> Checked:
        kinds = [
            _Counted(Kind(*row[:8]), int(row[9]), row[10], row[11], row[12])
            for row in self._ask(check_texts.KINDS)
        ]
        ours = [one for one in kinds if self._role(one.kind) in {OWN, REMOTE}]
        table = [self._kind_row(one.kind) for one in ours]
        tally: dict[int, int] = dict(self._ask(check_texts.TALLY, table))
        first_day = min((one.first_day for one in ours), default=None)
        keys = {key for one in ours for key in (one.first_key, one.last_key)}
        unsure = _Unsure(first_day, min(keys, default=0))
        rows = self._ask(check_texts.DEVIATIONS, table) if self._chosen else []
        without = sum(one.of_month for one in ours if one.kind.policy == 0)
        unjudged = {name: int(tally.get(at, 0)) for at, name in UNJUDGED.items()}
        unjudged["no_policy"] = without
        unjudged["no_rule"] -= without
        return Checked(
            area=self._question.area.code,
            fund=self._question.fund,
            period=self._question.period,
            policies=tuple(self._chosen),
            settlements=sum(one.of_month for one in ours),
            judged=int(tally.get(0, 0)),
            unjudged=unjudged,
            passthrough=sum(one.of_month for one in kinds) - sum(one.of_month for one in ours),
            history_from=first_day,
            key_versions=tuple(sorted(keys)),
            flagged=tuple(sorted(self._flagged(rows, unsure), key=_order)),
            record=self._record(),
        )

    def _role(self, kind: Kind) -> str | None:
        return self._places.role(kind.insuplc or None, kind.mdtrtarea or None, kind.institution)

    def _kind_row(self, kind: Kind) -> Row:
        """Ask the policy once which rules are those of a kind."""
        nothing = (*kind, OWN, None, "", 0, None, None, None, None, None)
        if kind.policy == 0:
            return nothing
        policy = self._chosen[kind.policy - 1].policy
        _, level = self._question.area.institutions.get(kind.institution, ("", None))
        applied = policy.applied_to(
            CaseKind(
                insutype=kind.insutype,
                level=level,
                med_type=kind.med_type,
                person_class=kind.psn_type or None,
                assistance_class=kind.maf_psn_type or None,
                place=ELSEWHERE if self._role(kind) == REMOTE else HERE,
            )
        )
        if applied is None:
            return nothing
        number, rules, basic = kind.policy, self._rules, applied.basic
        layer = rules.layer(number, "basic", basic.name, basic.layer, basic.later_deductibles_fen)
        rules.basic[layer] = basic
        catastrophic: int | None = _NOBODY if policy.catastrophic else None
        part = policy.catastrophic[0].part if policy.catastrophic else None
        if (found := applied.catastrophic) is not None:
            catastrophic = rules.layer(number, "catastrophic", found.name, found.layer)
            part = found.part
        assistance: int | None = _NOBODY if policy.assistance else None
        if (helped := applied.assistance) is not None:
            assistance = rules.layer(number, "assistance", helped.name, helped.layer)
        tilted = None
        if (more := applied.tilted) is not None:
            tilted = rules.layer(number, "tilted", more.name, more.layer)
        shares = {one.part: one.share for one in applied.others}
        turns = tuple(
            (one, shares[one].numerator, shares[one].denominator) if one in shares else (one, 0, 1)
            for one in dict.fromkeys(other.part for other in policy.others)
        )
        return (*kind, OWN, layer, basic.pool, int(basic.yearly), catastrophic, part, assistance,
                tilted, rules.others(turns))  # fmt: skip

    def _ask(self, text: str, kinds: Sequence[Row] = ()) -> list[Row]:
        asked = self._question
        values: dict[str, Sequence[Row]] = {
            "bounds": [
                (
                    asked.area.code,
                    asked.watermark,
                    f"{asked.period.year}-01-01",
                    asked.period.first_day.isoformat(),
                    asked.period.last_day.isoformat(),
                )
            ],
            "insutypes": [(code,) for code in sorted(insutypes_of(asked.fund))],
            "spans": self._spans,
            "kinds": kinds,
            "layers": self._rules.layers,
            "deductibles": self._rules.deductibles,
            "segments": self._rules.segments,
            "turns": self._rules.turns,
        }
        tables = {
            name: Table(columns, values[name]) for name, columns in check_texts.TABLES.items()
        }
        rows = asked.engine.answer(text, self._parts, tables)
        self._answers += rows
        return rows

    def _flagged(self, rows: Sequence[Row], unsure: "_Unsure") -> Iterator[Flagged]:
        for row in rows:
            position, setl_id, person, institution, day, med_type, policy, basic = row[:8]
            part, settled, by_policy, key, unjudged_before, cumulative = row[8:]
            rule = self._rules.basic[basic]
            leans = bool(cumulative) or (part == "hifp_pay" and _leans_on_the_year(rule))
            yield Flagged(
                position=position,
                setl_id=setl_id,
                person=person,
                institution=institution,
                setl_date=day,
                med_type=med_type,
                policy=self._chosen[policy - 1].id,
                rule=rule.name,
                part=part,
                settled_fen=int(settled),
                by_policy_fen=int(by_policy),
                unsure=unsure.reason(key, int(unjudged_before)) if leans else None,
            )

    def _record(self) -> RunRecord:
        engine = self._question.engine
        told = [(one.id, one.content_hash) for one in self._chosen]
        return RunRecord(
            engine=engine.name,
            engine_version=engine.version,
            kernel=text_hash(*check_texts.TEXTS),
            parameters=rows_digest([*told, *self._spans]),
            watermark=self._question.watermark,
            result=rows_digest([tuple(map(_plain, row)) for row in self._answers]),
        )


def _plain(value: object) -> object:
    return int(value) if isinstance(value, int) else value


def _order(one: Flagged) -> tuple[str, int, str]:
    return one.setl_date, one.position, one.part


def _leans_on_the_year(rule: BasicRule) -> bool:
    """Tell whether what a basic rule pays depends on earlier settlements of the year."""
    return rule.yearly or bool(rule.later_deductibles_fen) or rule.layer.ceiling_fen is not None


@dataclass(frozen=True, slots=True)
class _Unsure:
    """What may be missing of a person's year."""

    first_day: str | None
    first_key: int

    def reason(self, person_key: int, unjudged_before: int) -> str | None:
        if self.first_day is not None and self.first_day[5:7] != "01":
            return "history_begins"
        if person_key != self.first_key:
            return "key_rotated"
        return "earlier_unjudged" if unjudged_before else None
