"""Write a small book of this version for ``tests/data/stored``: what later versions must still open.

Run once for a release (``python tests/support/stored_books.py FOLDER``, tests on the path): the book
in both stores as SQL text, and what it says of itself. The folder is committed and never changed.
"""

import gzip
import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from support.office import H1, H2, Office, open_office
from support.services import fresh_database, require_postgres

from ledger.store import schema
from ledger.verify import verify

END = date(2024, 12, 31)
SQLITE, POSTGRES, SAID = "books.sqlite.sql.gz", "books.postgresql.sql.gz", "said.json"


def work(office: Office) -> None:
    """Do a little of everything that a bureau does."""
    office.setup("310", "390", "610")
    rows = [
        ("390", "opening_balance", "5000.00", "2024-01-01"),
        ("310.pooled", "opening_balance", "8000.00", "2024-01-01"),
        ("610", "opening_balance", "2000.00", "2024-01-01"),
        ("310.pooled", "contribution.employer", "900.00", "2024-01-10"),
        ("310.personal", "contribution.individual", "300.00", "2024-01-10"),
        ("310.pooled", "personal_credit", "100.00", "2024-01-11"),
        ("390", "subsidy.central", "700.00", "2024-01-12"),
        ("390", "benefit.inpatient", "80.01", "2024-01-20"),
        ("390", "interest", "1.37", "2024-01-31"),
        ("390", "contribution.individual", "250.00", "2024-02-02"),
        ("390", "remit_up", "12.00", "2024-02-03"),
        ("390", "prepayment", "60.00", "2024-02-04"),
    ]
    flows = [
        {"doc_no": f"D{n:03}", "fund": fund, "item": item, "amount": amount, "date": day}
        for n, (fund, item, amount, day) in enumerate(rows)
    ]
    flows += [
        {"fund": "390", "doc_no": "R1", "item": "recovery", "amount": "9.00", "date": "2024-02-05"}
        | {"original_year": "2024"},
        {"fund": "390", "doc_no": "R2", "item": "recovery", "amount": "7.00", "date": "2024-02-05"}
        | {"original_year": "2022"},
        {"fund": "390", "doc_no": "F1", "item": "fine_received", "amount": "50.00"}
        | {"date": "2024-02-06"},
        {"fund": "610", "doc_no": "A1", "item": "assisted_participation", "amount": "30.00"}
        | {"date": "2024-02-07", "counterparty_fund": "390"},
    ]
    office.bring_flows(flows)
    claims = [_claim(n) for n in range(40)]
    refund = {
        key: f"-{value}" if key.endswith(("amt", "pay")) else value
        for key, value in _claim(3).items()
    }
    office.bring_claims([*claims, refund | {"refd_setl_flag": "1"}])
    office.close("390", "2024-01")
    office.reopen("390", "2024-01")
    office.close("390", "2024-01")
    office.close("310", "2024-01")
    office.reverse("D009")
    office.bring_flows([{**flows[9], "amount": "260.00"}])
    office.request("390", "2024-02")


def _claim(n: int) -> dict[str, str]:
    return {
        "setl_id": f"S{n:03}",
        "psn_no": f"P{n % 7:04}",
        "insutype": "310" if n % 3 else "390",
        "fixmedins_code": H1 if n % 2 else H2,
        "setl_time": f"2024-{n % 2 + 1:02}-{n % 28 + 1:02} 09:00:00",
        "medfee_sumamt": "100.00",
        "fund_pay_sumamt": "70.00",
        "acct_pay": "10.00" if n % 3 else "0.00",
        "psn_cash_pay": "20.00" if n % 3 else "30.00",
    }


def said(office: Office) -> dict[str, Any]:
    """Give everything that a later version must still say of the book."""
    found = verify(office.ledger)
    return {
        "ok": found.ok,
        "events": found.events,
        "anchor": json.loads(found.anchor.to_json()),
        "cash": office.figures(END),
        "obligations": office.figures(END, book="obligations"),
        "facts": [
            [position, str(row.originator_id), row.originator_version, row.topic]
            for position, row in (
                (row.position, row) for row in office.ledger.log.read_page(after=0, limit=10_000)
            )
        ],
    }


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "books.db")
        schema.upgrade(f"sqlite:///{file}")
        with open_office(f"sqlite:///{file}", Path(scratch)) as office:
            work(office)
            (folder / SAID).write_text(json.dumps(said(office), ensure_ascii=False, indent=1))
        with closing(sqlite3.connect(file)) as book:
            text = "\n".join(book.iterdump())
        _keep(folder / SQLITE, text)
    with fresh_database(require_postgres()) as url, tempfile.TemporaryDirectory() as scratch:
        schema.upgrade(url)
        with open_office(url, Path(scratch)) as office:
            work(office)
        how = ["pg_dump", "--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"]
        done = subprocess.run([*how, f"--dbname={url}"], check=True, capture_output=True, text=True)
        lines = (line for line in done.stdout.splitlines() if not line.startswith("\\"))
        _keep(folder / POSTGRES, "\n".join(lines))


def _keep(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
