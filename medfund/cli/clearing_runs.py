"""``clear``: runs of the monthly clearing, recorded, listed, shown and exported."""

from pathlib import Path
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.clearing import WAITING, Run
from ledger.domain.money import format_yuan
from medfund.cli.app import Session
from medfund.cli.archived import records_up_to_now
from medfund.cli.files import deliver
from medfund.cli.output import Output
from projections.reports.csv import to_csv
from projections.reports.settlement_table import settlement_table
from projections.reports.xlsx import to_xlsx
from settlement.clearing.month.run_document import run_document
from settlement.month_runs import clearing_of, runs_of
from settlement.year_runs import years_of

_STATES = {"waiting": "待复核", "approved": "已批准入账", "rejected": "已退回"}
_BRIDGE = (
    ("booked_fen", "记账", "booked"),
    ("refused_fen", "拒付", "refused"),
    ("otherwise_fen", "另行处理", "otherwise"),
    ("waiting_fen", "暂不结算", "waiting"),
    ("deposit_fen", "保证金", "deposit"),
    ("difference_fen", "应付差额", "to the due"),
    ("insurer_fen", "承保机构", "insurer"),
    ("offset_fen", "抵扣追回", "offset"),
    ("prepaid_fen", "冲抵预付", "prepaid"),
    ("carried_in_fen", "结转入", "carried in"),
    ("carried_out_fen", "结转出", "carried out"),
    ("payable_fen", "应拨付", "payable"),
)


def answer_run(session: Session, area: Area, run: Run) -> None:
    """Answer with a run as it stands."""
    names = {code: name for code, (name, _) in area.institutions.items()}
    document = run_document(run, names)
    session.output.answer(document, lambda: _render(session.output, document))


def answer_nothing_new(session: Session, area: Area, fund: str, period: str) -> None:
    """Say that every part of the month is settled: nothing was recorded."""
    output = session.output
    document = {
        "run": None,
        "area": area.code,
        "fund": fund,
        "period": period,
        "state": "nothing_new",
    }
    output.answer(
        document,
        lambda: output.line(
            output.say(
                f"{fund} {period} 没有新的可结算内容,未生成批次。",
                f"Nothing new to settle for {fund} {period}; no run was made.",
            )
        ),
    )


def list_runs(session: Session, fund: str | None) -> None:
    """List all runs, perhaps of one fund."""
    with session.house() as house:
        area = session.area(house)
        records = records_up_to_now(session, house, area.code)
        runs, years = runs_of(records, fund), years_of(records, fund)
    rows: list[dict[str, Any]] = [
        {
            "run": run.id,
            "fund": run.computed.fund,
            "period": run.computed.period,
            "state": run.state,
            "prepared_by": run.computed.by,
            "approved_by": run.decided_by if run.state == "approved" else None,
            "policy": run.computed.policy,
            "basis": run.computed.basis,
            "institutions": len(run.computed.lines),
            "payable_fen": sum(line.payable_fen for line in run.computed.lines),
        }
        for run in runs
    ]
    rows += [
        {
            "run": run.id,
            "fund": year.fund,
            "period": year.year,
            "state": run.state,
            "prepared_by": run.computed.by,
            "approved_by": run.decided_by if run.state == "approved" else None,
            "policy": run.computed.policy,
            "basis": "year",
            "institutions": len(run.computed.lines),
            "payable_fen": sum(line.difference_fen for line in run.computed.lines),
        }
        for year in years
        for run in year.runs
    ]
    output = session.output
    heads = output.say(
        "批次|状态|经办|复核|政策|机构数|应拨付",
        "run|state|prepared|approved|policy|institutions|payable",
    )
    output.answer(
        {"runs": rows},
        lambda: output.table(
            heads.split("|"),
            [
                (
                    str(row["run"]),
                    output.say(_STATES[str(row["state"])], str(row["state"])),
                    str(row["prepared_by"]),
                    str(row["approved_by"] or ""),
                    str(row["policy"] or "-"),
                    str(row["institutions"]),
                    format_yuan(int(str(row["payable_fen"]))),
                )
                for row in rows
            ],
            right=(5, 6),
        ),
    )


def show_run(session: Session, run: str, result: Path | None) -> None:
    """Show one run; its lines also as a file."""
    if result is not None and result.suffix not in {".csv", ".xlsx"}:
        raise click.UsageError("--result FILE.csv | FILE.xlsx")
    with session.house() as house:
        area = session.area(house)
        found = clearing_of(house.ledger, area, run)[1]
    names = {code: name for code, (name, _) in area.institutions.items()}
    document = run_document(found, names)
    output = session.output
    if result is not None:
        table = settlement_table(document, output.lang)
        deliver(to_xlsx([table]) if result.suffix == ".xlsx" else to_csv(table), result)
    output.answer(document, lambda: _render(output, document))


def _render(output: Output, document: dict[str, Any]) -> None:
    state = output.say(_STATES[document["state"]], document["state"])
    output.line(f"{document['run']}  {state}")
    render_settlement(output, document)
    if document["state"] == WAITING:
        run = document["run"]
        output.line(
            output.say(
                f"  下一步:由另一人执行 medfund --as USER approve {run}",
                f"  next: somebody else runs medfund --as USER approve {run}",
            )
        )


def render_settlement(output: Output, document: dict[str, Any]) -> None:
    """Show the bridge of every institution, from booked to payable."""
    found = document["settlement"]
    basis = output.say(
        {"booked": "按申报(记账)额", "due": "按当月应付"}[found["basis"]], found["basis"]
    )
    policy = found["policy"] or output.say("缺省规则", "default rules")
    output.line(f"{document['fund']} {document['period']}  {policy}  {basis}")
    shown = [one for one in _BRIDGE if found["total"][one[0]] or one[0] in _ALWAYS]
    heads = [output.say("机构", "institution"), output.say("名称", "name")]
    heads += [output.say("例数", "cases"), *(output.say(zh, en) for _, zh, en in shown)]
    rows = [
        (one["institution"], one["name"] or "-", str(one["cases"]), *_cells(one, shown))
        for one in found["lines"]
    ]
    total = found["total"]
    rows.append((output.say("合计", "total"), "", str(total["cases"]), *_cells(total, shown)))
    output.table(heads, rows, right=range(2, len(heads)))
    if any(one["on_behalf_fen"] for one in found["lines"]):
        amount = format_yuan(total["on_behalf_fen"])
        output.line(
            output.say(
                f"  其中未申请、代为申报 {amount} 元", f"  of it declared on behalf: {amount} yuan"
            )
        )
    output.line(f"  {output.say('方案哈希', 'plan hash')}: {document['plan_hash']}")


_ALWAYS = frozenset({"booked_fen", "refused_fen", "deposit_fen", "payable_fen"})


def _cells(amounts: dict[str, Any], shown: list[tuple[str, str, str]]) -> tuple[str, ...]:
    return tuple(format_yuan(amounts[name]) for name, _, _ in shown)
