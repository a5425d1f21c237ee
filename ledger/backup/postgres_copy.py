"""Copying a PostgreSQL book with the server's own programs, and bringing a copy back with them.

``pg_dump`` and ``pg_restore`` are what the operators of a database know and trust; nothing of ours
stands between them and the data. The password goes by the environment, never by the command line.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.backup.folder import BackupFailed
from ledger.errors import RuleRefused, Unavailable

FILE = "books.pgdump"

Environment = Mapping[str, str]


class ProgramMissing(Unavailable):
    """A program of PostgreSQL's client is not installed (缺少 PostgreSQL 客户端程序)."""

    code = "program_missing"
    zh = "没有找到程序 {program}。"
    en = "The program {program} was not found."
    hint_zh = "请安装与服务器同版或更新的 PostgreSQL 客户端(如 apt install postgresql-client)。"
    hint_en = (
        "Install a PostgreSQL client as new as the server (such as apt install postgresql-client)."
    )


class TargetNotEmpty(RuleRefused):
    """A restore never overwrites a book (恢复目标非空)."""

    code = "restore_target_taken"
    zh = "恢复目标 {store} 中已有内容,不会被覆盖。"
    en = "{store} holds something already, and is not overwritten."
    hint_zh = "请用 --db 指定一个新文件或空数据库。"
    hint_en = "Name a new file or an empty database with --db."


@contextmanager
def held_snapshot(url: str) -> Iterator[tuple[psycopg.Connection[tuple[object, ...]], str]]:
    """Hold one moment of the database, and its name for ``pg_dump``."""
    with psycopg.connect(url) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        row = connection.execute("SELECT pg_export_snapshot()").fetchone()
        if row is None:
            raise BackupFailed(reason="pg_export_snapshot")
        yield connection, str(row[0])


def copy_out(url: str, folder: Path, snapshot: str, env: Environment) -> Path:
    """Dump the database as of a held snapshot, in PostgreSQL's custom format."""
    target = folder / FILE
    plain, password = _apart(url)
    how = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}")
    _run(["pg_dump", *how, f"--file={target}", f"--dbname={plain}"], {**env, **password})
    return target


def refuse_unless_empty(url: str, store: str) -> None:
    """Refuse a database that has any table of its own."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute(
                "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')"
                " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') LIMIT 1"
            ).fetchone()
    except psycopg.Error as error:
        raise BackupFailed(reason=str(error).strip()) from error
    if row is not None:
        raise TargetNotEmpty(store=store)


def copy_in(file: Path, url: str, env: Environment) -> None:
    """Restore a dump in one transaction: all of it or nothing."""
    plain, password = _apart(url)
    how = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run(["pg_restore", *how, f"--dbname={plain}", str(file)], {**env, **password})


def _apart(url: str) -> tuple[str, dict[str, str]]:
    """Take the password out of an address."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", None)
    return make_conninfo("", **parts), {} if password is None else {"PGPASSWORD": str(password)}


def _run(words: list[str], env: Environment) -> None:
    try:
        done = subprocess.run(words, env=dict(env), capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError as error:
        raise ProgramMissing(program=words[0]) from error
    if done.returncode:
        said = re.sub(r"\s+", " ", done.stderr).strip() or f"{words[0]}: {done.returncode}"
        raise BackupFailed(reason=said)
