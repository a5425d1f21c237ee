"""The tables of the read models, one set per generation (``movements_g1``, ``movements_g2`` …).

They can all be thrown away: the log is the truth, and a rebuild makes them again beside the ones in
use (``projections.rebuild``). Amounts are integer fen, months ``YYYY-MM`` and dates ``YYYY-MM-DD``
as text. ``known_from`` is the log position from which a row counts on the known axis.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from projections.page import OBLIGATION_SUMS

STATE_TABLE = "projection_state"


def _table(name: str, generation: int, *columns: Column[Any]) -> Table:
    # WITHOUT ROWID keeps a row of SQLite in its key's own tree: half the pages for tables like these.
    return Table(f"{name}_g{generation}", MetaData(), *columns, sqlite_with_rowid=False)


def _sums(name: str, generation: int, *columns: Column[Any]) -> Table:
    """Name a table whose rows are added to page after page."""
    table = _table(name, generation, *columns)
    # With half of each block free PostgreSQL changes a row within its block and leaves the index
    # alone: half the time per row.
    table.dialect_options["postgresql"]["with"] = {"fillfactor": 50}
    return table


def _key(name: str) -> Column[Any]:
    return Column(name, Text, primary_key=True)


def _key_number(name: str) -> Column[Any]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _text(*names: str) -> Iterator[Column[Any]]:
    return (Column(name, Text) for name in names)


def _number(*names: str) -> Iterator[Column[Any]]:
    return (Column(name, BigInteger) for name in names)


def _json() -> JSON:
    # Of PostgreSQL's two JSON types only the binary one can be compared.
    return JSON().with_variant(JSONB(), "postgresql")


def _sum(*names: str) -> Iterator[Column[Any]]:
    return (Column(name, BigInteger, nullable=False) for name in names)


#: Which generation of each view is in use (``live``), being made (``building``) or to be dropped
#: (``retired``), up to which log position it has come, and the shape its tables were made in.
STATE = Table(
    STATE_TABLE,
    MetaData(),
    _key("view"),
    _key_number("generation"),
    Column("status", Text, nullable=False),
    *_sum("position"),
    Column("shape", Text),
)


@dataclass(frozen=True)
class Tables:
    """The tables of one view in one generation."""

    def all(self) -> tuple[Table, ...]:
        """List them in the order they are declared."""
        return tuple(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True)
class BalanceTables(Tables):
    """Sums of postings. ``month_sums`` are ``movements`` by month, without the known axis.

    ``staged_*`` wait for their claims intake (``claim_intakes``) to be completed. ``openings`` names
    the opening facts, so that a reversal of one is known as such.
    """

    movements: Table
    month_sums: Table
    party_movements: Table
    care_movements: Table
    claim_obligations: Table
    staged_movements: Table
    staged_parties: Table
    staged_obligations: Table
    claim_intakes: Table
    openings: Table


@dataclass(frozen=True)
class JournalTables(Tables):
    """Vouchers (凭证) of the cash book and their lines."""

    vouchers: Table
    voucher_lines: Table


@dataclass(frozen=True)
class MonthTables(Tables):
    """Accounting months (账期) as they stand, and every step that led there."""

    periods: Table
    month_steps: Table


@dataclass(frozen=True)
class IntakeTables(Tables):
    """What was brought in (导入批次)."""

    intakes: Table


@dataclass(frozen=True)
class ClearingTables(Tables):
    """Clearing runs (清算批次) as they stand, a line for each institution; cases grouped afterwards.

    ``reconciled_*`` are the latest recorded reconciliation of each month with the institutions.
    """

    clearing_runs: Table
    clearing_lines: Table
    regrouped_cases: Table
    reconciled_funds: Table
    reconciled_institutions: Table


@dataclass(frozen=True)
class SetupTables(Tables):
    """The areas' setup (基础设置) as it stands."""

    areas: Table
    funds: Table
    institutions: Table
    users: Table
    targets: Table
    policies: Table
    tokens: Table


