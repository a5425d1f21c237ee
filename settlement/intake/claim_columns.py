"""Checked settlements column by column: what a million rows are once they have been read.

The same values as ``ClaimRow`` holds, in Arrow arrays: amounts are int64 fen, days and moments ISO
text, an empty cell is null. Columns that repeat themselves are dictionary arrays.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from settlement.intake.claim_rows import ClaimRow
from settlement.intake.columns import CLAIMS, Form

_NUMBERS = frozenset({Form.AMOUNT, Form.FLAG, Form.INTEGER})
_FORMS = {column.key: column.form for column in CLAIMS}
#: Amounts up to here can be added up by the billion in 64 bits.
_SMALL_FEN = 10**9


def value_type(key: str) -> pa.DataType:
    """Say what a column of checked settlements holds."""
    return pa.int64() if _FORMS[key] in _NUMBERS else pa.string()


def stored_value(value: Any) -> Any:
    """Give a value of ``ClaimRow`` as it stands in a column: days and moments in ISO form."""
    return value.isoformat() if isinstance(value, date) else value


def _row_value(form: Form) -> Callable[[Any], Any]:
    readers: dict[Form, Callable[[Any], Any]] = {
        Form.DATE: date.fromisoformat,
        Form.TIME: datetime.fromisoformat,
    }
    read = readers.get(form, lambda value: value)
    return lambda value: None if value is None else read(value)


_ROW_VALUES = {key: _row_value(form) for key, form in _FORMS.items()}


def decoded(array: pa.Array) -> pa.Array:
    """Spell a dictionary array out."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def exact_sum(fens: pa.Array) -> int:
    """Add fen up, exactly however large they are."""
    if not len(fens) - fens.null_count:
        return 0
    bounds = pc.min_max(fens)
    if max(-bounds["min"].as_py(), bounds["max"].as_py()) <= _SMALL_FEN:
        total: int = pc.sum(fens).as_py()
        return total
    return sum(fen for fen in fens.to_pylist() if fen is not None)


@dataclass(frozen=True, slots=True)
class ClaimColumns:
    """Settlements in the order of their file. A column that the file lacks has no entry."""

    lines: pa.Array  # row numbers
    values: Mapping[str, pa.Array]

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def nbytes(self) -> int:
        """Memory that the columns take, in bytes."""
        columns = (self.lines, *self.values.values())
        return sum(column.get_total_buffer_size() for column in columns)

    @classmethod
    def of_rows(cls, rows: Sequence[ClaimRow]) -> "ClaimColumns":
        """Turn rows into columns."""
        values = {}
        for key, form in _FORMS.items():
            cells = [stored_value(getattr(row, key)) for row in rows]
            if any(cell is not None for cell in cells):
                array = pa.array(cells, value_type(key))
                values[key] = array.dictionary_encode() if form is Form.CODE else array
        return cls(pa.array([row.line for row in rows], pa.int64()), values)

    def merged(self, other: "ClaimColumns") -> "ClaimColumns":
        """Put the rows of two together, in the order of their lines."""
        if not len(other):
            return self
        if not len(self):
            return other
        lines = pa.concat_arrays([self.lines, other.lines])
        order = pc.sort_indices(lines)
        values = {}
        for key, form in _FORMS.items():
            if key in self.values or key in other.values:
                column = pa.concat_arrays([self.plain(key), other.plain(key)]).take(order)
                values[key] = column.dictionary_encode() if form is Form.CODE else column
        return ClaimColumns(lines.take(order), values)

    def rows(self) -> list[ClaimRow]:
        """Turn columns into rows."""
        columns: list[Iterable[Any]] = [self.lines.to_pylist()]
        for key in _FORMS:
            cells = self.values[key].to_pylist() if key in self.values else [None] * len(self)
            columns.append(map(_ROW_VALUES[key], cells))
        return [ClaimRow(*row) for row in zip(*columns, strict=True)]

    def where(self, mask: pa.Array) -> "ClaimColumns":
        """Give the rows where a mask is true."""
        kept = {key: column.filter(mask) for key, column in self.values.items()}
        return ClaimColumns(self.lines.filter(mask), kept)

    def without_lines(self, lines: pa.Array) -> "ClaimColumns":
        """Leave rows out by their numbers."""
        if not len(lines):
            return self
        unwanted = pc.is_in(self.lines, value_set=lines)
        return self.where(pc.invert(unwanted)) if pc.any(unwanted).as_py() else self

    def cut(self, start: int, stop: int) -> "ClaimColumns":
        """Give some rows that stand together."""
        length = stop - start
        kept = {key: column.slice(start, length) for key, column in self.values.items()}
        return ClaimColumns(self.lines.slice(start, length), kept)

    def plain(self, key: str) -> pa.Array:
        """Give a column spelled out, nulls where the file lacks it."""
        if key in self.values:
            return decoded(self.values[key])
        return pa.nulls(len(self), value_type(key))

    def fen(self, key: str) -> pa.Array:
        """Give amounts with nil for an empty cell."""
        return pc.coalesce(self.plain(key), 0)

    @property
    def is_refund(self) -> pa.Array:
        """退费结算, row by row."""
        return pc.equal(self.fen("refd_setl_flag"), 1)


def in_chunks(batches: Iterable[ClaimColumns], size: int) -> Iterable[tuple[ClaimColumns, ...]]:
    """Give pieces that together hold ``size`` rows, the last ones what is left."""
    held: list[ClaimColumns] = []
    count = 0
    for batch in batches:
        cuts = [0, *range(size - count, len(batch), size), len(batch)]
        for start, stop in pairwise(cuts):
            if stop > start:
                held.append(batch.cut(start, stop))
                count += stop - start
            if count == size:
                yield tuple(held)
                held, count = [], 0
    if held:
        yield tuple(held)
