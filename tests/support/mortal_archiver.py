"""Run as a program: forks one archiver for each line it reads, and lets it die where it was told.

The points are counted in the archiver itself: the first of a file's bytes are written, a file
is on the disk, a manifest has its name. At the n-th it ends by SIGKILL,
or stands still (``halt``) until somebody wakes it.
"""

import json
import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any, NoReturn

from support.facts import Clock

from ledger.application import FundLedger
from ledger.archive import durable
from ledger.archive.write import bring_up_to


class Points:
    """Counts the points of a run and ends it at one of them."""

    def __init__(self, signal_: int, at: int) -> None:
        self.count = 0
        self._signal = signal_
        self._at = at

    def passed(self) -> None:
        self.count += 1
        if self.count == self._at:
            os.kill(os.getpid(), self._signal)


def watch(points: Points) -> None:
    fsync, rename, write = os.fsync, Path.rename, durable.HashingFile.write

    def synced(file: int) -> None:
        fsync(file)
        if stat.S_ISREG(os.fstat(file).st_mode):
            points.passed()

    def renamed(self: Path, target: Path) -> Path:
        moved = rename(self, target)
        points.passed()
        return moved

    def written(self: durable.HashingFile, data: Any) -> int:
        if self.bytes:
            return write(self, data)
        half = write(self, data[: len(data) // 2])
        self.flush()
        points.passed()
        return half + write(self, data[half:])

    os.fsync = synced
    Path.rename = renamed  # type: ignore[method-assign,assignment]
    durable.HashingFile.write = written  # type: ignore[method-assign]


def become(order: dict[str, Any], report: int) -> NoReturn:
    points = Points(order["signal"], order["at"])
    watch(points)
    code = 1
    try:
        with FundLedger(order["url"], clock=Clock()) as ledger:
            bring_up_to(ledger.log, Path(order["folder"]), range_events=order["range_events"])
        code = 0
    finally:
        os.write(report, str(points.count).encode())
        os._exit(code)


def serve() -> None:
    """Answer every order with the archiver's process id, then with exit code and points passed."""
    for line in sys.stdin:
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            become(json.loads(line), writer)
        os.close(writer)
        print(child, flush=True)
        with os.fdopen(reader) as reported:
            points = int(reported.read() or 0)
        _, status = os.waitpid(child, 0)
        print(json.dumps([os.waitstatus_to_exitcode(status), points]), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve()
