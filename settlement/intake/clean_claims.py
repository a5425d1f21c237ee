"""The settlements of a block that are plainly in order; every other row goes to the row checker.

What is in order here, ``ClaimChecker.check`` accepts with equal values; what is not may still be in
order there. A row is doubtful if a cell cannot be read, a required one is empty, a column without a
head holds something, the row may be a control row, or anything between its cells does not hold.
"""

from collections.abc import Iterable
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from settlement.intake.blocks import Block, Row
from settlement.intake.claim_columns import ClaimColumns
from settlement.intake.claim_rows import (
    AMOUNTS,
    FUND_PARTS,
    IDENTITY,
    MIRRORED,
    ClaimChecker,
)
from settlement.intake.column_reading import ColumnReader
from settlement.intake.columns import CLAIMS
from settlement.intake.heads import Head
from settlement.intake.place_columns import roles_of

_COLUMNS = tuple(CLAIMS)
#: The key of a control row has at most so many characters (``ControlTotals.is_control_row``).
_CONTROL_WORD = 10


class CleanClaims:
    """Reads blocks of one ``claims`` table."""

    def __init__(self, head: Head, checker: ClaimChecker) -> None:
        self._readers = [
            (index, ColumnReader(column.key, column.form, parse, column.key in head.in_wan))
            for position, index, parse in checker.reader.plan
            for column in [_COLUMNS[position]]
        ]
        self._required = [column.key for column in _COLUMNS if column.required]
        self._unnamed = head.unnamed
        self._last_day = checker.latest.date().isoformat()
        self._places = checker.places

    def split(self, block: Block) -> tuple[ClaimColumns, list[Row]]:
        """Give the rows that are in order, and the others as their cells stand in the file."""
        lines = pa.array(block.lines, pa.int64())
        if not len(lines):
            return ClaimColumns(lines, {}), block.odd
        values: dict[str, pa.Array] = {}
        doubts: list[pa.Array] = []
        for index, reader in self._readers:
            values[reader.key], bad = reader.read(block.columns[index])
            doubts += [] if bad is None else [bad]
        doubts += [values[key].is_null() for key in self._required if values[key].null_count]
        doubts += [pc.not_equal(block.columns[index], "") for index in self._unnamed]
        given = {key: column for key, column in values.items() if column.null_count < len(lines)}
        flags = ClaimColumns(lines, given).fen("refd_setl_flag")  # empty means normal
        claims = ClaimColumns(lines, {**given, "refd_setl_flag": flags})
        doubts += [_may_be_control_row(claims.plain("setl_id")), *self._faults(claims)]
        doubtful = pc.fill_null(reduce(pc.or_kleene, doubts), True)
        if not pc.any(doubtful).as_py():
            return claims, block.odd
        rows = zip(
            pc.filter(lines, doubtful).to_pylist(),
            zip(*(column.filter(doubtful).to_pylist() for column in block.columns), strict=True),
            strict=True,
        )
        others: list[Row] = [(line, list(cells)) for line, cells in rows]
        return claims.where(pc.invert(doubtful)), sorted([*others, *block.odd], key=_line)

    def _faults(self, claims: ClaimColumns) -> Iterable[pa.Array]:
        """Test everything between the cells of a row, as ``ClaimChecker`` does row by row."""
        whole, *shares = (claims.fen(key) for key in IDENTITY)
        yield pc.not_equal(whole, reduce(pc.add, shares))
        given = [claims.plain(key) for key in FUND_PARTS if key in claims.values]
        if given:
            some = reduce(pc.or_, (part.is_valid() for part in given))
            total = reduce(pc.add, (pc.coalesce(part, 0) for part in given))
            yield pc.and_(some, pc.not_equal(total, claims.fen("fund_pay_sumamt")))
        highest = pc.max_element_wise(*(claims.plain(key) for key in MIRRORED))
        lowest = pc.min_element_wise(*(claims.plain(key) for key in AMOUNTS))
        yield pc.if_else(claims.is_refund, pc.greater(highest, 0), pc.less(lowest, 0))
        begin, end = claims.plain("begndate"), claims.plain("enddate")
        yield pc.coalesce(pc.less(end, begin), False)
        yield pc.greater_equal(claims.plain("setl_time"), self._last_day)
        if "insuplc_admdvs" in claims.values:
            insured, treated = roles_of(self._places, claims)
            yield pc.invert(pc.or_(insured, treated))


def _may_be_control_row(keys: pa.Array) -> pa.Array:
    """Find short words without any digit: one of them may be 合计 or total."""
    short = pc.less_equal(pc.binary_length(keys), _CONTROL_WORD)
    if not pc.any(short).as_py():
        return short
    return pc.and_not(short, pc.match_substring_regex(keys, "[0-9]"))


def _line(row: Row) -> int:
    return row[0]
