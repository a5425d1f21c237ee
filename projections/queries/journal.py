"""凭证序时簿: the vouchers of the cash book in the order of their numbers, with all their lines."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from ledger.domain.chart import account_name
from ledger.domain.fund import parent
from projections.follow import PositionBeyondLog
from projections.queries.periods import months_at
from projections.queries.scope import Scope, scope_of
from projections.store import Reading, ReadStore
from projections.views.months import REOPENING, SEALED

_Row = Mapping[str, Any]


def voucher_label(fund: str, month: str, number: int) -> str:
    """Write 凭证字号: ``310-2023-01-0001``."""
    return f"{fund}-{month}-{number:04d}"


def journal_document(
    store: ReadStore,
    *,
    area: str | None,
    fund: str | None = None,
    period: str | None = None,
    known_at: int | None = None,
    lang: str = "zh",
) -> dict[str, Any]:
    """Answer ``journal``: the vouchers of a month, or of all; of a sub-fund only its own lines.

    A voucher is reviewed and booked when its month is sealed: by who approved the close and by who
    sealed the month. Until then both are null.
    """
    with store.reading() as reading:
        scope = scope_of(reading, area=area, fund=fund)
        at = reading.position if known_at is None else known_at
        if not 0 <= at <= reading.position:
            raise PositionBeyondLog(position=at, last=reading.position)
        vouchers = _vouchers(reading, scope, period=period, at=at)
        lines = _lines(reading, scope, period=period, at=at, lang=lang)
        labels = _labels(reading, scope.area, vouchers)
        months = months_at(reading, area=scope.area, known_at=at)
        files = _files(reading, scope.area)
    shown = [
        _document(row, lines[row["position"], row["fund"]], labels, at=at)
        | _signed(months.get((row["fund"], row["month"])))
        | {"source": _source(row, files)}
        for row in vouchers
        if (row["position"], row["fund"]) in lines
    ]
    return {
        "position": reading.position,
        "known_at": known_at,
        "area": scope.area,
        "fund": fund,
        "period": period,
        "vouchers": shown,
        "totals": _totals(shown),
    }


def _vouchers(reading: Reading, scope: Scope, *, period: str | None, at: int) -> list[_Row]:
    table = reading.journal.vouchers
    funds = sorted({parent(leaf) for leaf in scope.leaves})
    wanted = [table.c.area == scope.area, table.c.fund.in_(funds), table.c.position <= at]
    wanted += [table.c.month == period] if period else []
    found = reading.connection.execute(
        select(table).where(*wanted).order_by(table.c.fund, table.c.month, table.c.number)
    )
    return [dict(row) for row in found.mappings()]


def _lines(
    reading: Reading, scope: Scope, *, period: str | None, at: int, lang: str
) -> dict[tuple[int, str], list[dict[str, Any]]]:
    voucher, line = reading.journal.vouchers.c, reading.journal.voucher_lines.c
    wanted = [line.area == scope.area, line.fund.in_(scope.leaves), line.position <= at]
    wanted += [voucher.month == period] if period else []
    found = reading.rows(
        select(
            line.position,
            line.voucher_fund,
            line.fund,
            line.account,
            line.debit_fen,
            line.credit_fen,
            line.party,
        )
        .join_from(
            reading.journal.voucher_lines,
            reading.journal.vouchers,
            (voucher.position == line.position) & (voucher.fund == line.voucher_fund),
        )
        .where(*wanted)
        .order_by(line.position, line.line)
    )
    lines: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in found:
        lines.setdefault((row.position, row.voucher_fund), []).append(
            {
                "fund": row.fund,
                "account": row.account,
                "account_name": account_name(row.account, lang),
                "debit_fen": row.debit_fen,
                "credit_fen": row.credit_fen,
                "party": row.party,
            }
        )
    return lines


def _labels(reading: Reading, area: str, vouchers: list[_Row]) -> dict[tuple[int, str], str]:
    """Name the vouchers that others reverse or are reversed by."""
    if not any(row["reverses_position"] or row["reversed_by_position"] for row in vouchers):
        return {}
    c = reading.journal.vouchers.c
    found = reading.rows(
        select(c.position, c.fund, c.month, c.number).where(
            c.area == area, c.reverses_position.is_not(None) | c.reversed_by_position.is_not(None)
        )
    )
    return {
        (row.position, row.fund): voucher_label(row.fund, row.month, row.number) for row in found
    }


def _files(reading: Reading, area: str) -> dict[str, str]:
    c = reading.intakes.intakes.c
    found = reading.rows(select(c.intake, c.file).where(c.area == area))
    return {row.intake: row.file for row in found}


def _document(
    row: _Row,
    lines: list[dict[str, Any]],
    labels: Mapping[tuple[int, str], str],
    *,
    at: int,
) -> dict[str, Any]:
    reversal = row["reversed_by_position"]
    return {
        "number": row["number"],
        "label": voucher_label(row["fund"], row["month"], row["number"]),
        "fund": row["fund"],
        "booked_on": row["booked_on"],
        "date": row["date"],
        "belongs_to": row["belongs_to"],
        "doc_no": row["doc_no"],
        "revision": row["revision"],
        "summary": row["summary"],
        "item": row["item"],
        "counterparty": row["counterparty"],
        "attachments": row["attachments"],
        "prepared_by": row["prepared_by"],
        "reverses": _other(row["reverses_position"], row["fund"], labels),
        "reversed_by": _other(
            reversal if reversal and reversal <= at else None, row["fund"], labels
        ),
        "position": row["position"],
        "lines": lines,
    }


def _other(
    position: int | None, fund: str, labels: Mapping[tuple[int, str], str]
) -> dict[str, Any] | None:
    if position is None:
        return None
    return {"position": position, "label": labels.get((position, fund))}


def _signed(month: _Row | None) -> dict[str, Any]:
    sealed = month is not None and month["state"] in (SEALED, REOPENING)
    return {
        "reviewed_by": month["approved_by"] if month and sealed else None,
        "booked_by": month["sealed_by"] if month and sealed else None,
    }


def _source(row: _Row, files: Mapping[str, str]) -> dict[str, Any]:
    return {
        "intake": row["intake"],
        "line": row["line"],
        "file": files.get(row["intake"]) if row["intake"] else None,
    }


def _totals(vouchers: list[dict[str, Any]]) -> dict[str, int]:
    lines = [line for voucher in vouchers for line in voucher["lines"]]
    return {
        "vouchers": len(vouchers),
        "lines": len(lines),
        "debit_fen": sum(line["debit_fen"] for line in lines),
        "credit_fen": sum(line["credit_fen"] for line in lines),
    }
