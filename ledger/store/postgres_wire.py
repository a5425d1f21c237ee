"""Prepared statements sent to PostgreSQL together and answered together: one round trip.

The driver's cursors send each statement by itself and wake the server for each; in an append of one
event that costs more than the append. Here the statements of a step are one message, their parameters
packed in the server's binary form. A connection that is left in the middle of a step is closed.
"""

import struct
from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import generators, pq
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import DictRow

_INT8 = struct.Struct("!q").pack
_INT4 = struct.Struct("!i").pack
_ARRAY = struct.Struct("!iiIii").pack
_OIDS = {"bytea": 17, "int8": 20, "int4": 23, "text": 25, "uuid": 2950}
_GOOD = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)

Values = Sequence[bytes]


class Statement(NamedTuple):
    """A statement that is prepared once on each connection; parameters as ``$1``."""

    name: bytes
    sql: str


class Call(NamedTuple):
    """A statement with its parameters in binary form."""

    statement: Statement
    values: Values = ()


def int8(number: int) -> bytes:
    """Pack a bigint."""
    return _INT8(number)


def int8s(numbers: Iterable[int]) -> bytes:
    """Pack an array of bigint."""
    return array("int8", map(_INT8, numbers))


def int4s(numbers: Iterable[int]) -> bytes:
    """Pack an array of integer."""
    return array("int4", map(_INT4, numbers))


def texts(words: Iterable[str]) -> bytes:
    """Pack an array of text."""
    return array("text", map(str.encode, words))


def array(kind: str, elements: Iterable[bytes]) -> bytes:
    """Pack an array of elements that are packed already; none of them is NULL."""
    kept = list(elements)
    parts = [_ARRAY(1, 0, _OIDS[kind], len(kept), 1)]
    for one in kept:
        parts += (_INT4(len(one)), one)
    return b"".join(parts)


def number_of(value: bytes | None) -> Any:
    """Read an integer of any size; NULL stays None."""
    return None if value is None else int.from_bytes(value, signed=True)


def text_of(value: bytes | None) -> Any:
    """Read a text; NULL stays None."""
    return None if value is None else value.decode()


def bytes_of(value: bytes | None) -> Any:
    """Read a bytea; NULL stays None."""
    return value


class Connection(psycopg.Connection[DictRow]):
    """A connection to the log, which knows what has been prepared on it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: set[bytes] = set()

    def exchange(self, *calls: Call) -> list[PGresult]:
        """Send statements in one message and give their results; the first error is raised."""
        try:
            return self._exchange(calls)
        except psycopg.errors.InvalidSqlStatementName:
            # After a rollback the driver makes the server forget every prepared statement.
            if self.info.transaction_status != pq.TransactionStatus.IDLE:
                raise
            self._known.clear()
            return self._exchange(calls)

    def _exchange(self, calls: Sequence[Call]) -> list[PGresult]:
        unknown = [call.statement for call in calls if call.statement.name not in self._known]
        try:
            results = self._round_trip(calls, unknown)
        except BaseException:
            self.close()  # nobody could tell which answers are still under way
            raise
        for result in results:
            if result.status not in _GOOD:
                if unknown:
                    self.close()  # some of them may be prepared, and it is not known which
                raise psycopg.errors.error_from_result(result, encoding="utf-8")
        self._known.update(statement.name for statement in unknown)
        return results[len(unknown) :]

    def _round_trip(self, calls: Sequence[Call], unknown: Sequence[Statement]) -> list[PGresult]:
        server = self.pgconn
        server.enter_pipeline_mode()
        for statement in unknown:
            server.send_prepare(statement.name, statement.sql.encode())
        for statement, values in calls:
            server.send_query_prepared(statement.name, values, [1] * len(values), 1)
        server.pipeline_sync()
        results = self.wait(_answers(server))
        server.exit_pipeline_mode()
        return results


def _answers(server: PGconn) -> Generator[Any, Any, list[PGresult]]:
    """Fetch what comes up to the synchronisation point."""
    yield from generators.send(server)
    results: list[PGresult] = []
    while True:
        for result in (yield from generators.fetch_many(server)):
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)
