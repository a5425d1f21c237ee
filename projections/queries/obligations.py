"""应付定点机构: what institutions are owed by fund, month of care and 清算类别, and at which stage."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import func, select

from ledger.domain.chart import STAGES
from projections.page import OBLIGATION_COLUMNS, OBLIGATION_SUMS, OWED
from projections.queries.scope import Scope, scope_of
from projections.store import Reading, ReadStore

_COLUMN = {account: OBLIGATION_SUMS[at] for account, at in OBLIGATION_COLUMNS.items()}


class StageRow(NamedTuple):
    """What each account says of one institution, fund and month: credits less debits in fen."""

    area: str
    institution: str
    fund: str
    month: str
    by_account: Mapping[str, int]


def obligations_document(
    store: ReadStore,
    *,
    area: str | None,
    fund: str | None = None,
    institution: str | None = None,
    period: str | None = None,
) -> dict[str, Any]:
    """List obligations and, per institution and fund, what is still owed and at which stage.

    Only settlements are told apart by 清算类别: what is paid, refused, declared … stands on lines of
    their own that carry ``-``. ``period`` is the month of care (清算年月).
    """
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        table = reading.balances.claim_obligations
        wanted = [table.c.area == scope.area, table.c.fund.in_(scope.leaves)]
        wanted += [table.c.institution == institution] if institution else []
        wanted += [table.c.month == period] if period else []
        found = reading.connection.execute(
            select(table).where(*wanted).order_by(*table.primary_key)
        )
        rows = [dict(row) for row in found.mappings()]
        named = reading.setup.institutions.c
        registered = reading.rows(select(named.code, named.name).where(named.area == scope.area))
        remote = [] if period else list(_remote(reading, scope, institution))
    names: dict[str, str] = {row.code: row.name for row in registered}
    return {
        "position": reading.position,
        "area": scope.area,
        "obligations": [row | {"name": names.get(row["institution"])} for row in rows],
        "institutions": _totals(rows, names),
        "remote": [row | {"name": names.get(row["party"])} for row in remote],
    }


def _remote(reading: Reading, scope: Scope, party: str | None) -> Iterator[dict[str, Any]]:
    """List what is owed to other places, and to institutions for people insured elsewhere (异地就医)."""
    c = reading.balances.party_movements.c
    keys = (c.fund, c.account, c.party)
    sums = (func.sum(c.debit_fen).label("paid"), func.sum(c.credit_fen).label("raised"))
    asked = select(*keys, *sums).where(
        c.area == scope.area,
        c.fund.in_(scope.leaves),
        c.account.in_(("owed.passthrough", "owed.remote")),
    )
    asked = asked.where(c.party == party) if party else asked
    for row in reading.connection.execute(asked.group_by(*keys).order_by(*keys)):
        owed = {"paid_fen": int(row.paid), "owed_fen": int(row.raised - row.paid)}
        yield {"fund": row.fund, "account": row.account, "party": row.party, **owed}


def owed_by_stage(
    store: ReadStore, *, area: str, fund: str, institution: str, month: str
) -> dict[str, int]:
    """Give what a leaf fund owes an institution for a month, in fen by stage (``owed.*``)."""
    with store.reading() as reading:
        found = list(
            stage_rows(reading, area=area, fund=fund, institution=institution, month=month)
        )
    by_account = found[0].by_account if found else {}
    return {stage: by_account.get(stage, 0) for stage in STAGES}


def stage_rows(reading: Reading, **only: str) -> Iterator[StageRow]:
    """Sum obligations by area, institution, fund and month; ``only`` names columns and values."""
    table = reading.balances.claim_obligations
    keys = [table.c[name] for name in ("area", "institution", "fund", "month")]
    sums = [func.sum(table.c[name]).label(name) for name in OBLIGATION_SUMS]
    asked = select(*keys, *sums).where(*(table.c[name] == is_ for name, is_ in only.items()))
    for row in reading.connection.execute(asked.group_by(*keys)).mappings():
        whole = {name: int(row[name]) for name in OBLIGATION_SUMS}
        yield StageRow(
            area=row["area"],
            institution=row["institution"],
            fund=row["fund"],
            month=row["month"],
            by_account=by_account(whole),
        )


def by_account(sums: Mapping[str, int]) -> dict[str, int]:
    """Give every account's amount; what settlements raised and no account took is only booked."""
    moved = {account: sums[name] for account, name in _COLUMN.items()}
    return {OWED: sums["booked_fen"] - sum(moved.values()), **moved}


def _totals(rows: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    totals: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        key = (row["institution"], row["fund"])
        sums = totals.setdefault(key, dict.fromkeys(OBLIGATION_SUMS, 0))
        for name in OBLIGATION_SUMS:
            sums[name] += row[name]
    return [
        {
            "institution": institution,
            "name": names.get(institution),
            "fund": fund,
            **sums,
            **_standing(sums),
        }
        for (institution, fund), sums in sorted(totals.items())
    ]


def _standing(sums: Mapping[str, int]) -> dict[str, int]:
    """Say what is owed, the sum of all stages, and what of it is not declared yet."""
    amounts = by_account(sums)
    return {
        "undeclared_fen": amounts[OWED],
        "owed_fen": sum(amounts[stage] for stage in STAGES),
    }
