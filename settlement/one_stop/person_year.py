"""Looking a person's year up (年度累计): settlements of the archive, and manual claims of the log."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from ledger.aggregates.area import Area
from ledger.aggregates.policies import Policies
from ledger.application import FundLedger
from ledger.archive.read import Archive
from ledger.archive.write import PATIENCE_SECONDS, bring_up_to
from ledger.domain.claim_roles import OWN, REMOTE
from ledger.domain.identity import manual_claim_stream, settlement_stream
from ledger.events.one_stop import ManualClaimProposed, ManualClaimSettled
from settlement.clearing.cases.run import parts_of
from settlement.clearing.engine import Engine, Row, Table
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.question import insutypes_of, refuse_unfinished
from settlement.clearing.policies.file import ONE_STOP
from settlement.clearing.records import MEMORY_MIB
from settlement.intake.places import Places
from settlement.one_stop import check_texts
from settlement.one_stop.in_force import layers_of
from settlement.one_stop.policy import ELSEWHERE, HERE, Applied, CaseKind
from settlement.one_stop.year import PersonYear, Used, year_of
from settlement.policies import load_policies


@dataclass(frozen=True, slots=True)
class YearQuestion:
    """Whose year, read from where, up to which position."""

    ledger: FundLedger
    area: Area
    policies: Policies
    archive: Archive
    engine: Engine
    watermark: int
    fund: str
    year: int
    tokens: tuple[str, ...]  # of the person, under every key that is left


def year_question(  # noqa: PLR0917  partial gives the first three
    ledger: FundLedger, area: Area, folder: Path, fund: str, year: int, tokens: tuple[str, ...]
) -> YearQuestion:
    """Open a person's year at the log as it stands; the archive is written on to it first.

    An intake under way would be a part of the year only: IntakeUnderWay, before and after.
    """
    log = ledger.log
    refuse_unfinished(log, area.code, fund)
    watermark = log.last_position()
    refuse_unfinished(log, area.code, fund)
    bring_up_to(log, folder, position=watermark, patience_seconds=PATIENCE_SECONDS)
    return YearQuestion(
        ledger=ledger,
        area=area,
        policies=load_policies(ledger, area.code),
        archive=Archive(folder),
        engine=DuckDBEngine(memory_mib=MEMORY_MIB),
        watermark=watermark,
        fund=fund,
        year=year,
        tokens=tokens,
    )


@dataclass(frozen=True, slots=True)
class FoundYear:
    """A person's year, and the position of the last settlement in it."""

    year: PersonYear
    last_position: int
    manual: int  # manual claims that were settled in it
    made_up: frozenset[str]  # settlements whose assistance was made up for


def find_year(asked: YearQuestion, *, without: str | None = None) -> FoundYear:
    """Add a person's year up; ``without`` leaves out the settlement that a claim makes up for."""
    rows = [row for row in _rows(asked) if row[1] != without]
    manual = list(_manual(asked))
    year = year_of([*(_used(asked, row) for row in rows), *_whole(asked, manual)])
    for _, proposed in manual:
        if proposed.setl_id is not None:
            year.assistance_base_fen += proposed.cost["left_fen"]
            year.assistance_paid_fen += proposed.parts.get("maf_pay", 0)
    positions = [*(int(row[0]) for row in rows), *(position for position, _ in manual)]
    made_up = frozenset(proposed.setl_id for _, proposed in manual if proposed.setl_id)
    return FoundYear(year, max(positions, default=0), len(manual), made_up)


def _rows(asked: YearQuestion) -> list[Row]:
    first, last = f"{asked.year}-01-01", f"{asked.year}-12-31"
    told: dict[str, list[Row]] = {
        "bounds": [(asked.area.code, asked.watermark, first, first, last)],
        "insutypes": [(code,) for code in sorted(insutypes_of(asked.fund))],
        "tokens": [(token,) for token in asked.tokens],
    }
    columns = {**check_texts.TABLES, "tokens": (("code", "VARCHAR"),)}
    tables = {name: Table(columns[name], told.get(name, ())) for name in columns}
    area, since = asked.area.code, f"{asked.year}-01"
    parts = parts_of(asked.archive, area=area, since=since, until=asked.watermark)
    return asked.engine.answer(check_texts.PERSON_YEAR, check_texts.parts_with(parts), tables)


def applied_on(asked: YearQuestion, day: str, kind: CaseKind) -> Applied | None:
    """Give the rules of a settlement by the policy in force on its day; None where there are none."""
    version = asked.policies.speaking(asked.fund, day, ONE_STOP)
    return None if version is None else layers_of(version).policy.applied_to(kind)


def _used(asked: YearQuestion, row: Row) -> Used:
    _, _, day, insutype, institution, med_type, psn, maf, insuplc, mdtrtarea = row[:10]
    scope, hifp, hifmi, hifob, assisted = row[10:]
    role = Places.of(asked.area).role(insuplc or None, mdtrtarea or None, institution)
    _, level = asked.area.institutions.get(institution, ("", None))
    kind = CaseKind(
        insutype=insutype,
        level=level,
        med_type=med_type,
        person_class=psn or None,
        assistance_class=maf or None,
        place=ELSEWHERE if role == REMOTE else HERE,
    )
    known = scope is not None and role in {OWN, REMOTE}
    return Used(
        applied=applied_on(asked, day, kind) if known else None,
        scope_fen=int(scope or 0),
        parts={
            "hifp_pay": int(hifp),
            "hifmi_pay": int(hifmi),
            "hifob_pay": int(hifob),
            "maf_pay": int(assisted),
        },
    )


def _manual(asked: YearQuestion) -> Iterator[tuple[int, ManualClaimProposed]]:
    """Find the manual claims of the year that were settled, each with its cost."""
    settled: dict[str, tuple[int, int]] = {}
    for stream in _month_streams(asked):
        for position, envelope in asked.ledger.history(stream):
            fact = envelope.fact
            if isinstance(fact, ManualClaimSettled):
                settled[fact.claim_no] = (position, fact.revision)
    for claim_no, (position, revision) in settled.items():
        for _, envelope in asked.ledger.history(manual_claim_stream(asked.area.code, claim_no)):
            fact = envelope.fact
            if isinstance(fact, ManualClaimProposed) and fact.revision == revision:
                yield position, fact


def _month_streams(asked: YearQuestion) -> Iterator[UUID]:
    for fund in sorted(asked.area.leaf_funds):
        for token in asked.tokens:
            for month in range(1, 13):
                period = f"{asked.year}-{month:02d}"
                yield settlement_stream(asked.area.code, fund, token, period)


def _whole(asked: YearQuestion, manual: list[tuple[int, ManualClaimProposed]]) -> Iterator[Used]:
    """Give the manual claims of costs that had not been settled at the counter."""
    for _, proposed in manual:
        if proposed.setl_id is None:
            kind = kind_of(proposed.facts)
            cost = proposed.cost
            outside = cost["own_fen"] + cost["above_limit_fen"] + cost["first_share_fen"]
            yield Used(
                applied=applied_on(asked, proposed.date, kind),
                scope_fen=cost["total_fen"] - outside,
                parts=proposed.parts,
            )


def kind_of(facts: dict[str, str]) -> CaseKind:
    """Read what decides the rules from a manual claim."""
    level = facts.get("level")
    return CaseKind(
        insutype=facts["insutype"],
        level=int(level) if level is not None else None,
        med_type=facts["med_type"],
        person_class=facts.get("person_class"),
        assistance_class=facts.get("assistance_class"),
        place=facts.get("place", HERE),
    )
