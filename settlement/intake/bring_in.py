"""Bringing files in (导入): store, check, compare with the books, post; one outcome per file.

A file with any rejected row posts nothing unless ``partial``; a dry run checks everything and
writes nothing. Each file is atomic by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.chart import account_words
from ledger.errors import Unavailable
from ledger.store.commit import IntakeLease
from ledger.store.vault import Vault
from settlement.banking import banks_of
from settlement.clearing.owed import Records
from settlement.clearing.records import records_now
from settlement.intake.ahead import beside
from settlement.intake.allocation_rows import check_allocations
from settlement.intake.application_rows import check_applications
from settlement.intake.attempt import Attempt, load_attempt
from settlement.intake.bank_rows import check_payments
from settlement.intake.case_rows import check_cases
from settlement.intake.cells import word_of
from settlement.intake.checked_files import check_flows
from settlement.intake.claim_check import ClaimsExaminer
from settlement.intake.columns import CASE_REVIEWS, MANUAL_CLAIMS, PERSON_PAYMENTS
from settlement.intake.flow_facts import documents
from settlement.intake.layouts import layouts_of
from settlement.intake.manual_rows import check_manual_claims
from settlement.intake.payment_rows import check_results
from settlement.intake.person_rows import check_persons
from settlement.intake.places import own_places
from settlement.intake.post_allocations import new_allocations
from settlement.intake.post_applications import new_applications
from settlement.intake.post_cases import new_case_facts
from settlement.intake.post_claims import ClaimPoster, ClaimsPlan, Progress
from settlement.intake.post_flows import post_documents, sort_documents
from settlement.intake.post_manual_claims import new_manual_claims
from settlement.intake.post_payments import new_payments
from settlement.intake.post_persons import new_person_payments
from settlement.intake.post_results import new_bank_results
from settlement.intake.post_statements import Sorter, new_rows, post_statements
from settlement.intake.readers import Table, open_table
from settlement.intake.rejections import FileProblem, FileRefused, Rejection
from settlement.intake.row_reader import CheckContext
from settlement.intake.statement_rows import CheckedStatements, check_details, check_totals
from settlement.one_stop.person_year import year_question

FUND_FLOWS, CLAIMS = "fund_flows", "claims"
_Recorder = tuple[Callable[[Table, CheckContext], CheckedStatements[Any]], Sorter]
#: Files that are recorded in one commit: how rows are checked, and what is new.
_RECORDED: dict[str, _Recorder] = {
    "statement_totals": (check_totals, new_rows),
    "statement_details": (check_details, new_rows),
    "groupings": (check_cases, new_case_facts),
    "case_reviews": (check_cases, new_case_facts),
    "assessments": (check_cases, new_case_facts),
    "remote_allocations": (check_allocations, new_allocations),
    "bank_statement": (check_payments, new_payments),
    "payment_results": (check_results, new_bank_results),
}
#: Files whose rows are held against more than single streams.
_ASKING = {"clearing_applications", CASE_REVIEWS.name, MANUAL_CLAIMS.name, PERSON_PAYMENTS.name}
_PAUSES = 3000


class IntakeBusy(Unavailable):
    """Another process is bringing in a file of this kind and does not finish."""

    code = "intake_busy"
    zh = "统筹区 {area} 的 {kind} 正由另一进程导入({intake}),等待超时。"
    en = "Another process is bringing in {kind} of area {area} ({intake}); waited too long."
    hint_zh = "请稍后重试;未做任何更改。"
    hint_en = "Try again later; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Who brings what in, where, and how (导入台)."""

    ledger: FundLedger
    vault: Vault
    area: Area
    user: str
    today: date
    wait: Callable[[], None]  # a short pause, about a fifth of a second
    partial: bool = False
    dry_run: bool = False
    archive: Path | None = None  # where the log lies archived, for files that are held against it
    lease_seconds: int = 15
    progress: Progress = field(default=lambda _done, _total: None)
    profile: str | None = None  # the layout of a bank's statement (对账单格式)
    source: str | None = None  # whose statement it is: bank, treasury, fiscal, tax


