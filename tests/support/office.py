"""A bureau at work on one book: files in over the counter, months closed by two people, figures out."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.aggregates.month import Month
from ledger.application import FundLedger
from ledger.domain.period import Period
from ledger.store.vault import Vault
from ledger.verify import verify
from projections.compare import compare
from projections.follow import bring_up_to
from projections.queries.balances import balances_document
from projections.store import ReadStore
from settlement import closing
from settlement.corrections import Reversal, reverse_fact, reverse_intake
from settlement.intake.bring_in import Desk, Outcome, bring_in
from settlement.setup import SetupResult, apply_setup, load_area
from settlement.setup_file import SetupFile

AREA = "330604"
H1, H2 = "H33060400001", "H33060400002"
CLERK, REVIEWER, ADMINISTRATOR = "clerk1", "reviewer1", "admin1"
USERS = {CLERK: "clerk", REVIEWER: "reviewer", ADMINISTRATOR: "administrator"}
INSTITUTIONS = {H1: "第一人民医院", H2: "中医医院"}
#: What a settlement's row cannot do without beside who, where, when and how much.
_CLAIM = {"psn_no": "P0001", "med_type": "21", "clr_type": "21", "insutype": "310"}


class Office:
    """The people and doors of one bureau; every step goes through the use-case of the product."""

    def __init__(
        self, ledger: FundLedger, reads: ReadStore, vault: Vault, *, folder: Path, today: date
    ) -> None:
        self.ledger = ledger
        self.reads = reads
        self.vault = vault
        self.folder = folder
        self.today = today
        self._files = 0

    @property
    def area(self) -> Any:
        return load_area(self.ledger, AREA)

    @property
    def position(self) -> int:
        return self.ledger.log.last_position()

    def setup(self, *funds: str, **options: Any) -> SetupResult:
        """Found the area with its funds, two hospitals, a clerk, a reviewer, an administrator."""
        file = SetupFile.model_validate(
            {
                "area": {"code": AREA, "name": "上虞区", "funds": list(funds), **options},
                "users": [{"name": name, "roles": [role]} for name, role in USERS.items()],
                "institutions": [
                    {"code": code, "name": name, "level": 3} for code, name in INSTITUTIONS.items()
                ],
            }
        )
        return apply_setup(self.ledger, file, user=ADMINISTRATOR)

    def bring_flows(self, rows: Iterable[Mapping[str, str]], **how: Any) -> Outcome:
        """Bring ``fund_flows`` rows in as a file."""
        return self._bring("fund_flows", [{"area": AREA, **row} for row in rows], how)

    def bring_claims(self, rows: Iterable[Mapping[str, str]], **how: Any) -> Outcome:
        """Bring ``claims`` rows in as a file."""
        return self._bring("claims", [_CLAIM | row for row in rows], how)

    def write_file(self, name: str, rows: list[dict[str, str]]) -> Path:
        """Write rows as a clerk's CSV file."""
        path = self.folder / name
        heads = list(dict.fromkeys(head for row in rows for head in row))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, heads, restval="")
            writer.writeheader()
            writer.writerows(rows)
        return path

    def bring(self, path: Path, *, kind: str | None = None, **how: Any) -> Outcome:
        """Bring a file in at the counter."""
        desk = Desk(
            ledger=self.ledger,
            vault=self.vault,
            area=self.area,
            user=CLERK,
            today=self.today,
            wait=lambda: None,
            archive=self.folder / "office.archive",
            **how,
        )
        return bring_in(path, desk, kind=kind)

    def _bring(self, kind: str, rows: list[dict[str, str]], how: dict[str, Any]) -> Outcome:
        self._files += 1
        return self.bring(self.write_file(f"{kind}-{self._files}.csv", rows), kind=kind, **how)

    def reverse(self, ref: str, reason: str = "错账") -> Reversal:
        """红字冲销 of one document or settlement."""
        return reverse_fact(self.ledger, self.area, ref=ref, reason=reason, user=CLERK)

    def reverse_whole(self, intake: str, reason: str = "文件有误") -> Reversal:
        """整批冲销 of an intake."""
        return reverse_intake(self.ledger, self.area, intake=intake, reason=reason, user=CLERK)

    def request(self, fund: str, period: str) -> str:
        """Request a close and compute it, up to the plan that waits for its reviewer."""
        month = closing.request_close(
            self.ledger,
            self.area,
            fund=fund,
            period=Period.parse(period),
            user=CLERK,
            today=self.today,
        )
        closing.compute_close(self.ledger, self.area, run=month.run or "")
        return month.run or ""

    def approve(self, run: str) -> Month:
        """Let the reviewer approve, and do what follows."""
        closing.approve(self.ledger, self.area, run=run, user=REVIEWER)
        if "-reopen-" in run:
            return closing.month_of_run(self.ledger, self.area, run)
        return closing.post_close(self.ledger, self.area, run=run)

    def reject(self, run: str, reason: str = "请核对") -> Month:
        return closing.reject(self.ledger, self.area, run=run, reason=reason, user=REVIEWER)

    def close(self, fund: str, period: str) -> Month:
        return self.approve(self.request(fund, period))

    def ask_to_reopen(self, fund: str, period: str, reason: str = "补记") -> str:
        month = closing.request_reopening(
            self.ledger,
            self.area,
            fund=fund,
            period=Period.parse(period),
            reason=reason,
            user=CLERK,
        )
        return month.run or ""

    def reopen(self, fund: str, period: str) -> Month:
        return self.approve(self.ask_to_reopen(fund, period))

    def month(self, fund: str, period: str) -> Month:
        return closing.load_month(self.ledger, AREA, fund, Period.parse(period))

    def figures(self, as_of: date, *, book: str = "cash") -> dict[str, Any]:
        """Answer ``balances`` on a day, from read models that know everything recorded."""
        bring_up_to(self.ledger, self.reads, self.position)
        return balances_document(self.reads, self.ledger, area=AREA, as_of=as_of, book=book)

    def balances(self, as_of: date, *, book: str = "cash") -> dict[tuple[str, str], int]:
        """Give debit − credit in fen of every account that is not nil."""
        return {
            (row["fund"], row["account"]): row["balance_fen"]
            for row in self.figures(as_of, book=book)["balances"]
            if row["balance_fen"]
        }

    def assert_sound(self) -> None:
        """Nothing in log, seals, guards and read models contradicts anything else."""
        verified = verify(self.ledger)
        assert verified.ok, verified.findings
        compared = compare(self.ledger, self.reads)
        assert compared["equal"], compared["differences"]


class Ticking:
    """A clock that goes one second further each time it is read."""

    def __init__(self) -> None:
        self.moment = datetime(2024, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@contextmanager
def open_office(url: str, folder: Path, *, today: date = date(2024, 7, 1)) -> Iterator[Office]:
    """Open the book and its read models, as the product does, but for clock and random keys."""
    clock = Ticking()
    with FundLedger(url, clock=clock) as ledger:
        reads = ReadStore.open(url)
        vault = Vault(reads.engine, clock=clock, new_key=lambda: bytes(32))
        try:
            yield Office(ledger, reads, vault, folder=folder, today=today)
        finally:
            reads.close()
