"""The store's SQL, once for both databases: parameters as ``:name``, dialect words in braces.

``{position}`` is the log's position column, ``{same}`` compares two values that may be NULL.
"""

import re
from dataclasses import dataclass
from functools import cache

SEAL_COLUMNS = "no, first_position, last_position, events, at_us, root, prev, digest"
BOOK_COLUMNS = (
    "first_month, open_from, frozen_through, sealed_through, history_from, open_before_freeze,"
    " first_sealed"
)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{name}" for name in columns.split(", "))


FIND_KEY = (
    "SELECT i.input_hash, s.no, s.first_position, s.last_position FROM idempotency AS i"
    " JOIN seals AS s ON s.no = i.seal_no WHERE i.key = :key"
)
# Everything that nearly every commit has to know, in one read: a row for each book of the area.
GUARD = (
    f"SELECT {_of('s', SEAL_COLUMNS)}, i.input_hash, k.no, k.first_position, k.last_position,"
    f" b.area, b.fund, {_of('b', BOOK_COLUMNS)}"
    f" FROM (SELECT {SEAL_COLUMNS} FROM seals ORDER BY no DESC LIMIT 1) AS s"
    " LEFT JOIN idempotency AS i ON i.key = :key LEFT JOIN seals AS k ON k.no = i.seal_no"
    " LEFT JOIN books AS b ON b.area = :area"
)
FIND_LEASE = "SELECT intake, token FROM leases WHERE area = :area AND kind = :kind {keep}"
FIND_BOOKS = f"SELECT area, fund, {BOOK_COLUMNS} FROM books WHERE area = :area"
ALL_BOOKS = f"SELECT area, fund, {BOOK_COLUMNS} FROM books ORDER BY area, fund"
FIND_OPEN_INTAKES = (
    "SELECT area, fund, intake FROM open_intakes WHERE area = :area ORDER BY area, fund, intake"
)
ALL_OPEN_INTAKES = "SELECT area, fund, intake FROM open_intakes ORDER BY area, fund, intake"
HEAD = f"SELECT {SEAL_COLUMNS} FROM seals ORDER BY no DESC LIMIT 1"

INSERT_BOOK = (
    f"INSERT INTO books (area, fund, {BOOK_COLUMNS}) VALUES (:area, :fund, :first_month,"
    " :open_from, :frozen_through, :sealed_through, :history_from, :open_before_freeze,"
    " :first_sealed)"
)
# The old state is part of the condition: a row changed from outside does not pass unnoticed.
MOVE_BOOK = (
    "UPDATE books SET open_from = :open_from, frozen_through = :frozen_through,"
    " sealed_through = :sealed_through, history_from = :history_from,"
    " open_before_freeze = :open_before_freeze, first_sealed = :first_sealed"
    " WHERE area = :area AND fund = :fund AND open_from {same} :old_open_from"
    " AND frozen_through {same} :old_frozen_through"
    " AND sealed_through {same} :old_sealed_through"
)


def _added_up(table: str, keys: str) -> str:
    """Add to the totals that are there (on both stores an upsert names the table it adds to)."""
    return (
        f" ON CONFLICT ({keys}) DO UPDATE SET"
        f" debit_fen = {table}.debit_fen + excluded.debit_fen,"
        f" credit_fen = {table}.credit_fen + excluded.credit_fen,"
        f" lines = {table}.lines + excluded.lines"
    )


_TOTAL = "area, fund, account, month"
_SUMS = "debit_fen, credit_fen, lines"
ADD_TOTALS = f"INSERT INTO totals ({_TOTAL}, {_SUMS}) VALUES (?, ?, ?, ?, ?, ?, ?)" + _added_up(
    "totals", _TOTAL
)
STAGE_TOTALS = (
    f"INSERT INTO staged_totals (intake, {_TOTAL}, {_SUMS}) VALUES"
    " (:intake, :area, :fund, :account, :month, :debit_fen, :credit_fen, :lines)"
) + _added_up("staged_totals", f"intake, {_TOTAL}")
# SQLite takes ON CONFLICT after a SELECT for a join condition unless there is a WHERE.
RELEASE_TOTALS = (
    f"INSERT INTO totals ({_TOTAL}, {_SUMS}) SELECT {_TOTAL}, {_SUMS} FROM staged_totals"
    f" WHERE intake = :intake ORDER BY {_TOTAL}"
) + _added_up("totals", _TOTAL)
DROP_STAGED = "DELETE FROM staged_totals WHERE intake = :intake"
ALL_TOTALS = f"SELECT {_TOTAL}, {_SUMS} FROM totals"
ALL_STAGED = f"SELECT intake, {_TOTAL}, {_SUMS} FROM staged_totals"
BOOK_TOTALS = (
    f"SELECT {_TOTAL}, {_SUMS} FROM totals WHERE area = :area AND month <= :through"
    " AND (fund = :fund OR substr(fund, 1, 4) = :fund_dot)"
)

