"""``measures``: what approved clearings say of each institution and fund, of a month or a year."""

from pathlib import Path
from typing import Any

import click

from ledger.domain.fund import fund_name
from ledger.domain.money import format_yuan
from medfund.cli.app import Session, cli, pass_session
from medfund.cli.files import deliver
from medfund.cli.output import Output
from medfund.cli.reading import MonthOrYear
from projections.queries.measures import measures_document
from projections.reports.csv import to_csv
from projections.reports.measures_table import measures_tables
from projections.reports.xlsx import to_xlsx


@cli.command(
    help="结算考核指标:结付率、匹配率、CMI 等 / settlement rate, match rate, CMI and others"
)
@click.argument("period", type=MonthOrYear())
@click.option("--fund", help="险种或子基金 / fund or sub-fund")
@click.option("--institution", help="定点机构 / one institution")
@click.option(
    "--result", type=click.Path(path_type=Path), metavar="FILE.xlsx|csv", help="导出 / export"
)
@pass_session
def measures(
    session: Session, period: str, fund: str | None, institution: str | None, result: Path | None
) -> None:
    """Answer with the measures of a month or a year."""
    output = session.output
    with session.house() as house:
        house.catch_up()
        document = measures_document(
            house.reads,
            area=session.area_code,
            period=period,
            fund=fund,
            institution=institution,
            lang=output.lang,
        )
    if result is not None:
        tables = measures_tables(document, lang=output.lang)
        deliver(to_xlsx(tables) if result.suffix == ".xlsx" else to_csv(*tables), result)
    output.answer(document, lambda: _render(output, document))


def _render(output: Output, document: dict[str, Any]) -> None:
    heads = output.say(
        "险种|机构|病例|记账|应付|结付率%|记账÷应付%|匹配率%|准确率%|误差率%|CMI|次均费用",
        "fund|institution|cases|booked|due|rate %|booked÷due %|match %|accuracy %|error %|CMI|cost",
    )
    shown = (
        *("settlement_rate", "booked_over_due", "match_rate"),
        *("record_accuracy", "error_rate", "case_mix_index"),
    )
    rows = [
        (
            row["fund"],
            f"{row['institution']} {row['name']}"
            if row["institution"]
            else f"{fund_name(row['fund'], output.lang)} {output.say('合计', 'total')}",
            f"{row['cases']:,}",
            format_yuan(row["booked_fen"]),
            _yuan(row["due_fen"]),
            *(row[name] or "-" for name in shown),
            _yuan(row["average_cost_fen"]),
        )
        for row in document["measures"]
    ]
    said = output.say("日志位置", "log position")
    output.line(f"{document['area']} {document['period']}  {said} {document['position']}")
    output.table(heads.split("|"), rows, right=range(2, 12))
    if not rows:
        output.line(output.say("尚无已批准的清算。", "No clearing has been approved yet."))
    heads = output.say("险种|清算年月|点值(元)|批次", "fund|month|point value (yuan)|run")
    values = [
        tuple(row[name] for name in ("fund", "period", "point_value", "run"))
        for row in document["point_values"]
    ]
    output.table(heads.split("|"), values, right=[2])


def _yuan(fen: int | None) -> str:
    return "-" if fen is None else format_yuan(fen)
