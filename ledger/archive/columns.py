"""Events as columns (列): what a part holds, derived from the classes of the facts.

Every part begins with ``position``, ``topic``, ``stream``, ``version``, then the fields of the fact,
then ``state``, the very bytes of the log. Scalars keep their names; the amounts and the known details
of a claim stand on their own, a source as ``source_intake`` and ``source_line``, postings as a list
of structs. What is neither (a policy's content, a plan) is in ``state`` only. Integers are read as
64-bit integers out of the text and never pass through a float.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Self, get_args, get_origin, get_type_hints

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ledger.archive.failures import LogNotArchivable
from ledger.domain.entry import Posting
from ledger.events import registry
from ledger.events.base import Fact, Source
from ledger.events.claim import DETAILS, ClaimAmounts, ClaimFact

#: Columns of the log itself; a field of a fact with such a name is called ``fact_…``.
HEAD = ("position", "topic", "stream", "version")
STATE = "state"
NONE = "_"  # stands in a folder's name for what has no area, fund or month

_TEXT, _INTEGER = pa.string(), pa.int64()
_SCALARS = {str: _TEXT, int: _INTEGER, bool: pa.bool_()}
_SQL = {_TEXT: "VARCHAR", _INTEGER: "BIGINT", pa.bool_(): "BOOLEAN"}
_POSTING = pa.struct(
    [
        ("fund", _TEXT),
        ("debit", _TEXT),
        ("credit", _TEXT),
        ("fen", _INTEGER),
        ("party", _TEXT),
    ]
)
_POSTINGS = pa.list_(pa.field("element", _POSTING))
_WORDS = pa.list_(pa.field("element", _TEXT))


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the part, its type, and where it stands in the state."""

    name: str
    type: pa.DataType
    path: tuple[str, ...]
    required: bool


@cache
def columns_of(fact: type[Fact]) -> tuple[Column, ...]:
    """Derive the columns of a class of facts."""
    hints = get_type_hints(fact)
    defaults = {one.name for one in msgspec.structs.fields(fact) if not one.required}
    found: list[Column] = []
    for name in fact.__struct_fields__:
        kind, optional = _plain(hints[name])
        needed = not optional and name not in defaults
        if kind is Source:
            found += [
                Column("source_intake", _TEXT, (name, "intake"), required=False),
                Column("source_line", _INTEGER, (name, "line"), required=False),
            ]
        elif kind is ClaimAmounts:
            found += _amounts(name)
        elif name == "details" and issubclass(fact, ClaimFact):
            found += [Column(one, _TEXT, (name, one), required=False) for one in DETAILS]
        elif (type_ := _type(kind)) is not None:
            called = f"fact_{name}" if name in (*HEAD, STATE) else name
            found.append(Column(called, type_, (name,), required=needed))
    return tuple(found)


def _plain(hint: Any) -> tuple[Any, bool]:
    """Take ``| None`` off a type."""
    parts = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    kinds = [one for one in parts if one is not NoneType]
    return (kinds[0] if len(kinds) == 1 else hint), len(kinds) < len(parts)


def _type(kind: Any) -> pa.DataType | None:
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == tuple[Posting, ...]:
        return _POSTINGS
    return _WORDS if kind == tuple[str, ...] else None


def _amounts(within: str) -> list[Column]:
    return [
        Column(one.name, _INTEGER, (within, one.name), required=one.required)
        for one in msgspec.structs.fields(ClaimAmounts)
    ]


def newest(topic: str) -> str:
    """Follow a retired topic to the one that is read in its place; UnknownTopic where there is none."""
    while topic in registry.UPCASTERS:
        topic = registry.UPCASTERS[topic][0]
    registry.fact_class(topic)
    return topic


@cache
def schema_of(topic: str) -> pa.Schema:
    """Give the schema of a topic's parts."""
    columns = columns_of(registry.fact_class(newest(topic)))
    head = [("position", _INTEGER), ("topic", _TEXT), ("stream", _TEXT), ("version", _INTEGER)]
    return pa.schema([*head, *((one.name, one.type) for one in columns), (STATE, _TEXT)])


def required_columns(topic: str) -> set[str]:
    """Name the columns that every part of a topic has, whichever version wrote it."""
    columns = columns_of(registry.fact_class(newest(topic)))
    return {*HEAD, STATE, *(one.name for one in columns if one.required)}


@dataclass(frozen=True, slots=True)
class Columns:
    """Events of one topic as a table of its schema, and the folder that each row belongs in."""

    table: pa.Table
    folders: pa.Array


def stream_text(stream: bytes) -> str:
    """Write the 16 bytes of a stream's id as a UUID is written."""
    name = stream.hex()
    return f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}"