OPEN_INTAKE = (
    "INSERT INTO open_intakes (area, fund, intake) VALUES (:area, :fund, :intake)"
    " ON CONFLICT (area, fund, intake) DO NOTHING"
)
CLOSE_INTAKE = "DELETE FROM open_intakes WHERE intake = :intake"
ADD_MESSAGE = "INSERT INTO outbox (actor, key, position) VALUES (?, ?, ?)"
ADD_SEAL = f"INSERT INTO seals ({SEAL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
ADD_KEY = "INSERT INTO idempotency (key, input_hash, seal_no) VALUES (?, ?, ?)"

ACQUIRE_LEASE = (
    "INSERT INTO leases (area, kind, intake, token, expires_us)"
    " VALUES (:area, :kind, :intake, 1, :expires_us) ON CONFLICT (area, kind) DO UPDATE SET"
    " intake = excluded.intake, token = leases.token + 1, expires_us = excluded.expires_us"
    " WHERE leases.expires_us <= :now_us RETURNING token"
)
MOVE_LEASE = (
    "UPDATE leases SET expires_us = :expires_us WHERE area = :area AND kind = :kind"
    " AND intake = :intake AND token = :token RETURNING token"
)
PENDING = (
    "SELECT id, actor, key, position FROM outbox WHERE sent_at_us IS NULL ORDER BY id LIMIT :limit"
)
MARK_SENT = "UPDATE outbox SET sent_at_us = :now_us WHERE id = :id AND sent_at_us IS NULL"

_EVENT = "{position}, originator_id, originator_version, topic, state"
PAGE = (
    f"SELECT {_EVENT} FROM events WHERE {{position}} > :after AND {{position}} <= :until"
    " ORDER BY {position} LIMIT :limit"
)
FACTS = (
    "SELECT {position}, topic, state FROM events"
    " WHERE {position} > :after AND {position} <= :until ORDER BY {position}"
)
PLAIN_PAGE = (
    "SELECT {position}, {stream}, originator_version, topic, state FROM events"
    " WHERE {position} > :after ORDER BY {position} LIMIT :limit"
)
STREAM = f"SELECT {_EVENT} FROM events WHERE originator_id = :id ORDER BY originator_version"
STREAMS_BETWEEN = (
    f"SELECT {_EVENT} FROM events WHERE originator_id >= :first AND originator_id <= :last"
    " ORDER BY originator_id, originator_version"
)
EVENT_AT = f"SELECT {_EVENT} FROM events WHERE {{position}} = :at"
UNSEALED = (
    "SELECT {position} FROM events WHERE {position} > (SELECT max(last_position) FROM seals)"
    " ORDER BY {position} LIMIT 1"
)
SEALS = f"SELECT {SEAL_COLUMNS} FROM seals WHERE no > :after ORDER BY no LIMIT :limit"
SEAL_COVERING = (
    f"SELECT {SEAL_COLUMNS} FROM seals WHERE last_position >= :at ORDER BY last_position LIMIT 1"
)
SEAL_AT = (
    f"SELECT {SEAL_COLUMNS} FROM seals WHERE at_us <= :at_us ORDER BY at_us DESC, no DESC LIMIT 1"
)
KEYS = "SELECT seal_no, key, input_hash FROM idempotency WHERE seal_no > :after AND seal_no <= :to"
STRAY_KEYS = (
    "SELECT i.key, i.seal_no FROM idempotency AS i LEFT JOIN seals AS s ON s.no = i.seal_no"
    " WHERE s.no IS NULL OR s.no = 0 ORDER BY i.key"
)


@dataclass(frozen=True, slots=True, eq=False)  # there are two, each equal to itself only
class Dialect:
    """The words in which the two databases differ."""

    position: str
    stream: str  # a stream's id as it leaves the database quickest
    same: str
    keep: str  # a read that holds its row until the commit
    pyformat: bool  # parameters as %(name)s


SQLITE = Dialect("rowid", "originator_id", "IS", "", pyformat=False)
POSTGRESQL = Dialect(
    "notification_id",
    "uuid_send(originator_id)",
    "IS NOT DISTINCT FROM",
    "FOR SHARE",
    pyformat=True,
)


@cache
def rendered(sql: str, dialect: Dialect) -> str:
    """Write a statement in a database's own words (cached: it is asked for at every commit)."""
    text = sql.format(
        position=dialect.position, stream=dialect.stream, same=dialect.same, keep=dialect.keep
    )
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", text) if dialect.pyformat else text
