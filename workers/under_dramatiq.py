"""Hands under dramatiq's own command line: ``dramatiq workers`` (see ``workers/__init__.py``)."""

from functools import partial

import dramatiq

from medfund.bootstrap import open_house
from medfund.settings import load_settings
from workers.service import connect


def prepare() -> None:
    """Set the broker that the environment names, with our actors on it."""
    settings = load_settings()
    dramatiq.set_broker(connect(settings, partial(open_house, settings)))
