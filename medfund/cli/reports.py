"""``report``: figures as files for Excel and for the work report."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.files import deliver
from medfund.cli.reading import Month
from projections.queries.balances import balances_document
from projections.queries.indicators import indicators_document
from projections.queries.journal import journal_document
from projections.queries.monthly import monthly_figures
from projections.queries.statement import statement_figures
from projections.queries.targets import targets_of
from projections.reports.csv import to_csv
from projections.reports.figures_table import balances_table, funds_table, indicators_table
from projections.reports.journal_table import journal_table
from projections.reports.markdown import to_markdown
from projections.reports.model import Table
from projections.reports.statement import income_statement
from projections.reports.xlsx import to_xlsx

Tables = Sequence[Table]


def _statement(session: Session, house: House, period: Period, fund: str | None) -> Tables:
    """基金收支表, of one fund or of every fund of the area."""
    area = house.area(session.area_code)
    return [
        income_statement(
            statement_figures(house.reads, house.ledger, area=area.code, fund=code, period=period),
            lang=session.output.lang,
        )
        for code in ([fund] if fund else list(area.funds))
    ]


def _balances(session: Session, house: House, period: Period, fund: str | None) -> Tables:
    """科目余额表."""
    lang = session.output.lang
    document = balances_document(
        house.reads,
        house.ledger,
        area=session.area_code,
        fund=fund,
        as_of=period.last_day,
        lang=lang,
    )
    return [funds_table(document, lang=lang), balances_table(document, lang=lang)]


def _indicators(session: Session, house: House, period: Period, fund: str | None) -> Tables:
    """基金运行指标."""
    lang = session.output.lang
    figures = monthly_figures(house.reads, house.ledger, area=session.area_code)
    targets = targets_of(house.reads, area=figures.area)
    document = indicators_document(figures, period=period, fund=fund, targets=targets, lang=lang)
    return [indicators_table(document, lang=lang)]


def _journal(session: Session, house: House, period: Period, fund: str | None) -> Tables:
    """序时账."""
    lang = session.output.lang
    document = journal_document(
        house.reads, area=session.area_code, fund=fund, period=str(period), lang=lang
    )
    return [journal_table(document, lang=lang)]


_REPORTS: dict[str, Callable[[Session, House, Period, str | None], Tables]] = {
    "statement": _statement,
    "balances": _balances,
    "indicators": _indicators,
    "journal": _journal,
}


@cli.command(help="报表:收支表、余额表、指标、序时账 / statements and figures as files")
@click.argument("name", type=click.Choice(list(_REPORTS)))
@click.argument("period", type=Month())
@click.option("--fund", help="险种或子基金 / fund or sub-fund")
@click.option(
    "--format", "form", type=click.Choice(["xlsx", "csv", "md"]), default="md", show_default=True
)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="写入文件 / to file"
)
@pass_session
def report(  # noqa: PLR0917  click passes options by name
    session: Session, name: str, period: Period, fund: str | None, form: str, target: Path | None
) -> None:
    """Write a report."""
    if form == "xlsx" and target is None:
        target = Path(f"{name}-{period}.xlsx")
    with session.house() as house:
        house.catch_up()
        tables = _REPORTS[name](session, house, period, fund)
    data = _written(tables, form)
    output = session.output
    about = {"report": name, "period": str(period), "format": form}
    if target is None and output.as_json:
        output.answer(about | {"content": data.decode("utf-8-sig")})
        return
    deliver(data, target)
    if target is not None:
        output.answer(
            about | {"file": str(target)},
            lambda: output.line(output.say(f"已写入 {target}", f"written to {target}")),
        )


def _written(tables: Tables, form: str) -> bytes:
    if form == "xlsx":
        return to_xlsx(tables)
    if form == "csv":
        return b"".join(to_csv(one) for one in tables)
    return "\n".join(to_markdown(one) for one in tables).encode()
