"""``report``: figures as files for Excel and for the work report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from ledger.domain.fund import parent
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.files import deliver
from medfund.cli.reading import MonthOrYear
from medfund.cli.statements import statement_of
from projections.queries.balances import balances_document
from projections.queries.indicators import indicators_document
from projections.queries.journal import journal_document
from projections.queries.measures import measures_document
from projections.queries.monthly import monthly_figures
from projections.queries.periods import periods_document
from projections.queries.statement import statement_figures
from projections.queries.targets import targets_of
from projections.reports.csv import to_csv
from projections.reports.figures_table import balances_table, funds_table, indicators_table
from projections.reports.journal_table import journal_table
from projections.reports.markdown import to_markdown
from projections.reports.measures_table import measures_tables
from projections.reports.model import Table
from projections.reports.pages import for_signing
from projections.reports.pdf import to_pdf
from projections.reports.statement import income_statement
from projections.reports.xlsx import to_xlsx

Tables = Sequence[Table]

_BINARY = ("xlsx", "pdf")
_SIGNATURES = {
    "zh": ("制单:", "复核:", "负责人:", "日期:"),
    "en": ("Prepared by:", "Reviewed by:", "Head:", "Date:"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is asked of."""

    period: str
    fund: str | None
    institution: str | None

    @property
    def month(self) -> Period:
        """Give the month; a report that is not of a year refuses one."""
        if len(self.period) != len("2024-01"):
            raise click.UsageError(f"{self.period}: 账期须写作 YYYY-MM / a month is YYYY-MM")
        return Period.parse(self.period)


def _settlement(session: Session, house: House, wanted: Wanted) -> Tables:
    """结算单 of one institution."""
    return statement_of(session, house, wanted.period, wanted.fund, wanted.institution)


def _statement(session: Session, house: House, wanted: Wanted) -> Tables:
    """基金收支表, of one fund or of every fund of the area."""
    period, fund = wanted.month, wanted.fund
    area = house.area(session.area_code)
    seals = _seals(session, house, period)
    found = []
    for code in [fund] if fund else list(area.funds):
        figures = statement_figures(
            house.reads, house.ledger, area=area.code, fund=code, period=period
        )
        one = income_statement(figures, lang=session.output.lang)
        found.append(_noting(one, seals.get(parent(code))))
    return found


def _balances(session: Session, house: House, wanted: Wanted) -> Tables:
    """科目余额表."""
    period, fund = wanted.month, wanted.fund
    lang = session.output.lang
    document = balances_document(
        house.reads,
        house.ledger,
        area=session.area_code,
        fund=fund,
        as_of=period.last_day,
        lang=lang,
    )
    seals = _seals(session, house, period)
    noted = [seals[code] for code in sorted(seals) if fund is None or code == parent(fund)]
    return [
        _noting(funds_table(document, lang=lang), *noted),
        balances_table(document, lang=lang),
    ]


def _seals(session: Session, house: House, period: Period) -> dict[str, str]:
    """Say by fund which position and digest of the log a sealed month fixes (封签)."""
    months = periods_document(house.reads, area=session.area_code)["periods"]
    return {
        one["fund"]: f"{one['fund']} {period} "
        + session.output.say("已封账,封签至日志位置", "sealed, the log up to position")
        + f" {one['sealed_position']}: {one['sealed_digest']}"
        for one in months
        if one["period"] == str(period) and one["sealed_digest"]
    }


def _noting(one: Table, *notes: str | None) -> Table:
    return replace(one, notes=(*one.notes, *(note for note in notes if note)))


def _indicators(session: Session, house: House, wanted: Wanted) -> Tables:
    """基金运行指标."""
    period, fund = wanted.month, wanted.fund
    lang = session.output.lang
    figures = monthly_figures(house.reads, house.ledger, area=session.area_code)
    targets = targets_of(house.reads, area=figures.area)
    document = indicators_document(figures, period=period, fund=fund, targets=targets, lang=lang)
    return [indicators_table(document, lang=lang)]


def _journal(session: Session, house: House, wanted: Wanted) -> Tables:
    """序时账."""
    period, fund = wanted.month, wanted.fund
    lang = session.output.lang
    document = journal_document(
        house.reads, area=session.area_code, fund=fund, period=str(period), lang=lang
    )
    return [journal_table(document, lang=lang)]


def _measures(session: Session, house: House, wanted: Wanted) -> Tables:
    """结算考核指标."""
    lang = session.output.lang
    document = measures_document(
        house.reads,
        area=session.area_code,
        period=wanted.period,
        fund=wanted.fund,
        institution=wanted.institution,
        lang=lang,
    )
    return measures_tables(document, lang=lang)


_REPORTS: dict[str, Callable[[Session, House, Wanted], Tables]] = {
    "statement": _statement,
    "balances": _balances,
    "indicators": _indicators,
    "journal": _journal,
    "settlement": _settlement,
    "measures": _measures,
}


@cli.command(help="报表:收支表、余额表、指标、序时账、机构结算单 / statements and figures as files")
@click.argument("name", type=click.Choice(list(_REPORTS)))
@click.argument("period", type=MonthOrYear())
@click.option("--fund", help="险种或子基金 / fund or sub-fund")
@click.option("--institution", help="定点机构,结算单必填 / whose settlement statement")
@click.option(
    "--format",
    "form",
    type=click.Choice(["xlsx", "pdf", "csv", "md"]),
    default="md",
    show_default=True,
)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="写入文件 / to file"
)
@pass_session
def report(  # noqa: PLR0917  click passes options by name
    session: Session,
    name: str,
    period: str,
    fund: str | None,
    institution: str | None,
    form: str,
    target: Path | None,
) -> None:
    """Write a report."""
    if form in _BINARY and target is None:
        whose = f"-{institution}" if institution else ""
        target = Path(f"{name}-{period}{whose}.{form}")
    with session.house() as house:
        house.catch_up()
        tables = _REPORTS[name](session, house, Wanted(period, fund, institution))
    data = _written(session, tables, form)
    output = session.output
    about = {"report": name, "period": period, "format": form}
    if target is None and output.as_json:
        output.answer(about | {"content": data.decode("utf-8-sig")})
        return
    deliver(data, target)
    if target is not None:
        output.answer(
            about | {"file": str(target)},
            lambda: output.line(output.say(f"已写入 {target}", f"written to {target}")),
        )


def _written(session: Session, tables: Tables, form: str) -> bytes:
    if form == "xlsx":
        return to_xlsx(tables)
    if form == "pdf":
        lang, font = session.output.lang, session.settings.pdf_font
        return to_pdf(
            for_signing(tables, _SIGNATURES[lang]), lang=lang, font=Path(font) if font else None
        )
    if form == "csv":
        return to_csv(*tables)
    return "\n".join(to_markdown(one) for one in tables).encode()
