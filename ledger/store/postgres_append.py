"""One append to the log in PostgreSQL (写入): what happens between BEGIN and COMMIT.

A small append is two round trips: lock and read, then everything that is written. A large one streams
its packed rows with COPY in between. Between two trips the server knows that it waits for us, and
throws out a writer that stands still while it holds the lock (``IDLE_SECONDS``).
"""

from collections.abc import Callable
from typing import Any

from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from ledger.store import guard
from ledger.store import statements as sql
from ledger.store.commit import Commit, Receipt
from ledger.store.failures import GuardChanged
from ledger.store.guard import Params, Verdict, Write
from ledger.store.postgres_wire import (
    Call,
    Connection,
    Statement,
    Values,
    array,
    bytes_of,
    int4s,
    int8,
    int8s,
    number_of,
    text_of,
    texts,
)
from ledger.store.prepared import Prepared
from ledger.store.recording import BULK
from ledger.store.seals import Seal, seal_after
from ledger.store.statements import POSTGRESQL, rendered

CHANNEL = "medfund_log"
#: The advisory lock of all appends to the log of a database: "medfund" in ASCII.
APPEND_LOCK = int.from_bytes(b"medfund")

_BEGIN = Call(Statement(b"medfund_begin", "BEGIN"))
_LOCK = Call(Statement(b"medfund_lock", f"SELECT pg_advisory_xact_lock({APPEND_LOCK})"))
_COMMIT = Call(Statement(b"medfund_commit", "COMMIT"))
_GUARD = Statement(b"medfund_guard", sql.GUARD.replace(":key", "$1").replace(":area", "$2"))
#: How the columns of GUARD are read: a seal, a key's hash and seal, and a book.
_GUARD_TYPES: tuple[Callable[[bytes | None], Any], ...] = (
    *(number_of,) * 5,
    *(bytes_of,) * 3,
    text_of,
    *(number_of,) * 3,
    text_of,
    text_of,
    *(number_of,) * 7,
)
_INSERT = Statement(
    b"medfund_insert",
    "INSERT INTO events (originator_id, originator_version, topic, state, notification_id)"
    " SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[])",
)
_COPY = "COPY events (originator_id, originator_version, topic, state) FROM STDIN (FORMAT binary)"
_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_SET_NEXT = "SELECT setval('events_notification_id_seq', greatest(%(last)s, 1), %(last)s > 0)"
_ADD_TOTALS = sql.ADD_TOTALS.replace(
    "VALUES (?, ?, ?, ?, ?, ?, ?)",
    "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::bigint[],"
    " $6::bigint[], $7::bigint[])",
)
#: What every commit writes beside its events, as one statement.
_CLOSE = Statement(
    b"medfund_close",
    f"WITH added AS ({_ADD_TOTALS}),"
    " told AS (INSERT INTO outbox (actor, key, position)"
    " SELECT actor, key, $10::bigint FROM unnest($8::text[], $9::text[]) AS one (actor, key)),"
    f" sealed AS (INSERT INTO seals ({sql.SEAL_COLUMNS})"
    " VALUES ($11, $12, $10, $13, $14, $15, $16, $17)),"
    " known AS (INSERT INTO idempotency (key, input_hash, seal_no) VALUES ($18, $19, $11))"
    f" SELECT pg_notify('{CHANNEL}', '')",
)


def append(
    connection: Connection, prepared: Prepared, commit: Commit, now_us: Callable[[], int]
) -> Receipt:
    """Append under the lock, or leave nothing; the caller's pool rolls back after an error."""
    standing, verdict = _decided(connection, commit)
    if verdict.repeated is not None:
        connection.exchange(_COMMIT)
        return verdict.repeated
    seal = seal_after(
        standing.head,
        root=prepared.root,
        events=len(prepared.events),
        now_us=now_us(),
        key=commit.key,
        input_hash=commit.input_hash,
    )
    for write in verdict.writes:
        _run(connection, write)
    closing = Call(_CLOSE, _closing_values(commit, seal)), _COMMIT
    if len(prepared.events) < BULK:
        connection.exchange(Call(_INSERT, _event_values(prepared, seal)), *closing)
    else:
        _copy(connection, prepared.packed, after=standing.head.last_position)
        connection.exchange(*closing)
    return Receipt(seal.no, seal.first_position, seal.last_position)


def _decided(connection: Connection, commit: Commit) -> tuple[guard.Standing, Verdict]:
    """Take the lock, read everything that the commit depends on, and decide."""
    first, *others = plan = guard.reads(commit)
    values = [first.params["key"].encode(), first.params["area"].encode()]
    answer = connection.exchange(_BEGIN, _LOCK, Call(_GUARD, values))[-1]
    answers = [_guard_rows(answer), *(_rows(connection, read.sql, read.params) for read in others)]
    standing = guard.standing(commit, plan, answers)
    return standing, guard.decide(commit, standing)


def _guard_rows(answer: PGresult) -> list[tuple[Any, ...]]:
    return [
        tuple(read(answer.get_value(row, column)) for column, read in enumerate(_GUARD_TYPES))
        for row in range(answer.ntuples)
    ]


def _rows(connection: Connection, statement: str, params: Params) -> list[tuple[Any, ...]]:
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    return cursor.execute(rendered(statement, POSTGRESQL), params).fetchall()


def _run(connection: Connection, write: Write) -> None:
    cursor = connection.cursor()
    cursor.executemany(rendered(write.sql, POSTGRESQL), write.rows)
    if write.table is not None and cursor.rowcount != len(write.rows):
        raise GuardChanged(table=write.table)


def _copy(connection: Connection, packed: bytes, *, after: int) -> None:
    connection.execute(_SET_NEXT, {"last": after})
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for part in (_COPY_HEAD, packed, _COPY_END):
            copy.write(part)


def _event_values(prepared: Prepared, seal: Seal) -> Values:
    streams, versions, topics, states = zip(*prepared.events, strict=True)
    return (
        array("uuid", streams),
        int8s(versions),
        texts(topics),
        array("bytea", states),
        int8s(range(seal.first_position, seal.last_position + 1)),
    )


def _closing_values(commit: Commit, seal: Seal) -> Values:
    live = guard.live_totals(commit)
    return (
        texts(key.area for key, _ in live),
        texts(key.fund for key, _ in live),
        texts(key.account for key, _ in live),
        int4s(key.month for key, _ in live),
        int8s(total.debit_fen for _, total in live),
        int8s(total.credit_fen for _, total in live),
        int8s(total.lines for _, total in live),
        texts(message.actor for message in commit.outbox),
        texts(message.key for message in commit.outbox),
        int8(seal.last_position),
        int8(seal.no),
        int8(seal.first_position),
        int8(seal.events),
        int8(seal.at_us),
        seal.root,
        seal.prev,
        seal.digest,
        commit.key.encode(),
        commit.input_hash.encode(),
    )
