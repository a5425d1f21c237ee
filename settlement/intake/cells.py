"""From a cell as a file holds it to a value of ours: pure functions that raise ``BadCell``.

An empty cell is ``None``, never zero. The shape that nearly every cell has is tried first; only
what does not fit walks through the readings that people and spreadsheets produce. Amounts are
read in ``amounts``, dates in ``moments``.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

#: What CSV (text only) and spreadsheets give. ``float`` is the file's, and ends here.
Cell = str | int | float | bool | date | time | timedelta | None
Parser = Callable[[Cell], Any]

_IDENTIFIER_LIMIT = 64
_TEXT_LIMIT = 500
_EXACT_INTEGER = 10**15  # beyond, a spreadsheet number has lost digits

_FORMULA_ERROR = re.compile(
    r"#(?:REF!|DIV/0!|VALUE!|NAME\?|N/A|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!"
    r"|CONNECT!|UNKNOWN!|BUSY!|PYTHON!|GETTING_DATA|ERROR!)"
)
_QUOTED_FORMULA = re.compile(r'="(.*)"', re.DOTALL)  # ="0012": how a CSV keeps Excel's hands off
#: How a formula may begin, behind any apostrophes that keep a spreadsheet's hands off it.
FORMULA_START = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_CODE = re.compile(r"[0-9A-Za-z]+(?:[-_.:+*/][0-9A-Za-z]+)*[+*]?")
#: Only the full-width forms and the like are narrowed: full NFKC would read 1² as 12 and ① as 1.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_NARROW |= {
    ord(wide): ord(narrow) for wide, narrow in zip("￥\u3000\xa0\u2212", "¥  -", strict=True)
}
_INVISIBLE = "\u200b\ufeff"  # zero-width marks that copying from pages leaves behind


class BadCell(ValueError):
    """A cell that cannot be read; ``code`` is one of the row rejections."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def is_formula_error(text: str) -> bool:
    """Tell whether a spreadsheet shows this where a formula failed (``#REF!``)."""
    return _FORMULA_ERROR.fullmatch(text) is not None


def plain(text: str) -> str:
    """Narrow full-width forms and trim, for reading (never for keeping)."""
    narrowed = text if text.isascii() else text.translate(_NARROW)
    return narrowed.strip().strip(_INVISIBLE).strip()


def kept(text: str) -> str | None:
    """Trim a text that will be kept; refuse a formula's error, unwrap ``="…"``."""
    trimmed = text.strip().strip(_INVISIBLE).strip()
    if not trimmed:
        return None
    if trimmed[0] == "'" and FORMULA_START.match(trimmed):
        trimmed = trimmed[1:].strip()  # put there by an export, ours among them
    if trimmed[0] == "#" and is_formula_error(trimmed):
        raise BadCell("formula_error")
    wrapped = _QUOTED_FORMULA.fullmatch(trimmed) if trimmed[0] == "=" else None
    return (wrapped[1].strip() or None) if wrapped else trimmed


def readable(text: str) -> str:
    """Give a cell's text ready to be read as something, empty for nothing."""
    return plain(kept(text) or "")


def whole_number(cell: Cell, code: str) -> str:
    """Write a spreadsheet's number as digits; refuse what is none or has lost some."""
    if isinstance(cell, bool):
        raise BadCell("boolean_cell")
    if not isinstance(cell, int | float) or not math.isfinite(cell):
        raise BadCell(code)
    if cell != int(cell) or abs(cell) >= _EXACT_INTEGER:
        raise BadCell(code)
    return str(int(cell))


def parse_identifier(cell: Cell) -> str | None:
    """Read an identifier (编号) exactly as text; a number or date cell is already damaged."""
    if type(cell) is str:
        if cell.isalnum() and cell.isascii() and len(cell) <= _IDENTIFIER_LIMIT:
            return cell
        return _bounded(cell, _IDENTIFIER_LIMIT) if cell else None
    if cell is None:
        return None
    raise BadCell("boolean_cell" if isinstance(cell, bool) else "numeric_identifier")


