"""Processes that have imported everything before they start."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from integration.faults.dying import Scene
from integration.faults.settling import FILES
from support.mortal import Commands, Copies
from support.servers import own_postgres
from support.services import require_postgres


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


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    opened = Commands()
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def killing_ground() -> Iterator[str]:
    """A PostgreSQL on which databases are copied and dropped fast: one's own, else the usual one."""
    with own_postgres() as server:
        yield server.url if server else require_postgres()


@pytest.fixture(scope="session")
def embedded(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Books in files that commands may be killed at."""
    yield from _scene(commands, tmp_path_factory.mktemp("books"), None)


@pytest.fixture(scope="session")
def served(
    commands: Commands, killing_ground: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """The same on a server."""
    yield from _scene(commands, tmp_path_factory.mktemp("books"), killing_ground)


@pytest.fixture(scope="session", params=["embedded", "served"], ids=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """Books of one store that commands may be killed at."""
    return request.getfixturevalue(request.param)


def _scene(commands: Commands, folder: Path, admin: str | None) -> Iterator[Scene]:
    copies = Copies(folder, admin)
    yield Scene(commands, copies, folder, FILES)
    copies.close()