class Columnar:
    """Turns states into columns. It holds a database in memory and is closed by its owner."""

    def __init__(self) -> None:
        self._duck = duckdb.connect(config={"enable_external_access": "false"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._duck.close()

    def read(
        self,
        topic: str,
        positions: Sequence[int],
        streams: Sequence[bytes],
        versions: Sequence[int],
        states: Sequence[bytes],
    ) -> Columns:
        """Give events of one topic as columns."""
        schema = schema_of(topic)
        raw = pa.array(states, pa.binary()).cast(_TEXT)
        read = raw if topic not in registry.UPCASTERS else _upcast(topic, states)
        columns = columns_of(registry.fact_class(newest(topic)))
        places = pa.array(range(len(raw)), _INTEGER)
        found = self._facts(columns, pa.table({"place": places, "state": read}))
        if not found["place"].combine_chunks().equals(places):
            raise AssertionError("the columns came back in another order")
        facts = found["fact"].combine_chunks()
        fields = [pc.struct_field(facts, one.path).cast(one.type) for one in columns]
        named = pa.repeat(pa.scalar(topic, _TEXT), len(raw))
        head = [
            pa.array(positions, _INTEGER),
            named,
            pa.array(map(stream_text, streams), _TEXT),
            pa.array(versions, _INTEGER),
        ]
        table = pa.table([*head, *fields, raw], schema=schema)
        _complete(columns, table)
        return Columns(table, found["folder"].combine_chunks())

    def _facts(self, columns: Sequence[Column], states_read: pa.Table) -> pa.Table:
        self._duck.register("states_read", states_read)
        try:
            return self._duck.sql(
                f"SELECT place, fact, {_folder(columns)} AS folder FROM (SELECT place,"
                f" from_json(state, '{_structure(columns)}') AS fact FROM states_read)"
            ).to_arrow_table()
        finally:
            self._duck.unregister("states_read")


def _upcast(topic: str, states: Sequence[bytes]) -> pa.Array:
    """Give retired states in the form of the newest version; only the columns show it."""
    bodies = [msgspec.json.decode(state) for state in states]
    while topic in registry.UPCASTERS:
        topic, newer = registry.UPCASTERS[topic]
        bodies = [newer(body) for body in bodies]
    return pa.array([msgspec.json.encode(body).decode() for body in bodies], _TEXT)


def _structure(columns: Sequence[Column]) -> str:
    """Say what to read out of a state, as DuckDB's ``from_json`` wants it."""
    structure: dict[str, Any] = {}
    for one in columns:
        within = structure
        for step in one.path[:-1]:
            within = within.setdefault(step, {})
        within[one.path[-1]] = _sql_type(one.type)
    return json.dumps(structure)


def _folder(columns: Sequence[Column]) -> str:
    """Tell where a row belongs: area, leading fund, month.

    The leading fund is the fact's own ``fund``, else the fund of its first posting without the
    sub-fund; the month is that of ``booked_on``, else the fact's own ``period``. So a folder's name
    never contradicts a column of the same name.
    """
    names = {one.name for one in columns}
    area = "fact.area" if "area" in names else "NULL"
    fund = "fact.fund" if "fund" in names else "NULL"
    if fund == "NULL" and "postings" in names:
        fund = "split_part(fact.postings[1].fund, '.', 1)"
    month = "fact.period" if "period" in names else "NULL"
    if "booked_on" in names:
        month = "substr(fact.booked_on, 1, 7)"
    steps = (("area", area), ("fund", fund), ("period", month))
    return " || ".join(
        f"'{'/' if name != 'area' else ''}{name}=' || coalesce(url_encode(nullif({value}, '')), '{NONE}')"
        for name, value in steps
    )


def _sql_type(type_: pa.DataType) -> Any:
    if type_ == _POSTINGS:
        return [{field.name: _SQL[field.type] for field in _POSTING}]
    return ["VARCHAR"] if type_ == _WORDS else _SQL[type_]


def _complete(columns: Sequence[Column], table: pa.Table) -> None:
    """Refuse a state without a field that its class promises, or with one of another kind."""
    for one in columns:
        values = table[one.name]
        if one.type == _POSTINGS:
            values = pc.struct_field(pc.list_flatten(values), "fen")
        elif not one.required:
            continue
        if values.null_count:
            raise LogNotArchivable(position=table["position"][0].as_py(), seal="-")


def fen_of(table: pa.Table) -> int:
    """Add up the postings of a table, in fen; nil where its facts have none."""
    if "postings" not in table.column_names:
        return 0
    fens = pc.struct_field(pc.list_flatten(table["postings"]), "fen")
    return sum(fens.to_pylist())  # whole numbers of Python: a sum of 64 bits may overflow