def parse_text(cell: Cell) -> str | None:
    """Read free text; a whole number up to 15 digits is text too (a note ``12``)."""
    if isinstance(cell, str):
        return _bounded(cell, _TEXT_LIMIT, allowed="\n\r\t") if cell else None
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return whole_number(cell, "numeric_identifier")


def _bounded(cell: str, limit: int, allowed: str = "") -> str | None:
    text = kept(cell)
    if text is None:
        return None
    if len(text) > limit:
        raise BadCell("text_too_long", limit=limit)
    for char in text:
        # a wide space inside is visible; line breaks only where free text may have them
        wide_space = unicodedata.category(char) == "Zs"
        if not (char.isprintable() or wide_space or char in allowed):
            raise BadCell("control_character", character=f"U+{ord(char):04X}")
    return text


def parse_integer(cell: Cell) -> int | None:
    """Read a whole number that is not negative and has at most six digits."""
    if cell is None:
        return None
    text = readable(cell) if isinstance(cell, str) else whole_number(cell, "not_an_integer")
    if not text:
        return None
    if not re.fullmatch(r"-?[0-9]+", text):
        raise BadCell("not_an_integer")
    if not re.fullmatch(r"0*[0-9]{1,6}", text):
        raise BadCell("number_out_of_range", lowest=0, highest=999_999)
    return int(text)


_FLAGS = {"0": 0, "1": 1, "否": 0, "是": 1, "正常": 0, "退费": 1, "n": 0, "y": 1}


def parse_flag(cell: Cell) -> int | None:
    """Read 0 or 1 (also 否/是, 正常/退费 and a spreadsheet's booleans)."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return int(cell)
    text = readable(cell).lower() if isinstance(cell, str) else whole_number(cell, "not_a_flag")
    if not text:
        return None
    if text not in _FLAGS:
        raise BadCell("not_a_flag")
    return _FLAGS[text]


def parse_code(cell: Cell, *, limit: int = 30) -> str | None:
    """Read a code of letters and digits; full-width forms are narrowed, short numbers are fine."""
    if type(cell) is str:
        if cell.isalnum() and cell.isascii() and len(cell) <= limit:
            return cell
        text = readable(cell)
    elif cell is None:
        return None
    else:
        text = whole_number(cell, "numeric_identifier")
    if not text:
        return None
    if len(text) > limit or not _CODE.fullmatch(text):
        raise BadCell("malformed_code", limit=limit)
    return text


def word_of(cell: Cell) -> str | None:
    """Give a cell as a word for looking up: narrow, lower case, without spaces."""
    if isinstance(cell, str):
        return re.sub(r"\s+", "", readable(cell)).lower() or None
    return None if cell is None else whole_number(cell, "numeric_identifier")


def choice(words: Mapping[str, str], *, code: str = "unknown_code") -> Parser:
    """Make a parser for an enumeration; ``words`` map every accepted word to its key.

    A refusal lists the keys, and beside each the first name that it goes by.
    """
    allowed = tuple(dict.fromkeys(words.values()))
    names: dict[str, str] = {}
    for word, key in words.items():
        if word != key:
            names.setdefault(key, word)
    named = tuple(f"{names[key]}({key})" if key in names else key for key in allowed)

    def parse(cell: Cell) -> str | None:
        if type(cell) is str and cell in words:
            return words[cell]
        word = word_of(cell)
        if word is None:
            return None
        if word not in words:
            raise BadCell(code, allowed=allowed, named=named)
        return words[word]

    return parse


def choice_or_code(words: Mapping[str, str], *, limit: int = 6, digits: int = 0) -> Parser:
    """Make a parser for a national list that areas extend: known words, else any short code.

    ``digits`` restores the leading zeros that a number cell lost (``1`` is ``01``).
    """

    def parse(cell: Cell) -> str | None:
        if type(cell) is str and cell.isalnum() and cell.isascii() and len(cell) <= limit:
            return cell
        word = word_of(cell)
        if word is None:
            return None
        if word in words:
            return words[word]
        known = parse_code(cell, limit=limit)
        return known.zfill(digits) if known and not isinstance(cell, str) else known

    return parse
