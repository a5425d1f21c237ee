"""``demo``: a sample area from seed to sealed months, through the ordinary doors."""

import re
import secrets
import time
from pathlib import Path

import click

from ledger.domain.fund import fund_name
from ledger.domain.money import format_yuan
from ledger.domain.period import Period, months_between
from ledger.store import schema
from ledger.verify import verify as verify_log
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.reading import render_indicators
from medfund.cli.running import start_door
from medfund.cli.sample_year import CLAIMS as YEAR_CLAIMS
from medfund.cli.sample_year import book_of, run_year
from medfund.demo.area import SampleArea, write_sample_area
from medfund.tasks import run_pending
from projections.compare import compare
from projections.queries.indicators import indicators_document
from projections.queries.journal import journal_document
from projections.queries.monthly import monthly_figures
from projections.queries.targets import targets_of
from settlement.closing import approve, load_month, request_close
from settlement.intake.bring_in import Desk, bring_in
from settlement.setup import apply_setup
from settlement.setup_file import read_setup
from settlement.tokens import issue_token

AREA_CLAIMS = 100_000
_SHOWN = Period(2023, 10)
_PERSONS = re.compile(r"(\d+)人")


@cli.command(help="演示:样例统筹区,从文件到封账 / a sample area from files to sealed months")
@click.option("--seed", default=1, show_default=True, help="样例数据种子 / seed of the sample data")
@click.option(
    "--claims",
    type=click.IntRange(min=1),
    help="结算笔数,默认 100000,全年 1000000 / settlements, by default 100000, of a year 1000000",
)
@click.option("--folder", default=".demo", type=click.Path(path_type=Path), show_default=True)
@click.option("--serve", is_flag=True, help="随后启动页面 / then serve the pages")
@click.option(
    "--year",
    "whole_year",
    is_flag=True,
    help="样例市全年:200 家机构、两项基金,逐月结算 / a city's year, settled month by month",
)
@click.option(
    "--months",
    type=click.IntRange(1, 12),
    default=12,
    show_default=True,
    help="全年中先做几个月 / of the year, so many months",
)
@pass_session
def demo(  # noqa: PLR0917  click passes options by name
    session: Session,
    seed: int,
    claims: int | None,
    folder: Path,
    serve: bool,  # noqa: FBT001
    whole_year: bool,  # noqa: FBT001
    months: int,
) -> None:
    """Run the demo in a book of its own."""
    if whole_year:
        run_year(session, seed=seed, claims=claims or YEAR_CLAIMS, folder=folder, months=months)
        if serve:
            settings = book_of(session.settings, folder / "year.db")
            _serve(Session(settings, user="clerk1", area=None, output=session.output))
        return
    _sample_area(session, seed=seed, claims=claims or AREA_CLAIMS, folder=folder, serve=serve)


def _sample_area(session: Session, *, seed: int, claims: int, folder: Path, serve: bool) -> None:
    database = folder / "medfund.db"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("medfund.db*"):
        old.unlink()
    settings = book_of(session.settings, database)
    demo_session = Session(settings, user="clerk1", area=None, output=session.output)
    started = time.monotonic()
    sample = write_sample_area(folder / "files", seed=seed, claims=claims)
    session.output.line(
        _step(session, started, f"样例文件写入 {folder / 'files'}", "files written")
    )
    schema.upgrade(settings.database_url)
    token = secrets.token_urlsafe(32)
    with demo_session.house() as house:
        _run(demo_session, house, sample, started)
        issue_token(
            house.ledger, house.area(), name="demo", role="reader", token=token, user="admin1"
        )
    _say_where(session, database, token)
    if serve:
        _serve(demo_session)


def _serve(session: Session) -> None:
    start_door(session, "medfund.web", "--host", "127.0.0.1", "--port", "8765")


def _say_where(session: Session, database: Path, token: str) -> None:
    """Say where the book and its pages are; the token opens the pages of this demo book only."""
    output = session.output
    serve = f"./run medfund --db sqlite:///{database} serve"
    output.line(output.say(f"账簿:{database}", f"The book: {database}"))
    output.line(
        output.say(
            f"页面:{serve} → http://127.0.0.1:8765/,登录令牌 {token}",
            f"Pages: {serve} → http://127.0.0.1:8765/, token to log in {token}",
        )
    )


