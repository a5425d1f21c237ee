"""``balances``, ``journal``, ``indicators``, ``obligations``: the figures, as of which position."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.domain.fund import fund_name
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.files import deliver
from projections.queries.balances import balances_document
from projections.queries.indicators import indicators_document
from projections.queries.journal import journal_document
from projections.queries.known import known_position
from projections.queries.monthly import monthly_figures
from projections.queries.obligations import obligations_document
from projections.queries.targets import targets_of
from projections.reports.csv import to_csv
from projections.reports.figures_table import shown_value
from projections.reports.journal_table import journal_table
from projections.reports.plaintext import to_plaintext
from projections.reports.xlsx import to_xlsx

_PLAIN = ("hledger", "ledger", "beancount")


class DateOrMonth(click.ParamType[date]):
    """A date, or a month which means its last day."""

    name = "YYYY-MM-DD|YYYY-MM"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Read the text; wrong usage otherwise."""
        try:
            return Period.parse(value).last_day if len(value) == 7 else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value}: YYYY-MM-DD 或/or YYYY-MM", param, ctx)


class Month(click.ParamType[Period]):
    """A month."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: Any, ctx: Any) -> Period:
        """Read the text; wrong usage otherwise."""
        if isinstance(value, Period):
            return value
        try:
            return Period.parse(value)
        except ValueError:
            self.fail(f"{value}: 账期须写作 YYYY-MM / a month is YYYY-MM", param, ctx)


class MonthOrYear(click.ParamType[str]):
    """A month or a year, as text."""

    name = "YYYY-MM|YYYY"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """Read the text; wrong usage otherwise."""
        if not re.fullmatch(r"[0-9]{4}(-(0[1-9]|1[0-2]))?", str(value)):
            self.fail(f"{value}: YYYY-MM 或/or YYYY", param, ctx)
        return str(value)


def _known(house: House, text: str | None) -> int | None:
    return None if text is None else known_position(house.ledger, text)


@cli.command(help="各险种科目余额与收支结余 / balances per fund and account, on both time axes")
@click.option("--fund", help="险种或子基金 / fund or sub-fund")
@click.option("--as-of", type=DateOrMonth(), help="记账截止日,默认今天 / booked up to")
@click.option("--known-at", metavar="POSITION|TIME", help="当时已知 / as known at")
@click.option("--book", type=click.Choice(["cash", "obligations"]), default="cash")
@pass_session
def balances(
    session: Session, fund: str | None, as_of: date | None, known_at: str | None, book: str
) -> None:
    """Answer with balances."""
    with session.house() as house:
        house.catch_up()
        document = balances_document(
            house.reads,
            house.ledger,
            area=session.area_code,
            fund=fund,
            as_of=as_of or house.today(),
            known_at=_known(house, known_at),
            book=book,
            lang=session.output.lang,
        )
    session.output.answer(document, lambda: _render_balances(session, document))


def _render_balances(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    known = document["known_at"]
    output.line(
        output.say(
            f"截至 {document['as_of']},日志位置 {document['position']}"
            + ("" if known is None else f",当时已知至位置 {known}")
            + "(金额单位:元)",
            f"as of {document['as_of']}, log position {document['position']}"
            + ("" if known is None else f", as known at position {known}")
            + " (yuan)",
        )
    )
    heads = output.say(
        "险种|本年收入|本年支出|本年结余|累计结余",
        "fund|income|expense|surplus|accumulated",
    ).split("|")
    figures = ("income_fen", "expense_fen", "surplus_fen", "accumulated_fen")
    output.table(
        heads,
        [
            (
                f"{row['fund']} {fund_name(row['fund'], output.lang)}",
                *(format_yuan(row[name]) for name in figures),
            )
            for row in document["funds"]
        ],
        right=range(1, 5),
    )
    heads = output.say("险种|科目|借方|贷方|余额", "fund|account|debit|credit|balance").split("|")
    output.table(
        heads,
        [
            (
                row["fund"],
                row["account_name"],
                format_yuan(row["debit_fen"]),
                format_yuan(row["credit_fen"]),
                format_yuan(row["balance_fen"]),
            )
            for row in document["balances"]
        ],
        right=range(2, 5),
    )


@cli.command(help="序时账,可导出 / the statutory journal, also for hledger, ledger and beancount")
@click.option("--fund", help="险种或子基金 / fund or sub-fund")
@click.option("--period", type=Month(), help="账期 / month")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "xlsx", *_PLAIN]),
    default="table",
)
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), help="写入文件 / to file"
)
@click.option("--known-at", metavar="POSITION|TIME", help="当时已知 / as known at")
@pass_session
def journal(  # noqa: PLR0917  click passes options by name
    session: Session,
    fund: str | None,
    period: Period | None,
    form: str,
    target: Path | None,
    known_at: str | None,
) -> None:
    """Answer with the journal."""
    output = session.output
    with session.house() as house:
        house.catch_up()
        document = journal_document(
            house.reads,
            area=session.area_code,
            fund=fund,
            period=str(period) if period else None,
            known_at=_known(house, known_at),
            lang=output.lang,
        )
    if form == "table" or (output.as_json and target is None):
        output.answer(document, lambda: _render_journal(session, document))
        return
    if form == "xlsx" and target is None:
        raise click.UsageError("xlsx: -o FILE")
    deliver(_journal_as(form, document, lang=output.lang), target)
    if output.as_json:
        output.answer({"position": document["position"], "format": form, "file": str(target)})


def _journal_as(form: str, document: dict[str, Any], *, lang: str) -> bytes:
    if form in _PLAIN:
        return to_plaintext(document, form).encode()
    table = journal_table(document, lang=lang)
    return to_csv(table) if form == "csv" else to_xlsx([table])


def _render_journal(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    heads = output.say(
        "凭证字号|日期|摘要|险种|科目|借方|贷方|制单|复核",
        "voucher|date|summary|fund|account|debit|credit|prepared|reviewed",
    ).split("|")
    rows = [
        (
            voucher["label"] if number == 0 else "",
            voucher["booked_on"] if number == 0 else "",
            voucher["summary"] if number == 0 else "",
            line["fund"],
            line["account_name"],
            format_yuan(line["debit_fen"]) if line["debit_fen"] else "",
            format_yuan(line["credit_fen"]) if line["credit_fen"] else "",
            (voucher["prepared_by"] or "") if number == 0 else "",
            (voucher["reviewed_by"] or "") if number == 0 else "",
        )
        for voucher in document["vouchers"]
        for number, line in enumerate(voucher["lines"])
    ]
    output.table(heads, rows, right=[5, 6])


@cli.command(help="基金运行指标 / growth, payable months and the rest, with definition and inputs")
@click.argument("period", type=Month())
@click.option("--fund", help="险种、子基金或 basic / fund, sub-fund or basic")
@click.option("--known-at", metavar="POSITION|TIME", help="当时已知 / as known at")
@pass_session
def indicators(session: Session, period: Period, fund: str | None, known_at: str | None) -> None:
    """Answer with the indicators of a month."""
    with session.house() as house:
        house.catch_up()
        figures = monthly_figures(
            house.reads, house.ledger, area=session.area_code, known_at=_known(house, known_at)
        )
        document = indicators_document(
            figures,
            period=period,
            fund=fund,
            targets=targets_of(house.reads, area=figures.area),
            lang=session.output.lang,
        )
    session.output.answer(document, lambda: render_indicators(session, document))


def render_indicators(session: Session, document: dict[str, Any]) -> None:
    """Show indicators as a table with their definitions."""
    output = session.output
    output.line(
        output.say(
            f"{document['period']} 指标,日志位置 {document['position']}",
            f"indicators of {document['period']}, log position {document['position']}",
        )
    )
    heads = output.say("险种|指标|值|单位|口径", "fund|indicator|value|unit|definition").split("|")
    output.table(
        heads,
        [
            (
                row["fund"],
                row["name"],
                _value(row),
                output.say("元", "yuan") if row["unit"] == "fen" else row["unit"],
                row["definition"][output.lang],
            )
            for row in document["indicators"]
        ],
        right=[2],
    )


def _value(row: dict[str, Any]) -> str:
    shown = shown_value(row)
    return f"— ({row['reason']})" if shown is None else shown


#: What the totals by institution and fund show, in the order in which money is settled.
_OWED = (
    *("booked_fen", "refused_fen", "undeclared_fen", "declared_fen", "approved_fen"),
    *("deposit_fen", "ordered_fen", "paid_fen", "owed_fen"),
)


@cli.command(help="对定点机构的应付 / what institutions are owed, by fund, month and clr_type")
@click.option("--fund", help="险种或子基金 / fund or sub-fund")
@click.option("--institution", help="定点机构编码 / institution")
@click.option("--period", type=Month(), help="结算月份 / month of care")
@pass_session
def obligations(
    session: Session, fund: str | None, institution: str | None, period: Period | None
) -> None:
    """Answer with obligations."""
    output = session.output
    with session.house() as house:
        house.catch_up()
        document = obligations_document(
            house.reads,
            area=session.area_code,
            fund=fund,
            institution=institution,
            period=str(period) if period else None,
        )
    heads = output.say(
        "机构|险种|月份|清算类别|记账|拒付|已付|笔数",
        "institution|fund|month|clr_type|booked|refused|paid|settlements",
    ).split("|")
    totals = output.say(
        "机构|险种|记账|拒付|未申报|已申报|已审定|保证金|已下单|已付|应付",
        "institution|fund|booked|refused|undeclared|declared|approved|deposit|ordered|paid|owed",
    ).split("|")

    def render() -> None:
        output.table(
            heads,
            [
                (
                    row["institution"],
                    row["fund"],
                    row["month"],
                    row["clr_type"],
                    *(format_yuan(row[name]) for name in ("booked_fen", "refused_fen", "paid_fen")),
                    str(row["settlements"]),
                )
                for row in document["obligations"]
            ],
            right=[4, 5, 6, 7],
        )
        output.table(
            totals,
            [
                (row["institution"], row["fund"], *(format_yuan(row[name]) for name in _OWED))
                for row in document["institutions"]
            ],
            right=[*range(2, 2 + len(_OWED))],
        )

    output.answer(document, render)
