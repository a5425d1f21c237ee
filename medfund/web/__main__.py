"""``python -m medfund.web``: serve pages and API of the book that the settings name."""

import argparse

from medfund.bootstrap import open_house
from medfund.logging import configure_logging
from medfund.settings import load_settings
from medfund.web.api import create_app
from medfund.web.server import serve


def main() -> None:
    """Read the settings, open the book, serve until stopped."""
    words = argparse.ArgumentParser(prog="medfund.web", description=__doc__)
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", default=8765, type=int)
    chosen = words.parse_args()
    settings = load_settings()
    configure_logging(level=settings.log_level_number(), as_json=settings.log_json)
    with open_house(settings) as house:
        serve(create_app(house, lang=settings.lang), host=chosen.host, port=chosen.port)


if __name__ == "__main__":
    main()
