"""Fresh stores for generated examples: many and short-lived, so their files lie in memory."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where the system has one: hundreds of books need not reach a disk."""
    place = _SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="medfund-test-", dir=place) as folder:
        yield Path(folder)


@pytest.fixture
def fresh_sqlite(migrated_sqlite: Path, memory: Path) -> Callable[[], tuple[str, Path]]:
    """Make a migrated SQLite store in a folder of its own, as often as it is called."""
    numbers = itertools.count(1)

    def make() -> tuple[str, Path]:
        folder = memory / f"{next(numbers)}"
        folder.mkdir()
        copied = shutil.copy(migrated_sqlite, folder / "books.db")
        return f"sqlite:///{copied}", folder

    return make
