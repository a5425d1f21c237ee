"""``python -m workers.scatter ACTOR``: puts the keys that stand on standard input on the queue.

What computes in parts (``medfund/partitions.py``) starts this as a process of its own: doors do not
know each other.
"""

import sys

from ledger.errors import MedfundError, Unavailable
from medfund.bootstrap import open_house
from medfund.logging import configure_logging
from medfund.settings import load_settings
from workers.broker import close_broker
from workers.service import connect, through

_REFUSED, _AWAY = 3, 5


def main(words: list[str]) -> int:
    """Send every key, one on a line, and give the exit code."""
    (actor,) = words
    configure_logging()
    try:
        settings = load_settings()
        broker = connect(settings, lambda: open_house(settings))
        try:
            send = through(broker, settings.broker_url or "")
            for line in sys.stdin:
                send(actor, line.strip())
        finally:
            close_broker(broker)
    except MedfundError as error:
        sys.stderr.write(f"{error}\n")
        return _AWAY if isinstance(error, Unavailable) else _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