#: A day's movements of an area lie together, so that a part of a month is one short stretch.
_MOVEMENT = ("area", "booked_on", "fund", "account", "nature")
_MONTH_SUM = ("area", "fund", "account", "booked_month", "nature")
_PARTY = ("area", "fund", "account", "party", "booked_month")
_OBLIGATION = ("area", "institution", "fund", "month", "clr_type")
_SIDES = ("debit_fen", "credit_fen")


@cache
def balance_tables(generation: int) -> BalanceTables:
    """Name the tables of balances in a generation."""
    g = generation
    return BalanceTables(
        movements=_sums(
            "movements",
            g,
            *map(_key, _MOVEMENT),
            _key_number("known_from"),
            *_sum(*_SIDES, "lines"),
        ),
        month_sums=_sums("month_sums", g, *map(_key, _MONTH_SUM), *_sum(*_SIDES, "lines")),
        party_movements=_sums(
            "party_movements", g, *map(_key, _PARTY), _key_number("known_from"), *_sum(*_SIDES)
        ),
        care_movements=_sums(
            "care_movements",
            g,
            *map(_key, ("area", "fund", "account", "booked_month", "belongs_to")),
            _key_number("known_from"),
            *_sum(*_SIDES),
        ),
        claim_obligations=_sums(
            "claim_obligations", g, *map(_key, _OBLIGATION), *_sum(*OBLIGATION_SUMS)
        ),
        staged_movements=_sums(
            "staged_movements", g, _key("intake"), *map(_key, _MOVEMENT), *_sum(*_SIDES, "lines")
        ),
        staged_parties=_sums(
            "staged_parties", g, _key("intake"), *map(_key, _PARTY), *_sum(*_SIDES)
        ),
        staged_obligations=_sums(
            "staged_obligations",
            g,
            _key("intake"),
            *map(_key, _OBLIGATION),
            *_sum(*OBLIGATION_SUMS),
        ),
        claim_intakes=_table(
            "claim_intakes",
            g,
            *map(_key, ("area", "intake")),
            _key_number("started_position"),
            Column("completed_position", BigInteger),
        ),
        openings=_table("openings", g, _key_number("position"), Column("nature", Text)),
    )


@cache
def journal_tables(generation: int) -> JournalTables:
    """Name the tables of the journal in a generation."""
    return JournalTables(
        vouchers=_table(
            "vouchers",
            generation,
            *map(_key, ("area", "fund", "month")),
            _key_number("number"),
            Column("position", BigInteger, nullable=False, index=True),
            *_text("topic", "booked_on", "date", "doc_no"),
            *_number("revision"),
            *_text("item", "belongs_to", "counterparty", "summary"),
            *_number("attachments"),
            *_text("prepared_by", "intake"),
            *_number("line", "reverses_position", "reversed_by_position"),
        ),
        voucher_lines=_table(
            "voucher_lines",
            generation,
            _key_number("position"),
            _key_number("line"),
            *_text("area", "voucher_fund", "fund", "account"),
            *_sum(*_SIDES),
            *_text("party"),
        ),
    )


@cache
def month_tables(generation: int) -> MonthTables:
    """Name the tables of accounting months in a generation."""
    return MonthTables(
        periods=_table(
            "periods",
            generation,
            *map(_key, ("area", "fund", "period")),
            *_text(
                "state",
                "run",
                "close_run",
                "requested_by",
                "computed_by",
                "approved_by",
                "sealed_by",
            ),
            *_text("plan_hash"),
            *_number("cutoff_position", "sealed_position"),
            *_text("sealed_digest", "reason", "reopen_requested_by"),
            *_number("position"),
        ),
        month_steps=_table(
            "month_steps",
            generation,
            _key_number("position"),
            *_text("area", "fund", "period", "run", "step", "by", "plan_hash"),
            *_number("cutoff_position", "sealed_position"),
            *_text("sealed_digest", "reason", "requested_by"),
        ),
    )


