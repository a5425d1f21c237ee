"""Bringing files in (导入): store, check, compare with the books, post; one outcome per file.

A file with any rejected row posts nothing unless ``partial``; a dry run checks everything and
writes nothing. Each file is atomic by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.chart import account_words
from ledger.errors import Unavailable
from ledger.store.commit import IntakeLease, MonthNotOpen, StreamConflict
from ledger.store.vault import Vault
from settlement.banking import banks_of
from settlement.intake.ahead import beside
from settlement.intake.attempt import Attempt, load_attempt
from settlement.intake.cells import word_of
from settlement.intake.claim_check import ClaimsExaminer
from settlement.intake.layouts import layouts_of
from settlement.intake.places import own_places
from settlement.intake.post_claims import ClaimPoster, ClaimsPlan, Progress
from settlement.intake.post_statements import record_new
from settlement.intake.readers import Table, open_table
from settlement.intake.recorders import recorder_of
from settlement.intake.rejections import FileProblem, FileRefused, Rejection
from settlement.intake.row_reader import CheckContext

CLAIMS = "claims"
_PAUSES = 3000
#: A month may be frozen, or the same be recorded by someone else, while a file is held against the
#: books; then it is held against them anew.
_TRIES = 5


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
    if table.kind.name != CLAIMS:
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


def _bring_recorded(
    desk: Desk, table: Table, context: CheckContext, attempt: Attempt, outcome: Outcome
) -> Outcome:
    """Bring in what goes into the log in one commit: every kind of file but claims."""
    check, sort = recorder_of(
        table.kind.name,
        ledger=desk.ledger,
        area=desk.area,
        vault=desk.vault,
        folder=desk.archive,
        today=desk.today,
    )
    checked = beside(lambda: _keep(desk, attempt, table.path), lambda: check(table, context))
    for tries_left in range(_TRIES - 1, -1, -1):
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
            return outcome  # the same partial file once more, and nothing of it became acceptable
        try:
            result = record_new(
                desk.ledger,
                new,
                already=outcome.already,
                attempt=attempt,
                user=desk.user,
                rejected=rejected,
            )
        except (MonthNotOpen, StreamConflict):  # said, or frozen, a moment ago
            if not tries_left:
                raise
            continue
        return replace(
            outcome,
            posted=result.posted,
            already=result.already,
            duplicate=outcome.duplicate or result.repeated,
        )
    raise AssertionError("the last try returns or raises")


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
