"""Settlements that come more than once in a file: a repetition of equal content, or a conflict.

The first row counts. What a later one says is compared with it only after the file was read: then
the first rows of the few that are concerned are looked up in the file again.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from settlement.intake.claim_columns import ClaimColumns
from settlement.intake.claim_facts import contents
from settlement.intake.rejections import Rejection


class Repeated(NamedTuple):
    """A row that says the same as an earlier row of the file."""

    line: int
    first_line: int


class _Later(NamedTuple):
    """A row whose settlement stood on an earlier line."""

    line: int
    first_line: int
    setl_id: str
    content: str


class Repetitions:
    """Remembers every settlement of a file by its stream."""

    def __init__(self) -> None:
        self._first: dict[bytes, int] = {}
        self._later: list[_Later] = []

    def first_ones(
        self, claims: ClaimColumns, streams: Sequence[bytes]
    ) -> tuple[ClaimColumns, Sequence[bytes]]:
        """Give the rows whose settlement comes for the first time, with their streams."""
        lines = claims.lines.to_pylist()
        first = list(map(self._first.setdefault, streams, lines))
        if first == lines:
            return claims, streams
        is_first = [earlier == line for earlier, line in zip(first, lines, strict=True)]
        mask = pa.array(is_first)
        later = claims.where(pc.invert(mask))
        earlier = [at for at, mine in zip(first, is_first, strict=True) if not mine]
        said = contents(later, later.plain("psn_no"))
        rows = zip(
            later.lines.to_pylist(), earlier, later.plain("setl_id").to_pylist(), said, strict=True
        )
        self._later += [_Later(*row) for row in rows]
        kept = [stream for stream, mine in zip(streams, is_first, strict=True) if mine]
        return claims.where(mask), kept

    def settle(self, again: Iterable[ClaimColumns]) -> tuple[list[Repeated], list[Rejection]]:
        """Tell repetitions from conflicts, reading the file ``again`` where there is any."""
        if not self._later:
            return [], []
        wanted = pa.array(sorted({row.first_line for row in self._later}), pa.int64())
        said: dict[int, str] = {}
        for claims in again:
            those = claims.where(pc.is_in(claims.lines, value_set=wanted))
            found = contents(those, those.plain("psn_no"))
            said.update(zip(those.lines.to_pylist(), found, strict=True))
        repeated, conflicts = [], []
        for row in self._later:
            if said.get(row.first_line) == row.content:
                repeated.append(Repeated(row.line, row.first_line))
            else:
                facts = {"first_line": row.first_line}
                conflicts.append(
                    Rejection(row.line, "setl_id", "setl_id_conflict", row.setl_id, facts, "claims")
                )
        return repeated, conflicts
