"""Commands that can be killed at any of their commits, and copies of a prepared book for them."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from support.services import database_on

ROOT = Path(__file__).parents[2]
#: The moment of every command, unless it is said to be a later one.
NOON, LATER = "2024-03-05 12:00:00", "2024-03-05 13:00:00"
KILLED = -signal.SIGKILL
_CHUNK = 4  # settlements in a commit: a small file has many


class Ended(NamedTuple):
    """How a command ended: its exit code, how many commits it made, and what it said."""

    code: int
    commits: int
    said: str


class Halted:
    """A command that stands still."""

    def __init__(self, pid: int, running: "Future[Ended]") -> None:
        self._pid = pid
        self._running = running

    def wake(self) -> None:
        """Let it go on, if it has not ended already."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGCONT)

    def ended(self, seconds: float = 60) -> Ended | None:
        """Give how it ended; None where it has not within the time."""
        done = wait([self._running], timeout=seconds).done
        return self._running.result() if done else None


class Commands:
    """Runs commands of the product as processes of their own, forked from one that is warm."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="medfund-test-"))
        foreign = {name: value for name, value in os.environ.items() if "MEDFUND_" not in name}
        self._program = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("killing.py"))],
            cwd=ROOT,
            env=foreign | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self,
        url: str,
        *words: str | Path,
        kill: tuple[str, int] | None = None,
        now: str = NOON,
        chunk: int = _CHUNK,
        **settings: str,
    ) -> Ended:
        """Run one command to its end, or to its death ``before`` or ``after`` its n-th commit."""
        said = self._folder / "said"
        order = {
            "words": ["--db", url, *map(str, words)],
            "environment": {f"MEDFUND_{name.upper()}": value for name, value in settings.items()},
            "said": str(said),
            "now": now,
            "chunk": chunk,
            "kill": kill,
        }
        assert self._program.stdin
        assert self._program.stdout
        self._program.stdin.write(json.dumps(order) + "\n")
        self._program.stdin.flush()
        code, commits = json.loads(self._program.stdout.readline())
        return Ended(code, commits, said.read_text())

    @contextmanager
    def halted(
        self, url: str, *words: str | Path, commit: int, now: str = NOON
    ) -> Iterator["Halted"]:
        """Let a command stand still after a commit until it is woken; it may end before that."""
        noted = self._folder / "said.pid"
        noted.unlink(missing_ok=True)
        with ThreadPoolExecutor(1) as waiting:
            running = waiting.submit(self.run, url, *words, kill=("halt", commit), now=now)
            while not (noted.exists() and (pid := noted.read_text())):
                time.sleep(0.01)
            while not (running.done() or _stopped(pid)):
                time.sleep(0.01)
            halted = Halted(int(pid), running)
            try:
                yield halted
            finally:
                halted.wake()

    def must(self, url: str, *words: str | Path, now: str = NOON, **settings: str) -> str:
        """Run a command that has to succeed; give what it said."""
        ended = self.run(url, *words, now=now, **settings)
        assert ended.code == 0, (words, ended)
        return ended.said

    def close(self) -> None:
        self._program.communicate(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)


def _stopped(pid: str) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    return False


class Copies:
    """Books as files in a folder, or as databases of a server, copied whole."""

    def __init__(self, folder: Path, admin: str | None = None) -> None:
        self._folder = folder
        self._admin = admin
        self._made: list[str] = []

    @property
    def embedded(self) -> bool:
        return self._admin is None

    def empty(self) -> str:
        """Give the address of a new book without any tables."""
        name = f"medfund_test_{uuid.uuid4().hex}"
        if self._admin is None:
            (self._folder / f"{name}.db").touch()
            return f"sqlite:///{self._folder / name}.db"
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self._noted(name)

    def copy(self, url: str) -> str:
        """Copy a book that nobody has open."""
        name = f"medfund_test_{uuid.uuid4().hex}"
        if self._admin is None:
            target = self._folder / f"{name}.db"
            shutil.copy(url.removeprefix("sqlite:///"), target)
            return f"sqlite:///{target}"
        template = url.rpartition("/")[2]
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._noted(name)

    @contextmanager
    def lent(self, url: str) -> Iterator[str]:
        """Lend a copy for one run."""
        copied = self.copy(url)
        yield copied
        self.drop(copied)

    def archive_of(self, url: str) -> Path:
        """Say where the archive of a book lies."""
        return self._folder / f"{url.rpartition('/')[2]}.archive"

    def drop(self, url: str) -> None:
        shutil.rmtree(self.archive_of(url), ignore_errors=True)
        if self._admin is None:
            path = Path(url.removeprefix("sqlite:///"))
            for left in path.parent.glob(f"{path.name}*"):
                left.unlink()
            return
        name = url.rpartition("/")[2]
        with psycopg.connect(self._admin, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.remove(url)

    def close(self) -> None:
        for url in [*self._made]:
            self.drop(url)

    def _noted(self, name: str) -> str:
        assert self._admin
        self._made.append(url := database_on(self._admin, name))
        return url
