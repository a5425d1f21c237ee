"""medfund beside other ledgers, each at its own work, on the same two-leg transactions.

Posting durably: django-hordak (its bulk way and its normal way) and python-accounting (it has no
bulk way), both in an environment and a process of their own. hledger, ledger and beancount store
nothing: their reading and checking a journal stands beside our bringing the same rows in as a file.

All balances: the databases are asked for them; the programs read the journal and add it up, beside
our ``balances`` (read models) and our ``replay`` (the whole log folded), start-up included.

Every peer must give the same balances to the fen, or the benchmark stops. What is too slow for all
transactions posts a sample; the figure is a ratio of rates, and says so.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from hashlib import sha256
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._peer_book import (
    Balances,
    Deal,
    OurBook,
    accounts,
    deals,
    expected,
    our_book,
    write_flows,
    write_journal,
)
from benchmarks._stores import STORES, scratch
from benchmarks.figures import Figure, Figures, Paired, Scale, paired, seconds
from support.services import find_program

from projections.reports.plaintext import Program

HERE = Path(__file__).parent
_LOCK = HERE / "peers-requirements.lock"
_AHEAD = "> 1"


def figures(scale: Scale) -> Figures:
    of = deals(scale.log(100_000, 800))
    python = _environment(make=not scale.short)
    if python:
        yield from _hordak(python, of, scale)
        for store in ["PostgreSQL"] if scale.short else STORES:
            yield from _python_accounting(python, store, of, scale)
    yield from _plain_text(of, scale)


def _skipped(what: str, why: str) -> None:
    print(f"bench: peers: {what} left out: {why}", file=sys.stderr)


# --- peers with a database --------------------------------------------------------------------


def _environment(*, make: bool) -> Path | None:
    """Give the Python of the peers' own environment; it is kept from one run to the next."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / "medfund-bench" / f"{version}-{sha256(_LOCK.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        if not make:
            _skipped("django-hordak, python-accounting", "a full run makes their environment")
            return None
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([*install, "-r", _LOCK], check=True, stdout=sys.stderr)
        except (OSError, subprocess.CalledProcessError) as error:
            _skipped("django-hordak, python-accounting", str(error))
            return None
        ready.touch()
    return python


