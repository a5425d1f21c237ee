"""What a column of a file holds and what a file format is made of; ``columns.py`` lists the formats."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """What a column holds; decides how it is read and whether 万元 makes sense for it."""

    IDENTIFIER = "identifier"
    CODE = "code"
    TEXT = "text"
    AMOUNT = "amount"
    DATE = "date"
    TIME = "time"
    MONTH = "month"
    INTEGER = "integer"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file format."""

    key: str
    zh: str
    form: Form
    required: bool = False
    aliases: tuple[str, ...] = ()
    personal: bool = False
    may_be_empty: bool = False  # the head is required, a cell is not


@dataclass(frozen=True, slots=True)
class Kind:
    """One file format: its name, its columns, and the column that names a row.

    ``layout`` names the bank's profile of the setup that the columns are written in, if any.
    """

    name: str
    zh: str
    key_column: str
    columns: tuple[Column, ...]
    layout: str | None = None

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.key for column in self.columns if column.required)

    def column(self, key: str) -> Column:
        return next(column for column in self.columns if column.key == key)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)


def id_column(key: str, zh: str, *aliases: str, required: bool = False) -> Column:
    return Column(key, zh, Form.IDENTIFIER, required, aliases)


def code_column(key: str, zh: str, *aliases: str, required: bool = False) -> Column:
    return Column(key, zh, Form.CODE, required, aliases)


def text_column(key: str, zh: str, *aliases: str) -> Column:
    return Column(key, zh, Form.TEXT, aliases=aliases)


def amount_column(key: str, zh: str, *aliases: str, required: bool = False) -> Column:
    return Column(key, zh, Form.AMOUNT, required, aliases)
