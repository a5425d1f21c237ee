"""``reconcile institution PERIOD --three-way``: our record, the application and the bank side by side."""

from pathlib import Path
from typing import Any

from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.cli.app import Session
from medfund.cli.files import deliver
from projections.reports.csv import to_csv
from projections.reports.three_way_tables import STATIONS, three_way_table
from projections.reports.xlsx import to_xlsx
from settlement.reconciliation.three_way import follow, read_three_way, three_way_document

_SHOWN = 50


def answer_three_way(
    session: Session, period: Period, institution: str | None, target: Path | None
) -> None:
    """Follow a month's money through the stations and say where they part."""
    output = session.output
    with session.house() as house:
        area = session.area(house)
        position = house.ledger.log.last_position()
        found = read_three_way(
            house.ledger.log,
            area=area.code,
            period=period,
            position=position,
            institution=institution,
        )
        document = three_way_document(
            follow(found), area, period=period, position=position, lang=output.lang
        )
    if target is not None:
        laid_out = three_way_table(document, lang=output.lang)
        is_sheet = target.suffix.lower() == ".xlsx"
        deliver(to_xlsx([laid_out]) if is_sheet else to_csv(laid_out), target)
        document["file"] = str(target)
    output.answer(document, lambda: _render(session, document))


def _render(session: Session, document: dict[str, Any]) -> None:
    output, summary = session.output, document["summary"]
    output.line(
        output.say(
            f"{document['period']} 三方核对,日志位置 {document['position']}:{summary['rows']} 行,"
            f"一致 {summary['even']}",
            f"{document['period']} at three desks, log position {document['position']}: "
            f"{summary['rows']} rows, {summary['even']} even",
        )
    )
    heads = [
        output.say("机构", "institution"),
        output.say("基金", "fund"),
        *(output.say(zh, en) for zh, en in STATIONS.values()),
        output.say("差异所在", "where they part"),
    ]
    rows = [
        (
            row["institution"],
            row["fund"],
            *("-" if row[key] is None else format_yuan(row[key]) for key in STATIONS),
            "; ".join(f"{one['why']} {format_yuan(one['fen'])}" for one in row["parts"]),
        )
        for row in document["rows"]
    ]
    if rows:
        output.table(heads, rows[:_SHOWN], right=range(2, 2 + len(STATIONS)))
    if len(rows) > _SHOWN:
        output.line(
            output.say(
                f"另有 {len(rows) - _SHOWN} 行;全部见 --result FILE。",
                f"{len(rows) - _SHOWN} more rows; --result FILE has all.",
            )
        )
    if "file" in document:
        output.line(output.say(f"已写入 {document['file']}", f"written to {document['file']}"))