@dataclass(frozen=True, slots=True)
class Outcome:
    """What bringing one file in did, as the contract's document says it."""

    path: Path
    sha256: str = ""
    kind: str | None = None
    intake: str | None = None
    accepted: int = 0
    rejected: int = 0
    posted: int = 0
    already: int = 0
    duplicate: bool = False
    dry_run: bool = False
    rejections: Sequence[Rejection] = ()
    problems: Sequence[FileProblem] = ()
    table: Table | None = None

    @property
    def refused(self) -> bool:
        """Tell whether anything of the file was rejected."""
        return bool(self.rejections) or any(problem.stops for problem in self.problems)

    @property
    def state(self) -> str:
        """Name how it ended: posted, partial, duplicate, checked (dry run) or rejected."""
        if self.dry_run:
            return "checked"
        if self.duplicate:
            return "duplicate"
        if not self.refused:
            return "posted"
        return "partial" if self.posted or self.already else "rejected"

    def document(self, lang: str = "zh") -> dict[str, Any]:
        """Give the file's part of ``intake --json`` (contract §5)."""
        return {
            "file": str(self.path),
            "sha256": self.sha256,
            "kind": self.kind,
            "intake": self.intake,
            "state": self.state,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "posted": self.posted,
            "already": self.already,
            "duplicate": self.duplicate,
            "dry_run": self.dry_run,
            "rejections": [rejection.document(lang) for rejection in self.rejections],
            "problems": [problem.document(lang) for problem in self.problems],
        }


def bring_in(path: Path, desk: Desk, *, kind: str | None = None) -> Outcome:
    """Bring one file in; everything wrong with it is in the outcome, never raised."""
    outcome = Outcome(path, dry_run=desk.dry_run)
    try:
        layouts = layouts_of(banks_of(desk.area.options), desk.profile)
        table = open_table(path, kind=kind, layouts=layouts)
        digest = _sha256(path)
    except FileRefused as refused:
        return replace(outcome, problems=refused.problems)
    content = desk.vault.content_key(digest)
    attempt = load_attempt(
        desk.ledger,
        area=desk.area.code,
        kind=table.kind.name,
        file=path.name,
        content=content,
    )
    outcome = replace(
        outcome, sha256=digest, kind=table.kind.name, intake=attempt.intake, table=table
    )
    before = attempt.completed
    if before is not None and before.rejected == 0:
        return replace(outcome, accepted=before.accepted, already=before.accepted, duplicate=True)
    outcome = replace(outcome, duplicate=before is not None)
    context = _context(desk)
    if table.kind.name == FUND_FLOWS:
        return _bring_flows(desk, table, context, attempt, outcome)
    if table.kind.name in {*_RECORDED, *_ASKING}:
        return _bring_recorded(desk, table, context, attempt, outcome)
    return _bring_claims(desk, table, context, attempt, outcome)


def _keep(desk: Desk, attempt: Attempt, path: Path) -> None:
    """Store the file as received: it is kept whatever is found in it (design §4)."""
    if not desk.dry_run:
        with path.open("rb") as file:
            desk.vault.keep_file(attempt.content, file)


def _sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _context(desk: Desk) -> CheckContext:
    codes = cast("dict[str, str]", desk.area.options.get("chart") or {})
    return CheckContext(
        area=desk.area.code,
        today=desk.today,
        funds=desk.area.leaf_funds,
        institutions=frozenset(desk.area.institutions),
        accounts=account_words(codes),
        places=own_places(desk.area),
        parties={
            word: code
            for code, (name, *_) in desk.area.institutions.items()
            for word in map(word_of, (code, name))
            if word is not None
        },
        banks=banks_of(desk.area.options),
        source=desk.source,
    )


def _may_post(desk: Desk, *, rejected: int, stopped: bool) -> bool:
    return not (desk.dry_run or stopped or (rejected and not desk.partial))


def _bring_flows(
    desk: Desk, table: Table, context: CheckContext, attempt: Attempt, outcome: Outcome
) -> Outcome:
    checked = beside(lambda: _keep(desk, attempt, table.path), lambda: check_flows(table, context))
    found = sort_documents(desk.ledger, desk.area, documents(checked.rows))
    rejections = sorted([*checked.rejections, *found.rejections], key=lambda one: one.line)
    rejected = len({rejection.line for rejection in rejections})
    new = sum(len(one.document.rows) for one in found.new)
    already = found.already + len(checked.repeated)
    outcome = replace(
        outcome,
        accepted=new + already,
        rejected=rejected,
        already=already,
        rejections=rejections,
        problems=checked.problems,
    )
    if not _may_post(desk, rejected=rejected, stopped=checked.stopped):
        return outcome
    good = [one.document for one in found.new]
    if not good and attempt.completed is not None:
        return outcome  # the same partial file once more, and nothing of it became acceptable
    result = post_documents(
        desk.ledger,
        desk.area,
        good,
        already=already,
        attempt=attempt,
        user=desk.user,
        rejected=rejected,
    )
    return replace(
        outcome,
        posted=result.posted,
        already=result.already,
        duplicate=outcome.duplicate or result.repeated,
    )


