"""``demo --year``: a sample city's year, from files of claims to what every institution is due.

Every step goes through the ordinary doors and can be done twice: killed anywhere and run again, the
demo goes on where the book stands. Another seed or number of claims begins another book.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.aggregates.clearing import APPROVED
from ledger.archive.write import bring_up_to
from ledger.domain.fund import fund_name
from ledger.domain.money import format_yuan
from ledger.domain.period import Period, Year
from ledger.store import schema
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.statements import statement_of
from medfund.cli.year_steps import LEAVES, SHOWN, Desk, settle_month, settle_year
from medfund.demo.city import YEAR
from medfund.demo.year import SampleYear, is_made, write_sample_year
from medfund.settings import Settings
from projections.queries.obligations import obligations_document
from projections.reports.pdf import to_pdf
from settlement.clearing.policies.file import read_policy
from settlement.intake.bring_in import Desk as IntakeDesk
from settlement.intake.bring_in import bring_in
from settlement.month_runs import load_clearing
from settlement.policies import approve_policy, propose
from settlement.setup import apply_setup
from settlement.setup_file import read_setup

CLAIMS = 1_000_000
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
        _found(city, house, sample)
        step("建账,政策已批准", "area set up, policies in force")
        _months(city, house, sample.claims_files[:months], step)
        if months == len(sample.claims_files):
            _bring(city, house, sample.assessments)
            # What the year brings is paid in February, when January's own payments are through.
            settle_year(Desk(house, Period(sample.year + 1, 1)), Year(sample.year))
            step(f"{sample.year} 年度清算", f"{sample.year} cleared")
        _show_year(city, house, months)
        _print_statement(city, house, folder, Period(sample.year, (months + 1) // 2))
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


def _found(session: Session, house: House, sample: SampleYear) -> None:
    """Set the city up, and have its policies proposed and approved by two people."""
    apply_setup(house.ledger, read_setup(sample.setup), user="admin1")
    _bring(session, house, sample.flows)
    area = house.area()
    for path in sample.policies:
        version = propose(house.ledger, area, read_policy(path), user="clerk1")
        if version.state == "waiting":
            approve_policy(house.ledger, area, policy=version.id, user="reviewer1")


def _months(session: Session, house: House, files: Sequence[Path], step: Step) -> None:
    """Bring month after month in, settle and pay it, and say what became of it."""
    for path in files:
        desk = Desk(house, Period.parse(path.stem.removeprefix("claims-")))
        rows = _bring(session, house, path)
        settle_month(desk)
        said = [f"{desk.month}  {rows:>7,}"]
        said += [f"{fund} {format_yuan(_payable(house, fund, desk.month))}" for fund in LEAVES]
        step("  ".join(said), "  ".join(said))


def _payable(house: House, fund: str, month: Period) -> int:
    runs = load_clearing(house.ledger, house.area().code, fund, str(month)).runs
    return sum(
        line.payable_fen for run in runs if run.state == APPROVED for line in run.computed.lines
    )


def _bring(session: Session, house: House, path: Path) -> int:
    with session.output.progress(path.name) as progress:
        desk = IntakeDesk(
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


def _show_year(session: Session, house: House, months: int) -> None:
    """Print the year by fund: what was booked, taken off and paid, beside what is due."""
    output = session.output
    house.catch_up()
    found = obligations_document(house.reads, area=None)["institutions"]
    heads = output.say(
        "险种|结算|记账|拒付|保证金|已拨付|未拨付(负为应退)|按政策应付",
        "fund|settlements|booked|refused|deposit|paid|owed (below nil: owed back)|due by the policies",
    )
    rows = []
    for fund in LEAVES:
        mine = [one for one in found if one["fund"] == fund]
        sums = {
            name: sum(one[name] for one in mine)
            for name in ("booked_fen", "refused_fen", "deposit_fen", "paid_fen", "owed_fen")
        }
        sums["owed_fen"] -= sums["deposit_fen"]
        due = sum(_due(house, fund, Period(YEAR, month)) for month in range(1, months + 1))
        rows.append(
            (
                f"{fund} {fund_name(fund, output.lang)}",
                f"{sum(one['settlements'] + one['refunds'] for one in mine):,}",
                *map(format_yuan, sums.values()),
                format_yuan(due) if due else "-",
            )
        )
    output.table(heads.split("|"), rows, right=range(1, 8))


def _due(house: House, fund: str, month: Period) -> int:
    runs = load_clearing(house.ledger, house.area().code, fund, str(month)).runs
    approved = [run for run in runs if run.state == APPROVED]
    return sum(line.due_fen or 0 for run in approved[-1:] for line in run.computed.lines)


def _print_statement(session: Session, house: House, folder: Path, month: Period) -> None:
    """Print one hospital's statement: its way from claims to the bank's line."""
    bring_up_to(house.ledger.log, house.archive)
    tables = statement_of(session, house, str(month), LEAVES[0], SHOWN)
    target = folder / f"settlement-{month}-{SHOWN}.pdf"
    lang, font = session.output.lang, session.settings.pdf_font
    target.write_bytes(to_pdf(tables, lang=lang, font=Path(font) if font else None))
    bridge = next(one for one in tables if one.title in {"从记账到实拨", "From booked to paid"})
    session.output.line()
    session.output.line(f"{SHOWN} {month} {LEAVES[0]}  {' '.join(bridge.notes)}")
    for label, fen, *_ in bridge.rows:
        session.output.line(f"  {format_yuan(int(fen or 0)):>18}  {label}")
    session.output.line(session.output.say(f"结算单:{target}", f"The statement: {target}"))


def _say_next(session: Session, database: Path, sample: SampleYear) -> None:
    output, book = session.output, f"./run medfund --db sqlite:///{database}"
    output.line(output.say(f"账簿:{database}", f"The book: {database}"))
    output.line(output.say("下一步:", "Next:"))
    output.line(f"  {book} clear {sample.year} --fund 310.pooled --dry-run")
    output.line(f"  {book} report settlement {sample.year} --institution {SHOWN} --format xlsx")
    output.line(f"  {book} serve")
