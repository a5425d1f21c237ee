"""Processes that have imported everything before they start."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

import pytest


@pytest.fixture(scope="session")
def crowd() -> ForkServerContext:
    """A context for processes of the test's own functions, as in the tests of the store."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["integration.faults.soaking", "integration.faults.racing"])
    with pytest.MonkeyPatch.context() as environment:
        # The fork server takes its path from the environment, not from us.
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        forkserver.ensure_running()
    return context
