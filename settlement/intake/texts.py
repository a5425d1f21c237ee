"""A sentence of the intake in both languages (提示语), with what to do about it."""

from typing import NamedTuple


class Text(NamedTuple):
    """A sentence and what to do about it."""

    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""
