"""Create the log: events, seals, keys, guards, totals, leases, outbox, erasable side tables."""

from alembic import op

revision = "0001"
down_revision = None

#: Digest of the genesis seal: docs/store.md tells how a seal's digest is made.
_GENESIS = "99d4dc65e36d544f43faa86489c990e13459051d7ab39cf038fd3b7e269a4293"
_ZERO = "00" * 32

_EVENTS = {
    "sqlite": """
        CREATE TABLE events (
            rowid INTEGER PRIMARY KEY AUTOINCREMENT,
            originator_id TEXT NOT NULL,
            originator_version INTEGER NOT NULL,
            topic TEXT NOT NULL,
            state BLOB NOT NULL,
            UNIQUE (originator_id, originator_version)
        )""",
    "postgresql": """
        CREATE TABLE events (
            originator_id uuid NOT NULL,
            originator_version bigint NOT NULL,
            topic text NOT NULL,
            state bytea NOT NULL,
            notification_id bigserial NOT NULL,
            PRIMARY KEY (originator_id, originator_version),
            CONSTRAINT events_notification_id_idx UNIQUE (notification_id)
        )""",
}

# Months are counted since year 0 (12 × year + month - 1), moments in microseconds since 1970.
# {bytes}, {number}, {serial} and {rowless} are the only words in which the two stores differ; to
# SQLite a seal's number is the row's own (INTEGER), which saves an index.
_TABLES = (
    """
    CREATE TABLE seals (
        no {number} NOT NULL PRIMARY KEY,
        first_position bigint NOT NULL,
        last_position bigint NOT NULL UNIQUE,
        events bigint NOT NULL,
        at_us bigint NOT NULL,
        root {bytes} NOT NULL,
        prev {bytes} NOT NULL UNIQUE,
        digest {bytes} NOT NULL UNIQUE
    )""",
    "CREATE INDEX seals_at ON seals (at_us, no)",
    """
    CREATE TABLE idempotency (
        key text NOT NULL PRIMARY KEY,
        input_hash text NOT NULL,
        seal_no bigint NOT NULL UNIQUE
    ){rowless}""",
    """
    CREATE TABLE books (
        area text NOT NULL,
        fund text NOT NULL,
        first_month integer,
        open_from integer,
        frozen_through integer,
        sealed_through integer,
        history_from integer,
        open_before_freeze integer,
        first_sealed integer,
        PRIMARY KEY (area, fund)
    ){rowless}""",
    """
    CREATE TABLE totals (
        area text NOT NULL,
        fund text NOT NULL,
        account text NOT NULL,
        month integer NOT NULL,
        debit_fen bigint NOT NULL,
        credit_fen bigint NOT NULL,
        lines bigint NOT NULL,
        PRIMARY KEY (area, fund, account, month)
    ){rowless}""",
    """
    CREATE TABLE staged_totals (
        intake text NOT NULL,
        area text NOT NULL,
        fund text NOT NULL,
        account text NOT NULL,
        month integer NOT NULL,
        debit_fen bigint NOT NULL,
        credit_fen bigint NOT NULL,
        lines bigint NOT NULL,
        PRIMARY KEY (intake, area, fund, account, month)
    ){rowless}""",
    """
    CREATE TABLE open_intakes (
        area text NOT NULL,
        fund text NOT NULL,
        intake text NOT NULL,
        PRIMARY KEY (area, fund, intake)
    ){rowless}""",
    """
    CREATE TABLE leases (
        area text NOT NULL,
        kind text NOT NULL,
        intake text NOT NULL,
        token bigint NOT NULL,
        expires_us bigint NOT NULL,
        PRIMARY KEY (area, kind)
    ){rowless}""",
    """
    CREATE TABLE outbox (
        id {serial},
        actor text NOT NULL,
        key text NOT NULL,
        position bigint NOT NULL,
        sent_at_us bigint
    )""",
    "CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at_us IS NULL",
    """
    CREATE TABLE secrets (
        name text NOT NULL,
        version integer NOT NULL,
        key {bytes} NOT NULL,
        created_us bigint NOT NULL,
        retired_us bigint,
        PRIMARY KEY (name, version)
    )""",
    """
    CREATE TABLE received_files (
        content text NOT NULL PRIMARY KEY,
        key_name text NOT NULL,
        key_version integer NOT NULL,
        size bigint NOT NULL,
        chunks integer NOT NULL,
        received_us bigint NOT NULL
    )""",
    """
    CREATE TABLE received_file_chunks (
        content text NOT NULL,
        no integer NOT NULL,
        data {bytes} NOT NULL,
        PRIMARY KEY (content, no)
    )""",
    """
    CREATE TABLE intake_reports (
        area text NOT NULL,
        content text NOT NULL,
        intake text NOT NULL,
        kind text NOT NULL,
        received_by text NOT NULL,
        received_us bigint NOT NULL,
        outcome text NOT NULL,
        accepted bigint NOT NULL,
        rejected bigint NOT NULL,
        posted bigint NOT NULL,
        already bigint NOT NULL,
        report {bytes} NOT NULL,
        PRIMARY KEY (area, content)
    )""",
)

