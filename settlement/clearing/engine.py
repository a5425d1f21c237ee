"""What the clearing asks of an engine: one SQL text over parts of the archive and small tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Row = tuple[Any, ...]  # of texts, whole numbers, truth values and None

#: Either would read other files than those named.
_GLOB = frozenset("*?[]{}")


@dataclass(frozen=True, slots=True)
class Table:
    """A small table of parameters; ``columns`` are (name, VARCHAR or BIGINT)."""

    columns: tuple[tuple[str, str], ...]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Parts:
    """Parquet files of one kind of event and the columns that are read; no file is no row.

    A part that an older version wrote may lack a column: it is empty there.
    """

    columns: tuple[tuple[str, str], ...]
    files: tuple[Path, ...]

    def __post_init__(self) -> None:
        for file in self.files:
            if _GLOB & set(str(file)):
                raise ValueError(f"an engine would take this name for a pattern: {file}")


class Engine(Protocol):
    """Runs the kernel; two engines give the same rows for the same question, in any order."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def stays_at_once(self) -> int:
        """Give about how many stays it can compare with each other in the memory that it has."""
        ...

    def answer(
        self, text: str, parts: Mapping[str, Parts], tables: Mapping[str, Table]
    ) -> list[Row]:
        """Run a text of ``kernel.py`` over the named parts and tables."""
        ...
