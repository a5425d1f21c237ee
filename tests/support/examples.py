"""How many examples the generated tests try: a fixed few in the suite, many at random on request."""

import os

from hypothesis import HealthCheck, Phase, settings

#: ``MEDFUND_TEST_SEARCH=20``: twenty times as many examples, other ones each time.
SEARCH = int(os.environ.get("MEDFUND_TEST_SEARCH", "0"))


def examples(count: int, *, steps: int = 50) -> settings:
    """Bound a generated test; the suite tries the same examples on every machine."""
    return settings(
        max_examples=count * (SEARCH or 1),
        stateful_step_count=steps,
        derandomize=not SEARCH,
        # a failing book is small enough as it is; a search has the time to make it smaller
        phases=tuple(Phase) if SEARCH else (Phase.explicit, Phase.generate),
        database=None,
        deadline=None,
        print_blob=bool(SEARCH),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
