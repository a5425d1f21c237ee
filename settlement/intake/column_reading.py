"""Cells read by the column: the plain form of a whole column at once, every other text once.

Nothing is decided here that ``row_reader`` does not decide. A text that is not of its column's
plain form goes through the row's own parser, once for each different text; what that parser does
not accept is ``bad``, and its row goes to the row checker to be refused with its reasons.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from settlement.intake.cells import BadCell, Parser
from settlement.intake.claim_columns import stored_value, value_type
from settlement.intake.columns import Form

#: Yuan as systems write them. At most 13 digits before the point fit decimal64 and the limit.
_AMOUNT = r"^-?[0-9]{1,13}(?:\.[0-9]{1,2})?$"
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$"
_FEN = pa.decimal64(18, 2)  # its 64 bits are the fen
_IDENTIFIER_LIMIT = 64
_NEUTRAL = {Form.AMOUNT: "0.00", Form.TIME: "2000-01-01 00:00:00"}
#: Identifiers with a mark inside: ``parse_identifier`` keeps them as they are, too.
_MARKED = r"^[0-9A-Za-z][0-9A-Za-z._:/-]{0,63}$"
#: A column whose first cells differ less than this is read by its different texts.
_SAMPLE, _FEW = 256, 64
_BYTE = 127


class Read(NamedTuple):
    """A column as read: values, and where its rows must go to the row checker (None: nowhere)."""

    values: pa.Array
    bad: pa.Array | None


@dataclass(frozen=True, slots=True)
class ColumnReader:
    """Reads one column of a file; ``parse`` is the parser that rows of this file are read with."""

    key: str
    form: Form
    parse: Parser
    in_wan: bool

    def read(self, cells: pa.Array) -> Read:
        """Read the cells of some rows."""
        if self.form is Form.TIME:
            return self._mostly_plain(cells, self._plain_moments(cells), _moments)
        if self.form is Form.IDENTIFIER:
            return self._mostly_plain(cells, _plain_identifiers(cells), lambda plain: plain)
        if self.form is Form.AMOUNT and not self.in_wan and _differ(cells):
            return self._mostly_plain(cells, pc.match_substring_regex(cells, _AMOUNT), _fens)
        return self._by_text(cells)

    def _by_text(self, cells: pa.Array) -> Read:
        """Parse each different text once."""
        texts = cells.dictionary_encode()
        if len(texts.dictionary) <= _BYTE:  # columns are held until they are posted
            texts = pa.DictionaryArray.from_arrays(texts.indices.cast(pa.int8()), texts.dictionary)
        values, bad = self._parsed(texts.dictionary.to_pylist())
        where = None if bad is None else bad.take(texts.indices)
        if values.null_count:  # an empty cell is null by its index, not by its value
            places = iter(range(len(values)))
            moved = [next(places) if value.is_valid else None for value in values]
            indices = pa.array(moved, texts.indices.type).take(texts.indices)
            return Read(pa.DictionaryArray.from_arrays(indices, values.drop_null()), where)
        return Read(pa.DictionaryArray.from_arrays(texts.indices, values), where)

    def _plain_moments(self, cells: pa.Array) -> pa.Array:
        """Find the moments of the usual form whose days the row's parser knows."""
        plain = pc.match_substring_regex(cells, _MOMENT)
        days = pc.utf8_slice_codeunits(cells, 0, 10).dictionary_encode()
        _, bad = self._parsed([f"{day} 00:00:00" for day in days.dictionary.to_pylist()])
        return plain if bad is None else pc.and_not(plain, bad.take(days.indices))

    def _mostly_plain(
        self, cells: pa.Array, plain: pa.Array, take: Callable[[pa.Array], pa.Array]
    ) -> Read:
        """Take the plain cells as they are; the others are parsed text by text."""
        if pc.all(plain).as_py():
            return Read(take(cells), None)
        others = pc.invert(plain)
        rest = self._by_text(cells.filter(others))
        neutral = pc.if_else(plain, cells, _NEUTRAL.get(self.form, ""))
        values = pc.replace_with_mask(take(neutral), others, rest.values.dictionary_decode())
        if rest.bad is None:
            return Read(values, None)
        nowhere = pa.array([False] * len(cells))
        return Read(values, pc.replace_with_mask(nowhere, others, rest.bad))

    def _parsed(self, texts: Sequence[str]) -> tuple[pa.Array, pa.Array | None]:
        values: list[Any] = []
        bad: list[bool] = []
        for text in texts:
            try:
                values.append(stored_value(self.parse(text)))
                bad.append(False)
            except BadCell:
                values.append(None)
                bad.append(True)
        found = pa.array(values, value_type(self.key))
        return found, pa.array(bad) if any(bad) else None


def _differ(cells: pa.Array) -> bool:
    """Tell whether the cells of a column are mostly different: then texts save nothing."""
    sample = cells[:_SAMPLE]
    return len(sample) < _SAMPLE or len(pc.unique(sample)) > _FEW


def _plain_identifiers(cells: pa.Array) -> pa.Array:
    """Find the identifiers that ``parse_identifier`` takes unchanged."""
    short = pc.less_equal(pc.binary_length(cells), _IDENTIFIER_LIMIT)
    plain = pc.and_(pc.ascii_is_alnum(cells), short)
    return plain if pc.all(plain).as_py() else pc.match_substring_regex(cells, _MARKED)


def _fens(cells: pa.Array) -> pa.Array:
    """Turn plain yuan into fen without ever leaving whole numbers."""
    return cells.cast(_FEN).view(pa.int64())


def _moments(cells: pa.Array) -> pa.Array:
    return pc.binary_replace_slice(cells, 10, 11, "T")
