"""How long the fault suites run: a short form for every run of the tests, a long one on demand.

``MEDFUND_TEST_SOAK=long ./run test tests/integration/faults`` runs the long form (docs/testing.md).
"""

import os
from typing import TypeVar

_T = TypeVar("_T")

LONG = os.environ.get("MEDFUND_TEST_SOAK") == "long"


def length(short: _T, long: _T) -> _T:
    """Choose a number of rounds, events or kinds by the form that was asked for."""
    return long if LONG else short
