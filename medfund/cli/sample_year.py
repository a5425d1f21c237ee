"""``demo --year``: a sample city's year, from files of claims to what every institution is due.

Every step goes through the ordinary doors and can be done twice: killed anywhere and run again, the
demo goes on where the book stands. Another seed or number of claims begins another book.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ledger.archive.read import Archive
from ledger.archive.write import bring_up_to
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.store import schema
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.demo.year import CLEARED_FUNDS, SampleYear, is_made, write_sample_year
from medfund.settings import Settings
from settlement.clearing.engines.duckdb import DuckDBEngine
from settlement.clearing.month_document import month_document
from settlement.clearing.policy_file import read_policy
from settlement.clearing.provisional import ask, clear_month, policy_of_month
from settlement.intake.bring_in import Desk, bring_in
from settlement.policies import approve_policy, load_policies, propose
from settlement.setup import apply_setup
from settlement.setup_file import read_setup

CLAIMS = 1_000_000
_MEMORY_MIB = 400
Step = Callable[[str, str], None]


def run_year(session: Session, *, seed: int, claims: int, folder: Path, months: int) -> None:
    """Make the city's files where they are not there, and settle its year."""
    files, database = folder / "year", folder / "year.db"
    if not is_made(files, seed=seed, claims=claims):
        _begin_anew(files, database)
    started, output = time.monotonic(), session.output

    def step(zh: str, en: str) -> None:
        output.line(f"[{time.monotonic() - started:6.1f} s] {output.say(zh, en)}")

    with output.progress("claims") as progress:
        sample = write_sample_year(files, seed=seed, claims=claims, progress=progress)
    step(f"样例文件 {claims:,} 笔结算:{files}", f"{claims:,} settlements written to {files}")
    settings = book_of(session.settings, database)
    schema.upgrade(settings.database_url)
    city = Session(settings, user="clerk1", area=None, output=output)
    with city.house() as house:
        _found(house, sample)
        step("建账,政策已批准", "area set up, policies in force")
        documents = list(_months(city, house, sample.claims_files[:months], step))
    _show_year(city, documents)
    _say_next(city, database, sample)


def book_of(settings: Settings, database: Path) -> Settings:
    """Give the settings of a demo's own book: one file, worked in this process."""
    chosen = {"database_url": f"sqlite:///{database}", "broker_url": None, "archive": None}
    return settings.model_copy(update=chosen)


def _begin_anew(files: Path, database: Path) -> None:
    """Take away what another seed has left."""
    shutil.rmtree(files, ignore_errors=True)
    shutil.rmtree(f"{database}.archive", ignore_errors=True)
    for old in database.parent.glob(f"{database.name}*"):
        old.unlink()


def _found(house: House, sample: SampleYear) -> None:
    """Set the city up, and have its policies proposed and approved by two people."""
    apply_setup(house.ledger, read_setup(sample.setup), user="admin1")
    area = house.area()
    for path in sample.policies:
        version = propose(house.ledger, area, read_policy(path), user="clerk1")
        if version.state == "waiting":
            approve_policy(house.ledger, area, policy=version.id, user="reviewer1")


def _months(
    session: Session, house: House, files: Sequence[Path], step: Step
) -> Iterator[dict[str, Any]]:
    for path in files:
        period = Period.parse(path.stem.removeprefix("claims-"))
        rows = _bring(session, house, path)
        said = [f"{period}  {rows:>7,}"]
        for fund in CLEARED_FUNDS:
            document = _cleared(house, fund, period)
            said.append(_in_short(document))
            yield document
        step("  ".join(said), "  ".join(said))


def _bring(session: Session, house: House, path: Path) -> int:
    with session.output.progress(path.name) as progress:
        desk = Desk(
            ledger=house.ledger,
            vault=house.vault,
            area=house.area(),
            user="clerk1",
            today=house.today(),
            lease_seconds=session.settings.lease_seconds,
            progress=progress,
            wait=lambda: time.sleep(0.2),
        )
        outcome = bring_in(path, desk)
    if outcome.refused:
        session.exit_code = 2
        for rejection in outcome.rejections[:5]:
            session.output.note(f"{path.name}:{rejection.line} {rejection.message()}")
    return outcome.posted + outcome.already


def _cleared(house: House, fund: str, period: Period) -> dict[str, Any]:
    """Compute what the institutions are due for a month."""
    area, log = house.area(), house.ledger.log
    watermark = log.last_position()
    bring_up_to(log, house.archive, position=watermark)
    chosen = policy_of_month(load_policies(house.ledger, area.code), fund, period)
    question = ask(
        Archive(house.archive),
        DuckDBEngine(memory_mib=_MEMORY_MIB),
        area=area.code,
        fund=fund,
        period=period,
        watermark=watermark,
    )
    names = {code: name for code, (name, _) in area.institutions.items()}
    return month_document(
        clear_month(question, chosen), area=area.code, fund=fund, period=str(period), names=names
    )


def _in_short(document: dict[str, Any]) -> str:
    total, points = document["total"], document["points"]
    return (
        f"{document['fund']} {total['cases']:,}"
        f"  {format_yuan(total['booked_fen'])} → {format_yuan(total['due_fen'])}"
        f"  @{points['value'] if points else '-'}"
    )


def _show_year(session: Session, documents: list[dict[str, Any]]) -> None:
    """Print the year by fund: what was booked and what is due."""
    output = session.output
    heads = output.say("险种|例数|挂起|记账|应付", "fund|cases|held back|booked|due").split("|")
    rows = []
    for fund in CLEARED_FUNDS:
        mine = [one for one in documents if one["fund"] == fund]
        rows.append(
            (
                fund,
                f"{sum(one['total']['cases'] for one in mine):,}",
                f"{sum(one['cases']['held_back'] for one in mine):,}",
                format_yuan(sum(one["total"]["booked_fen"] for one in mine)),
                format_yuan(sum(one["total"]["due_fen"] for one in mine)),
            )
        )
    output.table(heads, rows, right=range(1, 5))


def _say_next(session: Session, database: Path, sample: SampleYear) -> None:
    output, book = session.output, f"./run medfund --db sqlite:///{database}"
    output.line(output.say(f"账簿:{database}", f"The book: {database}"))
    output.line(output.say("下一步:", "Next:"))
    output.line(f"  {book} clear {sample.year}-06 --fund 310.pooled --dry-run")
    output.line(f"  {book} obligations --institution H{sample.area}00001")
    output.line(f"  {book} serve")
