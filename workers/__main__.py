"""``python -m workers``, which is what ``medfund worker`` becomes."""

import logging
import signal
import sys
from threading import Event
from types import FrameType

import structlog

from ledger.errors import BooksDamaged, InputRejected, MedfundError, Unavailable
from medfund.logging import configure_logging
from medfund.settings import load_settings
from workers.service import run

_REFUSED = 3
_EXIT_CODES: dict[type[MedfundError], int] = {InputRejected: 2, BooksDamaged: 4, Unavailable: 5}


def main() -> int:
    """Work until SIGTERM or SIGINT, and give the exit code."""
    stop = Event()

    def leave(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    configure_logging()
    # pika tells a lost connection in a dozen errors; the pump and the consumers say it once.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    log = structlog.get_logger()
    try:
        settings = load_settings()
        configure_logging(level=settings.log_level_number(), as_json=settings.log_json)
        log.info("worker_started", broker=settings.broker_url or "in process", queue=settings.queue)
        run(settings, stop=stop)
    except MedfundError as error:
        log.error("worker_ended", code=error.code, reason=str(error))  # noqa: TRY400  says it all
        codes = (code for family, code in _EXIT_CODES.items() if isinstance(error, family))
        return next(codes, _REFUSED)
    log.info("worker_stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