class Peer:
    """A peer in a process of its own: it is asked in lines of JSON and times its own work."""

    def __init__(self, python: Path, program: str, url: str) -> None:
        self._process = subprocess.Popen(
            [python, HERE / program, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Have something done; gives its seconds and, asked for balances, those."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the peer ended with {self._process.wait()}")
        return dict(json.loads(answer))

    def post(self, do: str, of: Sequence[Deal]) -> float:
        return float(self.ask(do, rows=[deal.row for deal in of])["seconds"])

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()


@contextmanager
def _peer(python: Path, program: str, store: str, of: Sequence[Deal]) -> Iterator[Peer]:
    with scratch(store) as url:
        dialect = "postgresql" if program == "_peers_hordak.py" else "postgresql+psycopg"
        peer = Peer(python, program, url.replace("postgresql:", f"{dialect}:", 1))
        try:
            peer.ask("accounts", accounts=accounts(of))
            yield peer
        finally:
            peer.close()


def _version(python: Path, name: str) -> str:
    asked = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run(
        [python, "-c", asked], check=True, capture_output=True, text=True
    ).stdout.strip()


def _hordak(python: Path, of: list[Deal], scale: Scale) -> Figures:
    name = f"django-hordak {_version(python, 'django-hordak')}, PostgreSQL"
    rounds = 5
    singles = scale.of(2_000, 100)
    with (
        our_book("PostgreSQL") as book,
        _peer(python, "_peers_hordak.py", "PostgreSQL", of) as peer,
    ):
        many = _parts(of[:-singles], rounds)
        found = _in_turns(many, book.bulk, lambda part: peer.post("bulk", part))
        yield _posted(f"{len(many[0]):,} a transaction", f"{name}, bulk_create", found, many)
        few = _parts(of[-singles:], rounds)
        found = _in_turns(few, book.one_by_one, lambda part: peer.post("one by one", part))
        yield _posted("one a transaction", f"{name}, transfer_to", found, few)
        yield _asked(f"{name}, with_balances()", book, peer, of, of)


def _python_accounting(python: Path, store: str, of: list[Deal], scale: Scale) -> Figures:
    name = f"python-accounting {_version(python, 'python-accounting')}, {store}"
    sample = of[: scale.of(2_000, 25)]
    with (
        our_book(store) as book,
        _peer(python, "_peers_python_accounting.py", store, of) as peer,
    ):
        few = _parts(sample, 5)
        found = _in_turns(few, book.one_by_one, lambda part: peer.post("one by one", part))
        yield _posted("one a transaction", f"{name}, post", found, few)
        book.bulk(of[len(sample) :])
        yield _asked(f"{name}, closing_balance of each", book, peer, of, sample)


def _parts(of: Sequence[Deal], count: int) -> list[Sequence[Deal]]:
    size = len(of) // count
    ends = [*range(size, size * count, size), len(of)]
    return [of[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _in_turns(
    parts: Sequence[Sequence[Deal]],
    ours: Callable[[Sequence[Deal]], object],
    theirs: Callable[[Sequence[Deal]], float],
) -> Paired:
    """Both post the same parts, one after another, each part once."""
    our_parts, their_parts = iter(parts), iter(parts)
    return paired(
        lambda: seconds(partial(ours, next(our_parts))),
        lambda: theirs(next(their_parts)),
        rounds=len(parts),
        warm=0,
    )


def _posted(how: str, against: str, found: Paired, parts: Sequence[Sequence[Deal]]) -> Figure:
    ratio, low, high = found.speed()
    size = len(parts[0])
    return Figure(
        work=f"post transactions durably, {how}",
        against=against,
        ratio=ratio,
        low=low,
        high=high,
        aim=_AHEAD,
        said=(
            f"{size / median(found.ours):,.0f} transactions/s, the peer"
            f" {size / median(found.theirs):,.0f}; {sum(map(len, parts)):,} posted by each."
        ),
    )


def _asked(
    against: str, book: OurBook, peer: Peer, of: Sequence[Deal], theirs: Sequence[Deal]
) -> Figure:
    projecting = seconds(book.project)
    _same(book.balances(), expected(of), "medfund")
    _same(peer.ask("balances")["balances"], expected(theirs), against)
    found = paired(
        lambda: seconds(book.balances),
        lambda: float(peer.ask("balances")["seconds"]),
        rounds=9,
    )
    ratio, low, high = found.speed()
    return Figure(
        work=f"all balances of {len(of):,} transactions",
        against=against + ("" if len(theirs) == len(of) else f", of {len(theirs):,} only"),
        ratio=ratio,
        low=low,
        high=high,
        aim=_AHEAD,
        said=(
            f"{median(found.ours) * 1000:.1f} ms, the peer {median(found.theirs) * 1000:.1f} ms;"
            f" our read models had taken {projecting:.1f} s to follow all postings."
        ),
    )


def _same(found: Balances, wanted: Balances, whose: str) -> None:
    held = {name: fen for name, fen in found.items() if fen}
    if held != wanted:
        wrong = sorted(set(held.items()) ^ set(wanted.items()))[:4]
        raise AssertionError(f"{whose} has other balances: {wrong}")


# --- programs that read a journal ---------------------------------------------------------------


def _plain_text(of: list[Deal], scale: Scale) -> Figures:
    rounds = scale.of(3, 1)
    with tempfile.TemporaryDirectory(prefix="medfund-bench-") as folder, our_book("SQLite") as book:
        book.bulk(of)
        book.project()
        _same(book.balances(), expected(of), "medfund")
        flows = Path(folder, "flows.csv")
        write_flows(of, flows)
        for program in [Program.HLEDGER] if scale.short else Program:
            words = _PROGRAMS[program]
            if not all(find_program(one[0]) for one in (words["check"], words["balances"])):
                _skipped(program, "it is not installed")
                continue
            journal = Path(folder, f"journal.{program}")
            names = write_journal(of, journal, program)
            theirs = _run(words["balances"], journal)
            _same(_read(program, theirs, names), expected(of), program)
            yield from _of_program(program, journal, flows, book, rounds)


#: How each checks a journal, and how it gives all balances; beancount as if the file had just
#: changed (it keeps what it parsed beside an unchanged file), since reading it is its work.
_PROGRAMS: dict[Program, dict[str, list[str]]] = {
    Program.HLEDGER: {
        "version": ["hledger", "--version"],
        "check": ["hledger", "check", "--strict", "-f"],
        "balances": ["hledger", "balance", "--flat", "--no-total", "-O", "csv", "-f"],
    },
    Program.LEDGER: {
        "version": ["ledger", "--version"],
        "check": ["ledger", "--pedantic", "accounts", "-f"],
        "balances": [
            *("ledger", "balance", "--flat", "--no-total", "--balance-format"),
            *('"%(account)","%(quantity(scrub(display_total)))"\n', "-f"),
        ],
    },
    Program.BEANCOUNT: {
        "version": ["bean-check", "--version"],
        "check": ["bean-check", "--no-cache"],
        "balances": ["bean-query", "--no-errors", "-f", "csv"],
    },
}
_QUERY = "SELECT account, number(only('CNY', sum(position))) GROUP BY account"


def _run(words: Sequence[str], journal: Path) -> str:
    program = find_program(words[0])
    query = [_QUERY] if words[0] == "bean-query" else []
    environment = {**os.environ, "BEANCOUNT_DISABLE_LOAD_CACHE": "1", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [str(program), *words[1:], str(journal), *query],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
    )
    if done.returncode:
        raise AssertionError(f"{words[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout


def _read(program: Program, text: str, names: dict[str, str]) -> Balances:
    rows = [row for row in csv.reader(StringIO(text)) if row and row[0].strip() in names]
    if not rows:
        raise AssertionError(f"{program} answered {text[:300]!r}")
    return {
        names[row[0].strip()]: int(Decimal(row[1].replace("CNY", "").strip() or 0) * 100)
        for row in rows
    }


def _of_program(
    program: Program, journal: Path, flows: Path, book: OurBook, rounds: int
) -> Figures:
    words = _PROGRAMS[program]
    version = subprocess.run(
        [str(find_program(words["version"][0])), *words["version"][1:]],
        check=False,
        capture_output=True,
        text=True,
    ).stdout.splitlines()[0]
    name = version.split(",")[0].strip()

    def check() -> float:
        return seconds(lambda: _run(words["check"], journal))

    def balances() -> float:
        return seconds(lambda: _run(words["balances"], journal))

    posting = paired(lambda: _brought_in(flows), check, rounds=rounds, warm=0)
    yield _beside(
        "`medfund intake`: checked and durable",
        f"{name}: check a journal",
        posting,
        limited_by=_STORED,
    )
    works: dict[str, Callable[[], float]] = {
        "all balances, asked of a running service": lambda: seconds(book.balances),
        "`medfund balances`: all balances from the read models": lambda: _medfund(
            book.url, "balances"
        ),
        "`medfund replay`: fold the whole log for all balances": lambda: _medfund(
            book.url, "replay"
        ),
    }
    # The peer once a round: reading a large journal again for each of ours would tell nothing more.
    theirs: list[float] = []
    ours: dict[str, list[float]] = {what: [] for what in works}
    for _ in range(rounds):
        theirs.append(balances())
        for what, work in works.items():
            ours[what].append(work())
    for what, times in ours.items():
        yield _beside(what, f"{name}: balances of a journal", Paired(times, theirs))


#: What the one does beside checking, and the other does not.
_STORED = (
    "The peer reads and checks; ours also holds each row against the book, makes its entry and its"
    " hash, and stores and seals it."
)


def _beside(work: str, against: str, found: Paired, *, limited_by: str = "") -> Figure:
    ratio, low, high = found.speed()
    return Figure(
        work=work,
        against=against,
        ratio=ratio,
        low=low,
        high=high,
        aim=_AHEAD,
        said=f"{median(found.ours):.3f} s, the peer {median(found.theirs):.3f} s, with start-up.",
        limited_by=limited_by,
    )


def _medfund(url: str, *words: str) -> float:
    """Run the command line as a user does; gives its seconds."""
    command = [sys.executable, "-m", "medfund", "--db", url, "--json", "--as", "clerk1", *words]
    start = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if done.returncode:
        raise AssertionError(f"medfund {words}: {(done.stdout + done.stderr)[-500:]}")
    return taken


def _brought_in(flows: Path) -> float:
    """Bring the file into a new book."""
    with our_book("SQLite") as book:
        return _medfund(book.url, "intake", str(flows))