@cache
def intake_tables(generation: int) -> IntakeTables:
    """Name the tables of intakes in a generation."""
    return IntakeTables(
        intakes=_table(
            "intakes",
            generation,
            _key("area"),
            _key("intake"),
            *_text("kind", "file", "content", "by", "state"),
            *_number("accepted", "rejected", "posted", "already"),
            *_number("first_position", "last_position", "started_position"),
            *_number("completed_position", "reversed_position", "reversed_rows"),
            *_text("reason"),
        )
    )


#: What a clearing line is added up in: all of the whole month, but what is settled.
CLEARING_SUMS = (
    *("settled_fen", "payable_fen", "due_fen", "due_booked_fen"),
    *("due_cases", "pointed_cases", "points4", "pointed_cost_fen", "unmatched_cases"),
)


#: What a recorded reconciliation (对账结果) says of an institution's fund, and of its settlements.
FUND_SUMS = ("compared", "even", "ours_fen", "apart_fen", "untold")
LIST_SUMS = ("stated", "listed", "right")


@cache
def clearing_tables(generation: int) -> ClearingTables:
    """Name the tables of clearing runs in a generation."""
    run = ("area", "fund", "period", "run")
    return ClearingTables(
        clearing_runs=_table(
            "clearing_runs",
            generation,
            *map(_key, run),
            *_sum("number"),
            *_text("state", "by", "decided_by", "policy", "policy_hash", "basis", "point_value"),
            *_sum("position"),
        ),
        clearing_lines=_table(
            "clearing_lines",
            generation,
            *map(_key, run),
            _key("institution"),
            *_sum("has_due", *CLEARING_SUMS),
        ),
        regrouped_cases=_table(
            "regrouped_cases",
            generation,
            *map(_key, ("area", "setl_id")),
            *_text("institution", "period"),
        ),
        reconciled_funds=_table(
            "reconciled_funds",
            generation,
            *map(_key, ("area", "period", "institution", "fund")),
            *_sum(*FUND_SUMS),
        ),
        reconciled_institutions=_table(
            "reconciled_institutions",
            generation,
            *map(_key, ("area", "period", "institution")),
            *_sum(*LIST_SUMS),
        ),
    )


@cache
def setup_tables(generation: int) -> SetupTables:
    """Name the tables of the areas' setup in a generation."""

    def current(name: str, keys: tuple[str, ...], *columns: Column[Any]) -> Table:
        return _table(name, generation, *map(_key, keys), *columns, *_sum("position"))

    return SetupTables(
        areas=current("areas", ("area",), *_text("name"), Column("options", _json())),
        funds=current("funds", ("area", "fund"), *_text("first_month")),
        institutions=current("institutions", ("area", "code"), *_text("name"), *_number("level")),
        users=current("users", ("area", "user"), Column("roles", _json())),
        targets=current(
            "targets",
            ("area", "indicator", "fund", "year"),
            *_text("at_most", "at_least"),
        ),
        policies=current("policies", ("area", "name", "effective"), Column("content", _json())),
        tokens=current("tokens", ("area", "name"), *_text("role", "token_hash"), *_sum("revoked")),
    )


#: View → how its tables are named in a generation. A view is rebuilt and switched as a whole.
VIEW_TABLES: dict[str, Callable[[int], Tables]] = {
    "balances": balance_tables,
    "journal": journal_tables,
    "months": month_tables,
    "intakes": intake_tables,
    "clearing": clearing_tables,
    "setup": setup_tables,
}

#: Raised when what is written into a view's tables changes while their columns do not.
_CONTENT = {"balances": 1, "journal": 1, "months": 1, "intakes": 1, "clearing": 1, "setup": 1}


@cache
def shape_of(view: str) -> str:
    """Give the fingerprint of how this version writes a view: tables, columns, keys, content.

    A generation that was made in another shape can be neither read nor added to; it is rebuilt.
    """
    said = [f"{view} {_CONTENT[view]}"]
    for table in VIEW_TABLES[view](0).all():
        keys = [column.name for column in table.primary_key]
        columns = [f"{column.name} {column.type}" for column in table.c]
        said.append(f"{table.name} {columns} {keys}")
    return sha256("\n".join(said).encode()).hexdigest()[:16]