def _run(session: Session, house: House, sample: SampleArea, started: float) -> None:
    output = session.output
    apply_setup(house.ledger, read_setup(sample.setup), user="admin1")
    rows = _bring(session, house, sample)
    output.line(_step(session, started, f"导入 {rows} 行", f"{rows} rows brought in"))
    sealed = _close(house)
    output.line(_step(session, started, f"封账 {sealed} 个账期", f"{sealed} months sealed"))
    house.catch_up()
    compared = compare(house.ledger, house.reads)
    output.line(
        _step(
            session,
            started,
            f"重放与投影{'一致' if compared['equal'] else '不一致'}",
            f"replay {'equals' if compared['equal'] else 'differs from'} the projections",
        )
    )
    verified = verify_log(house.ledger)
    output.line(
        _step(
            session,
            started,
            f"校验{'通过' if verified.ok else '不通过'}:{verified.events} 个事件",
            f"verified: {verified.ok}, {verified.events} events",
        )
    )
    _show(session, house)


def _step(session: Session, started: float, zh: str, en: str) -> str:
    return f"[{time.monotonic() - started:5.1f} s] {session.output.say(zh, en)}"


def _bring(session: Session, house: House, sample: SampleArea) -> int:
    rows = 0
    for path in (*sample.flow_files, *sample.claims_files):
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
        rows += outcome.posted
        if outcome.refused:
            session.exit_code = 2
            for rejection in outcome.rejections[:5]:
                session.output.note(f"{path.name}:{rejection.line} {rejection.message()}")
            for problem in outcome.problems:
                session.output.note(f"{path.name} {problem.message()}")
    return rows


def _close(house: House) -> int:
    """Close every fund's months up to the one the demo shows, each with two people."""
    area = house.area()
    sealed = 0
    for book, state in sorted(house.ledger.log.books(area.code).items()):
        if state.history_from is None:
            continue
        for period in months_between(state.history_from, _SHOWN):
            month = request_close(
                house.ledger,
                area,
                fund=book.fund,
                period=period,
                user="clerk1",
                today=house.today(),
            )
            run_pending(house)
            approve(house.ledger, area, run=month.run or "", user="reviewer1")
            run_pending(house)
            month = load_month(house.ledger, area.code, book.fund, period)
            sealed += month.state == "sealed"
    return sealed


def _show(session: Session, house: House) -> None:
    """Print the indicators of the month, each with its definition, beside the other variants."""
    figures = monthly_figures(house.reads, house.ledger, area=None)
    targets = targets_of(house.reads, area=None)
    for fund in ("310", "310.pooled", "390", "basic"):
        document = indicators_document(
            figures, period=_SHOWN, fund=fund, targets=targets, lang=session.output.lang
        )
        mine = [row for row in document["indicators"] if row["fund"] == fund]
        render_indicators(session, {**document, "indicators": mine})
    _show_assisted(session, house)


def _show_assisted(session: Session, house: House) -> None:
    """Print the assisted participation (资助参保): one entry in two funds."""
    output = session.output
    document = journal_document(house.reads, area=None, fund="610")
    vouchers = [one for one in document["vouchers"] if one["item"] == "assisted_participation"]
    fen = sum(
        line["debit_fen"]
        for voucher in vouchers
        for line in voucher["lines"]
        if line["account"] == "expense.assisted_participation"
    )
    for voucher in vouchers:
        output.line(f"  {voucher['label']}  {voucher['date']}  {voucher['summary']}")
    # the number of persons is in each document's note, and only there
    persons = sum(int(count) for one in vouchers for count in _PERSONS.findall(one["summary"]))
    output.line(
        output.say(
            f"资助参保 {persons:,} 人:{fund_name('610')} → {fund_name('390')}"
            f" {format_yuan(fen)} 元",
            f"Assisted participation of {persons:,} persons: 610 → 390, {format_yuan(fen)} yuan",
        )
    )