def _bring_recorded(
    desk: Desk, table: Table, context: CheckContext, attempt: Attempt, outcome: Outcome
) -> Outcome:
    """Record statements (对账单), groupings, reviews and assessments, and applications (清算申请).

    Only the last move anything in a book: what is booked becomes declared.
    """
    check, sort = _recorded(desk, table.kind.name)
    checked = beside(lambda: _keep(desk, attempt, table.path), lambda: check(table, context))
    new = sort(desk.ledger, desk.area, checked.rows, intake=attempt.intake, user=desk.user)
    rejections = sorted([*checked.rejections, *new.rejections], key=lambda one: one.line)
    rejected = len({rejection.line for rejection in rejections})
    barred = len({rejection.line for rejection in new.rejections})
    accepted = len(checked.rows) - barred + len(checked.repeated)
    outcome = replace(
        outcome,
        accepted=accepted,
        rejected=rejected,
        already=accepted - new.rows,
        rejections=rejections,
        problems=checked.problems,
    )
    if not _may_post(desk, rejected=rejected, stopped=checked.stopped):
        return outcome
    if not new.rows and attempt.completed is not None:
        return outcome
    result = post_statements(
        desk.ledger,
        desk.area,
        checked.rows,
        repeated=len(checked.repeated),
        attempt=attempt,
        user=desk.user,
        rejected=rejected,
        sort=sort,
    )
    return replace(
        outcome,
        posted=result.posted,
        already=result.already,
        duplicate=outcome.duplicate or result.repeated,
    )


def _recorded(desk: Desk, kind: str) -> _Recorder:
    if kind == PERSON_PAYMENTS.name:
        return check_persons, partial(new_person_payments, vault=desk.vault)
    if kind not in _ASKING:
        return _RECORDED[kind]
    folder = desk.archive
    if folder is None:
        raise ValueError(f"{kind} are held against the archive: the desk names none")
    if kind == MANUAL_CLAIMS.name:
        years = partial(year_question, desk.ledger, desk.area, folder)
        sort = partial(new_manual_claims, vault=desk.vault, ask=years, today=desk.today)
        return check_manual_claims, sort

    def ask() -> Records:
        return records_now(desk.ledger.log, folder, area=desk.area.code)

    if kind == CASE_REVIEWS.name:
        return check_cases, partial(new_case_facts, ask=ask)
    return check_applications, partial(new_applications, ask=ask, today=desk.today)


def _bring_claims(
    desk: Desk, table: Table, context: CheckContext, attempt: Attempt, outcome: Outcome
) -> Outcome:
    examiner = ClaimsExaminer(desk.ledger, desk.vault, desk.area, table, context)
    found = beside(lambda: _keep(desk, attempt, table.path), examiner.examine)
    lines = found.rejected_lines
    outcome = replace(
        outcome,
        accepted=found.accepted,
        rejected=len(lines),
        already=found.already,
        rejections=found.rejections,
        problems=found.problems,
    )
    nothing_new = found.accepted == found.already and attempt.started_at is None
    if not _may_post(desk, rejected=len(lines), stopped=found.stopped):
        return outcome
    if nothing_new and attempt.completed is not None:
        return outcome
    lease = _lease(desk, attempt)
    try:
        attempt = load_attempt(
            desk.ledger,
            area=attempt.area,
            kind=attempt.kind,
            file=attempt.file,
            content=attempt.content,
        )
        if attempt.completed is not None and attempt.completed.rejected == 0:
            return replace(outcome, already=found.accepted, duplicate=True)
        completed = ClaimPoster(
            desk.ledger,
            desk.vault,
            desk.area,
            attempt=attempt,
            user=desk.user,
            lease=lease,
            lease_seconds=desk.lease_seconds,
        ).post(
            examiner.claims(found),
            ClaimsPlan(
                accepted=found.accepted,
                rejected=len(lines),
                funds=tuple(sorted(found.funds)),
                months=tuple(sorted(found.months)),
                partial=desk.partial,
                standing=found.standing,
            ),
            desk.progress,
        )
    finally:
        desk.ledger.log.release_lease(lease)
    repeated = found.accepted - completed.posted - completed.already
    return replace(outcome, posted=completed.posted, already=completed.already + repeated)


def _lease(desk: Desk, attempt: Attempt) -> IntakeLease:
    """Take the lease of (area, kind), waiting while another process posts."""
    for _ in range(_PAUSES):
        lease = desk.ledger.log.acquire_lease(
            area=attempt.area,
            kind=attempt.kind,
            intake=attempt.intake,
            seconds=desk.lease_seconds,
        )
        if lease is not None:
            return lease
        desk.wait()
    raise IntakeBusy(area=attempt.area, kind=attempt.kind, intake=attempt.intake)
