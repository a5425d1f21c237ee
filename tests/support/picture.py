"""Everything a book holds and answers, to be compared with another one byte for byte."""

import io
import sqlite3
import zipfile
from collections.abc import Iterable
from datetime import date
from typing import Any

import psycopg

from ledger.domain.period import Period
from ledger.verify import verify
from medfund.bootstrap import House, open_house
from medfund.settings import Settings
from medfund.tasks import run_pending
from projections.compare import compare
from projections.queries.balances import balances_document
from projections.queries.indicators import indicators_document
from projections.queries.intakes import intakes_document
from projections.queries.journal import journal_document
from projections.queries.monthly import monthly_figures
from projections.queries.obligations import obligations_document
from projections.queries.periods import periods_document
from projections.queries.statement import statement_figures
from projections.reports.csv import to_csv
from projections.reports.figures_table import balances_table, funds_table, indicators_table
from projections.reports.journal_table import journal_table
from projections.reports.statement import income_statement
from projections.reports.xlsx import to_xlsx

_TODAY = ("2024-03-05", "obligations")
DECEMBER = Period.parse("2023-12")
#: Leases are not among them: their tokens count how often somebody had to take over.
_TABLES = (
    "events",
    "seals",
    "idempotency",
    "books",
    "totals",
    "staged_totals",
    "open_intakes",
    "outbox",
    "secrets",
    "received_files",
    "received_file_chunks",
    "intake_reports",
)
#: What says when something was committed, or follows from it.
_TIMES = {"at_us", "prev", "digest", "created_us", "received_us", "sent_at_us", "report"}


def picture(url: str, *, times: bool = True) -> dict[str, Any]:
    """Take the whole picture of a book; without ``times`` what tells the moment of a commit is left out."""
    before = tables(url, ("events",))
    with open_house(Settings(database_url=url)) as house:
        run_pending(house)  # messages of finished work are taken; it adds nothing (asserted below)
        assert verify(house.ledger).ok
        house.catch_up()
        assert compare(house.ledger, house.reads)["equal"]
        answers = documents(house)
        reports = [
            {**one.report, "received_us": one.received_us if times else None}
            for one in house.vault.reports(house.area().code)
        ]
    held = tables(url, _TABLES, times=times)
    assert tables(url, ("events",)) == before
    reports.sort(key=lambda report: str(report["intake"]))
    return {"tables": held, "answers": answers, "files": files(answers), "reports": reports}


def tables(url: str, names: Iterable[str], *, times: bool = True) -> dict[str, list[Any]]:
    """Read tables around the product, each in the order of its values."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        file.row_factory = sqlite3.Row
        found = {name: list(map(dict, file.execute(f"SELECT * FROM {name}"))) for name in names}
        file.close()
    else:
        with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as server:
            found = {name: server.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    # Taken or not is what counts of a message: the picture's own clock has taken some. Its number
    # comes from a sequence, which a transaction that was broken off has moved on.
    for row in found.get("outbox", ()):
        del row["id"]
        row["sent_at_us"] = row["sent_at_us"] is not None
    left_out = set() if times else _TIMES
    kept = {
        name: [{key: row[key] for key in row.keys() - left_out} for row in rows]
        for name, rows in found.items()
    }
    return {name: sorted(rows, key=_by_values) for name, rows in kept.items()}


def _by_values(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


def documents(house: House) -> dict[str, Any]:
    """Ask for every kind of figure, as the commands do with ``--json``."""
    area, reads = house.area().code, house.reads
    figures = monthly_figures(reads, house.ledger, area=area)
    return {
        "balances": [
            balances_document(
                reads, house.ledger, area=area, as_of=date.fromisoformat(day), book=book
            )
            for day, book in (("2023-11-30", "cash"), ("2023-12-31", "cash"), _TODAY)
        ],
        "journal": journal_document(reads, area=area),
        "indicators": indicators_document(figures, period=DECEMBER),
        "obligations": obligations_document(reads, area=area),
        "months": periods_document(reads, area=area),
        "intakes": intakes_document(reads, area=area),
        "statements": [
            statement_figures(reads, house.ledger, area=area, fund=fund, period=DECEMBER)
            for fund in house.area().funds
        ],
    }


def files(answers: dict[str, Any]) -> dict[str, Any]:
    """Write the reports as the product does: CSV as it is, of a workbook every part but its date."""
    statements = [income_statement(one) for one in answers["statements"]]
    others = [
        *(balances_table(one, lang="zh") for one in answers["balances"]),
        indicators_table(answers["indicators"], lang="zh"),
        journal_table(answers["journal"], lang="zh"),
    ]
    workbook = [*statements, funds_table(answers["balances"][1], lang="zh")]
    with zipfile.ZipFile(io.BytesIO(to_xlsx(workbook))) as book:
        parts = {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}
    return {"csv": [to_csv(table) for table in [*workbook, *others]], "xlsx": parts}
