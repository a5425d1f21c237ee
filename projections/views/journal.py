"""凭证: every entry of the cash book as clerks know it, numbered without gaps per fund and month.

The number follows from the order of the log alone, so a rebuild gives the same numbers. An entry
that touches two funds is a voucher in each, as each fund is a book of its own (财会〔2017〕28号).
"""

from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, tuple_, update

from ledger.domain.fund import parent
from projections.page import Document, Page
from projections.tables import JournalTables
from projections.views.writing import add


class Series(NamedTuple):
    """One series of voucher numbers (凭证字号)."""

    area: str
    fund: str
    month: str


def apply(connection: Connection, tables: JournalTables, page: Page) -> None:
    """Write the vouchers of a page."""
    if not page.documents:
        return
    last = _last_numbers(connection, tables, page)
    vouchers: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    reversals: list[dict[str, int]] = []
    for document in page.documents:
        for fund in document.funds():
            series = Series(document.body.area, fund, document.body.booked_on[:7])
            last[series] = last.get(series, 0) + 1
            vouchers.append(_voucher(document, series, last[series]))
        lines.extend(_lines(document))
        if document.body.original_position is not None:
            reversals.append(
                {"original": document.body.original_position, "reversal": document.position}
            )
    add(connection, tables.vouchers, vouchers)
    add(connection, tables.voucher_lines, lines)
    if reversals:
        c = tables.vouchers.c
        mark = update(tables.vouchers).where(c.position == bindparam("original"))
        connection.execute(mark.values(reversed_by_position=bindparam("reversal")), reversals)


def _last_numbers(connection: Connection, tables: JournalTables, page: Page) -> dict[Series, int]:
    wanted = {(document.body.area, document.body.booked_on[:7]) for document in page.documents}
    c = tables.vouchers.c
    found = connection.execute(
        select(c.area, c.fund, c.month, func.max(c.number))
        .where(tuple_(c.area, c.month).in_(sorted(wanted)))
        .group_by(c.area, c.fund, c.month)
    )
    return {Series(*row[:3]): row[3] for row in found}


def _voucher(document: Document, series: Series, number: int) -> dict[str, Any]:
    body = document.body
    return {
        **series._asdict(),
        "number": number,
        "position": document.position,
        "topic": document.topic,
        "booked_on": body.booked_on,
        "date": body.date or body.booked_on,
        "doc_no": body.doc_no or body.run,
        "revision": body.revision,
        "item": body.item,
        "belongs_to": body.belongs_to,
        "counterparty": body.counterparty,
        "summary": body.summary,
        "attachments": body.attachments,
        "prepared_by": body.prepared_by,
        "intake": body.source.intake,
        "line": body.source.line,
        "reverses_position": body.original_position,
        "reversed_by_position": None,
    }


def _lines(document: Document) -> Iterator[dict[str, Any]]:
    lines = count(1)
    for posting in document.cash:
        for account, debit, credit in (
            (posting.debit, posting.fen, 0),
            (posting.credit, 0, posting.fen),
        ):
            yield {
                "position": document.position,
                "line": next(lines),
                "area": document.body.area,
                "voucher_fund": parent(posting.fund),
                "fund": posting.fund,
                "account": account,
                "debit_fen": debit,
                "credit_fen": credit,
                "party": posting.party,
            }
