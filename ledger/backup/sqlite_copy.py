"""Copying an SQLite book while it is in use, and putting a copy in its place."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.backup.folder import BackupFailed, sync

FILE = "books.db"


def copy_out(source: str, folder: Path) -> Path:
    """Copy the book as of one moment; writers go on meanwhile (write-ahead mode)."""
    target = folder / FILE
    try:
        with closing(_reading(source)) as book, closing(sqlite3.connect(target)) as copy:
            book.backup(copy)  # all pages in one step: one read transaction
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
    except sqlite3.Error as error:
        raise BackupFailed(reason=str(error)) from error
    return target


def _reading(source: str) -> sqlite3.Connection:
    if not Path(source).is_file():
        raise BackupFailed(reason=f"{source} 不存在 / is missing")
    return sqlite3.connect(source)


def place(file: Path, unfinished: Path) -> None:
    """Put a copy beside where it will be, in write-ahead mode as the books want it."""
    forget(unfinished)
    try:
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, unfinished)
        with closing(sqlite3.connect(unfinished)) as copy:
            copy.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(reason=str(error)) from error


def settle(unfinished: Path, target: Path) -> None:
    """Give the verified copy its name; nothing of its write-ahead log may be left beside it."""
    try:
        with closing(sqlite3.connect(unfinished)) as copy:
            copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sync(unfinished)
        unfinished.rename(target)
        for beside in _beside(unfinished):
            beside.unlink(missing_ok=True)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(reason=str(error)) from error


def forget(unfinished: Path) -> None:
    """Remove what an earlier try left."""
    for one in (unfinished, *_beside(unfinished)):
        one.unlink(missing_ok=True)


def _beside(file: Path) -> tuple[Path, Path]:
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")
