"""Amounts (金额): from a cell in yuan or 万元 to whole fen."""

import math
import re
from decimal import Decimal

from settlement.intake.cells import BadCell, Cell, readable

#: 10 trillion yuan: more than any fund, less than where a float loses fen.
MAX_FEN = 10**15
YUAN, WAN = 2, 6  # decimals that a whole fen allows: 1 元 = 10² 分, 1 万元 = 10⁶ 分
_AMOUNT = re.compile(
    r"(-?)¥? ?(-?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|(?=\.[0-9]))(?:\.([0-9]+))?",
)
_SCIENTIFIC = re.compile(r"[-+]?[0-9.,]+[eE][-+]?[0-9]+")


def parse_amount(cell: Cell) -> int | None:
    """Read yuan (元) with at most two decimals as fen (分)."""
    if type(cell) is str:
        if cell[-3:-2] == ".":  # the shape nearly every cell has: digits, a point, two digits
            digits = cell[:-3] + cell[-2:]
            if digits.isdecimal() and digits.isascii() and len(digits) < 16:
                return int(digits)
        return _from_text(cell, YUAN) if cell else None
    return _from_number(cell, YUAN)


def parse_amount_wan(cell: Cell) -> int | None:
    """Read 万元 with at most six decimals as fen: 0.000001 万元 is one fen."""
    return _from_text(cell, WAN) if isinstance(cell, str) else _from_number(cell, WAN)


def _from_text(cell: str, places: int) -> int | None:
    text = readable(cell)
    if not text:
        return None
    found = _AMOUNT.fullmatch(text)
    if found is None or (found[1] and found[2]):
        raise BadCell(_fault(text))
    decimals = found[4] or ""
    if len(decimals) > places:
        raise BadCell("too_many_decimals", places=places)
    digits = (found[3].replace(",", "") + decimals.ljust(places, "0")).lstrip("0")
    if len(digits) > len(str(MAX_FEN)):
        raise _too_large()
    fen = _capped(int(digits or 0))
    return -fen if found[1] or found[2] else fen


def _fault(text: str) -> str:
    """Say what kind of wrong an amount is, so that the hint can help."""
    if _SCIENTIFIC.fullmatch(text):
        return "scientific_notation"
    bare = text.strip("()¥- ")
    if text.startswith("(") and text.endswith(")") and _AMOUNT.fullmatch(bare):
        return "parenthesised_amount"
    if "," in bare and re.fullmatch(r"[0-9,]+(?:\.[0-9]*)?", bare):
        return "malformed_thousands"
    return "not_an_amount"


def _from_number(cell: Cell, places: int) -> int | None:
    """Read a spreadsheet's number.

    The shortest text that names the float must have few decimals: 0.1 + 0.2 is refused, because
    what looks like noise may as well be a figure that was never rounded.
    """
    if cell is None:
        return None
    if isinstance(cell, bool):
        raise BadCell("boolean_cell")
    if isinstance(cell, int):
        return _capped(cell * 10**places)
    if not isinstance(cell, float) or not math.isfinite(cell):
        raise BadCell("not_an_amount")
    exact = Decimal(repr(cell)).scaleb(places)
    if abs(exact) > MAX_FEN:
        raise _too_large()
    if exact != exact.to_integral_value():
        raise BadCell("too_many_decimals", places=places)
    return int(exact)


def _capped(fen: int) -> int:
    if abs(fen) > MAX_FEN:
        raise _too_large()
    return fen


def _too_large() -> BadCell:
    return BadCell("amount_too_large", limit_fen=MAX_FEN)
