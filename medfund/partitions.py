"""A clearing run fanned out to workers (分区计算): parts are sent, counted anywhere, and put together.

A message names a part (``settlement/clearing/month/partitions.py``) and nothing else. Its answer is a file
beside the archive, under the part's own name, written whole and renamed into place: a part that is
delivered twice, late, or to two workers at once leaves the same file. Who asked waits for the files,
and sends again what is missing: a worker that died takes nothing with it.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as with_changes
from functools import partial
from hashlib import sha256
from pathlib import Path

import structlog

from ledger.archive.read import Archive
from ledger.domain.period import Period, Year
from ledger.errors import Unavailable
from medfund.bootstrap import House
from medfund.settings import Settings, environment_for
from settlement.clearing.cases.counting import Answer, merged
from settlement.clearing.cases.scoring import Scope
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month.partitions import (
    Partition,
    count_here,
    count_part,
    cut,
    parse_key,
    read,
    written,
)
from settlement.clearing.month.question import Chosen, Question, ask, chosen_of
from settlement.clearing.policies.policy import Method
from settlement.policies import load_policies

#: The task by which a worker counts a part.
COUNT = "count_clearing_part"

_VERSION = "@"  # in the id of a policy that was proposed

#: Of one worker's thread: there are several in a process.
_MEMORY_MIB = 160


class PartsMissing(Unavailable):
    """Nobody counts the parts of a run (分区无人计算)."""

    code = "clearing_parts_missing"
    zh = "清算的 {missing} 个分区在 {seconds} 秒内无人完成。"
    en = "{missing} parts of the clearing were not counted within {seconds} seconds."
    hint_zh = "请检查任务队列与 worker 是否在运行,以及归档目录是否共享。"
    hint_en = "See whether queue and workers are running, and whether they share the archive."


class PartsNotSent(Unavailable):
    """The queue did not take the parts of a run (分区未能入队)."""

    code = "clearing_parts_not_sent"
    zh = "清算分区未能交给任务队列:{reason}。"
    en = "The parts of the clearing could not be put on the queue: {reason}."
    hint_zh = "请检查 MEDFUND_BROKER_URL;或设 MEDFUND_CLEARING_PARTS=1 在本进程计算。"
    hint_en = "See to MEDFUND_BROKER_URL, or compute in process with MEDFUND_CLEARING_PARTS=1."


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the answers are waited for."""

    look_seconds: float = 0.2
    resend_seconds: float = 60.0  # without any new answer
    give_up_seconds: float = 900.0  # the same


def count_by_key(house: House, key: str) -> None:
    """Count the part that a message names and leave its answer; nothing where it is there already."""
    part = parse_key(key)
    place = _place(house.archive, part)
    if _answer(part, place) is not None:
        return
    found = load_policies(house.ledger, part.area).find(part.policy)
    archive = Archive(house.archive)
    question = ask(
        archive,
        DuckDBEngine(memory_mib=_MEMORY_MIB, threads=1),
        area=part.area,
        fund=part.fund,
        period=_period(part.period),
        watermark=part.watermark,
    )
    answer = count_part(question, chosen_of(found), part)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.{os.getpid()}-{time.monotonic_ns()}")
    beside.write_bytes(written(answer))
    beside.replace(place)


def spread_of(house: House) -> Callable[[Question], Question] | None:
    """Say how cases are counted in this installation: None is in one go, right here."""
    of = house.settings.clearing_parts
    if of == 1:
        return None

    def here(keys: list[str]) -> None:
        for key in keys:
            count_by_key(house, key)

    send = here if house.settings.broker_url is None else partial(_scatter, house.settings)
    return partial(by_workers, archive=house.archive, send=send, of=of)


def _scatter(settings: Settings, keys: list[str]) -> None:
    """Put parts on the queue by its own door, a process of its own."""
    command = [sys.executable, "-m", "workers.scatter", COUNT]
    sent = subprocess.run(  # noqa: S603  our own interpreter and module
        command,
        input="\n".join(keys),
        env=environment_for(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if sent.returncode:
        raise PartsNotSent(reason=sent.stderr.strip() or f"exit {sent.returncode}")


def by_workers(
    question: Question,
    archive: Path,
    send: Callable[[list[str]], None],
    *,
    of: int,
    patience: Patience | None = None,
) -> Question:
    """Let a question be counted by workers, each method in so many parts.

    ``send`` gives the keys of parts to whoever counts them; Unavailable where it cannot.
    """

    def elsewhere(chosen: Chosen, method: Method, scope: Scope) -> Answer:
        if _VERSION not in chosen.id:
            # A file that nobody has proposed yet: no worker could find it in the books.
            return count_here(question, method, scope)
        parts = cut(question, chosen, method, of)
        folder = _place(archive, parts[0]).parent
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was broken off
        try:
            return merged(_gather(archive, parts, send, patience or Patience()))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    return with_changes(question, elsewhere=elsewhere)


def _gather(
    archive: Path,
    parts: list[Partition],
    send: Callable[[list[str]], None],
    patience: Patience,
) -> list[Answer]:
    found: dict[Partition, Answer] = {}
    send([part.key for part in parts])
    progress = sent = time.monotonic()
    while True:
        before = len(found)
        for part in parts:
            answer = None if part in found else _answer(part, _place(archive, part))
            if answer is not None:
                found[part] = answer
        missing = [part.key for part in parts if part not in found]
        if not missing:
            return [found[part] for part in parts]
        now = time.monotonic()
        if len(found) > before:
            progress = sent = now
        if now - progress > patience.give_up_seconds:
            raise PartsMissing(missing=len(missing), seconds=int(patience.give_up_seconds))
        if now - sent > patience.resend_seconds:
            structlog.get_logger().warning("parts_sent_again", missing=len(missing))
            send(missing)
            sent = now
        time.sleep(patience.look_seconds)


def _answer(part: Partition, place: Path) -> Answer | None:
    """Give the answer that lies there; None where there is none."""
    try:
        content = place.read_bytes()
    except FileNotFoundError:
        return None
    return read(part, content)


def _place(archive: Path, part: Partition) -> Path:
    run = sha256("/".join((*part.run, str(part.method), str(part.of))).encode()).hexdigest()[:16]
    return archive.with_name(f"{archive.name}.parts") / run / f"{part.number:04d}.json"


def _period(text: str) -> Period | Year:
    return Period.parse(text) if "-" in text else Year(int(text))
