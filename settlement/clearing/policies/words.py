"""How values are written in a policy file: one form for each kind of value.

Amounts are yuan as text, shares are ``"5%"``, ``"1/3"`` or ``"0.05"``, points and coefficients are
decimal text: a number without quotes is refused where TOML would make a float of it.
"""

import re
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ledger.domain.fund import is_institution, is_leaf

_SHARE = re.compile(r"(-?\d+(?:\.\d+)?)(?:(%)|/(\d+))?")
_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_YUAN = re.compile(r"-?\d+(?:\.\d{1,2})?")
_FOUR_DIGITS = re.compile(r"\d+(?:\.\d{1,4})?")


def _share(value: object) -> object:
    found = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[3] == "0":
        raise ValueError('须为 "5%"、"1/3" 或 "0.05" / a share is "5%", "1/3" or "0.05"')
    return Fraction(found[1]) / (100 if found[2] else int(found[3] or 1))


def _fen(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _YUAN.fullmatch(value):
        raise ValueError('须为元,如 "1234.50" / an amount is yuan such as "1234.50"')
    return int(Fraction(value) * 100)


def _units4(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _FOUR_DIGITS.fullmatch(value):
        raise ValueError('须为最多四位小数的文本,如 "1.05" / decimal text with four digits at most')
    return int(Fraction(value) * 10_000)


def _leaf(value: object) -> object:
    if not is_leaf(str(value)):
        raise ValueError(f"须为基金或子基金,如 310.pooled / no such fund: {value}")
    return str(value)


def _institution(value: object) -> object:
    if not is_institution(str(value)):
        raise ValueError(f"机构编码须为 H 或 P 加 11 位 / no institution: {value}")
    return str(value)


Share = Annotated[Fraction, BeforeValidator(_share)]
Fen = Annotated[int, BeforeValidator(_fen)]
Units4 = Annotated[int, BeforeValidator(_units4)]
Institution = Annotated[str, BeforeValidator(_institution)]
Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Leaf = Annotated[str, BeforeValidator(_leaf)]


class PolicyTable(BaseModel):
    """A table of the file; a key that we do not know is a mistake: a policy is not guessed at."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