_WORDS = {
    "sqlite": {
        "bytes": "BLOB",
        "number": "INTEGER",
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "rowless": " WITHOUT ROWID",
    },
    "postgresql": {
        "bytes": "bytea",
        "number": "bigint",
        "serial": "bigserial PRIMARY KEY",
        "rowless": "",
    },
}

# Times are shown in China's time zone, which has known no summer time since 1992.
_VIEW = {
    "sqlite": """
        CREATE VIEW audit_log AS
        SELECT e.rowid AS position, e.topic AS topic, e.originator_id AS stream,
               e.originator_version AS version,
               (SELECT strftime('%Y-%m-%dT%H:%M:%S+08:00', s.at_us / 1000000,
                                'unixepoch', '+8 hours')
                  FROM seals AS s WHERE s.last_position >= e.rowid
                 ORDER BY s.last_position LIMIT 1) AS committed_at,
               CAST(e.state AS TEXT) AS state
          FROM events AS e""",
    "postgresql": """
        CREATE VIEW audit_log AS
        SELECT e.notification_id AS position, e.topic AS topic,
               replace(CAST(e.originator_id AS text), '-', '') AS stream,
               e.originator_version AS version,
               (SELECT to_char(to_timestamp(s.at_us / 1000000) AT TIME ZONE 'UTC'
                               + interval '8 hours', 'YYYY-MM-DD"T"HH24\\:MI\\:SS+08:00')
                  FROM seals AS s WHERE s.last_position >= e.notification_id
                 ORDER BY s.last_position LIMIT 1) AS committed_at,
               convert_from(e.state, 'UTF8') AS state
          FROM events AS e""",
}

_KEPT = ("events", "seals", "idempotency")

#: REPLACE deletes without firing the delete trigger, so a row that is taken is refused beforehand.
_TAKEN = {
    "events": "rowid = NEW.rowid OR (originator_id = NEW.originator_id"
    " AND originator_version = NEW.originator_version)",
    "seals": "no = NEW.no OR last_position = NEW.last_position OR prev = NEW.prev"
    " OR digest = NEW.digest",
    "idempotency": "key = NEW.key OR seal_no = NEW.seal_no",
}


def _protect_on_sqlite(table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '账簿只增不改: the books only grow, {verb} on {table} "
            "is refused'); END"
        )
    op.execute(
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {_TAKEN[table]}) BEGIN "
        f"SELECT RAISE(ABORT, '账簿只增不改: the books only grow, this place in {table} "
        "is taken'); END"
    )


def _protect_on_postgresql(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION medfund_append_only()"
    )


def upgrade() -> None:
    """Create everything, with the genesis seal that the first commit's seal is chained to."""
    dialect = op.get_bind().dialect.name
    op.execute(_EVENTS[dialect])
    for statement in _TABLES:
        op.execute(statement.format(**_WORDS[dialect]))
    op.execute(_VIEW[dialect])
    literal = "'\\x{}'" if dialect == "postgresql" else "x'{}'"
    root, prev, digest = (literal.format(value) for value in (_ZERO, _ZERO, _GENESIS))
    op.execute(f"INSERT INTO seals VALUES (0, 0, 0, 0, 0, {root}, {prev}, {digest})")
    if dialect == "postgresql":
        op.execute(
            "CREATE FUNCTION medfund_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION '账簿只增不改: the books only grow, % on % is refused', "
            "TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$"
        )
    for table in _KEPT:
        (_protect_on_postgresql if dialect == "postgresql" else _protect_on_sqlite)(table)
