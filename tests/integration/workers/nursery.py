"""Run as a program: it has imported the worker, and forks one whenever a line asks for it."""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from workers.__main__ import main


def become_worker(order: dict[str, Any]) -> NoReturn:
    """Be what ``python -m workers`` is, and leave the exit code in a file: nobody waits for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = Path(order["log"])
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["environment"])
    code = 1
    try:
        code = main()
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stderr.flush()
        log.with_suffix(".code").write_text(str(code))
        os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead disappear by themselves
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become_worker(json.loads(line))
        print(child, flush=True)
