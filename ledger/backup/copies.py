"""``backup`` and ``restore`` (备份与恢复): a consistent copy with its anchor; back again, verified."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg

from ledger.application import FundLedger
from ledger.backup import postgres_copy, sqlite_copy
from ledger.backup.folder import BackupDamaged, BackupFailed, NotABackup, Paper, finish, new_folder
from ledger.backup.postgres_copy import Environment, TargetNotEmpty
from ledger.store import address
from ledger.store import statements as sql
from ledger.store.failures import StoreUnavailable
from ledger.store.postgres import PostgresSnapshot
from ledger.store.recording import Clock
from ledger.store.seals import Seal
from ledger.verify import Anchor, Verification, verify

Progress = Callable[[int, int], None]


def backup(url: str, folder: Path, *, env: Environment) -> Paper:
    """Copy the whole book into a new folder while it is in use.

    Log, books, totals, read models, keys and received files: all as of one moment, whose last seal
    is the anchor. ``env`` is what the server's programs are started with. BackupFolderTaken,
    BackupFailed or ProgramMissing where it cannot be done.
    """
    where = address.parse(url)
    if where.path is None:
        return _dump(where.url or "", where.shown, folder, env)
    if not Path(where.path).is_file():
        raise StoreUnavailable(store=where.shown, reason="文件不存在 / no such file")
    folder = new_folder(folder)
    file = sqlite_copy.copy_out(where.path, folder)
    return finish(folder, file, store="sqlite", anchor=_anchor_of(file))


def _anchor_of(file: Path) -> Anchor:
    """Read the last seal of the copy itself."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copied:
            return Anchor.of(Seal._make(copied.execute(sql.HEAD).fetchone()))
    except (sqlite3.Error, TypeError) as error:
        raise BackupFailed(reason=f"{file.name}: {error}") from error


def _dump(url: str, store: str, folder: Path, env: Environment) -> Paper:
    try:
        with postgres_copy.held_snapshot(url) as (connection, snapshot):
            anchor = Anchor.of(PostgresSnapshot(connection, store).head())
            folder = new_folder(folder)
            file = postgres_copy.copy_out(url, folder, snapshot, env)
    except psycopg.Error as error:
        raise StoreUnavailable(store=store, reason=str(error).strip()) from error
    return finish(folder, file, store="postgresql", anchor=anchor)


def restore(
    folder: Path,
    url: str,
    *,
    clock: Clock,
    env: Environment,
    progress: Progress | None = None,
) -> Verification:
    """Bring a backup into a new file or an empty database, and verify it against its anchor.

    A file gets its name only once it is verified; a database that does not verify is told by
    BackupDamaged and must not be used. NotABackup, TargetNotEmpty where it cannot begin.
    """
    paper = Paper.read(folder)
    anchor = paper.anchor(folder)
    file = paper.check(folder)
    where = address.parse(url)
    if where.is_sqlite != (paper.store == "sqlite"):
        reason = f"{paper.store} → {where.shown}"
        raise NotABackup(folder=str(folder), reason=reason)
    if where.path is None:
        postgres_copy.refuse_unless_empty(where.url or "", where.shown)
        postgres_copy.copy_in(file, where.url or "", env)
        return _verified(url, file, anchor, clock, progress)
    target = Path(where.path)
    if target.exists():
        raise TargetNotEmpty(store=where.shown)
    unfinished = target.with_name(f"{target.name}.restoring")
    sqlite_copy.place(file, unfinished)
    found = _verified(f"sqlite:///{unfinished}", file, anchor, clock, progress)
    sqlite_copy.settle(unfinished, target)
    return found


def _verified(
    url: str, file: Path, anchor: Anchor, clock: Clock, progress: Progress | None
) -> Verification:
    with FundLedger(url, clock=clock) as restored:
        found = verify(restored, anchor=anchor, progress=progress)
    if not found.ok:
        first = found.findings[0]
        raise BackupDamaged(file=file.name, reason=f"{first.zh} / {first.en}")
    return found
