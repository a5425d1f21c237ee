"""``clear YEAR``: what a year leaves each institution, computed or prepared for a second person."""

from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger.aggregates.area import Area
from ledger.aggregates.clearing_year import YearRun, year_run_name
from ledger.domain.fund import is_area
from ledger.domain.money import format_yuan
from ledger.domain.period import Year
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.archived import records_up_to_now
from medfund.cli.files import deliver
from medfund.cli.output import Output
from projections.reports.csv import to_csv
from projections.reports.xlsx import to_xlsx
from projections.reports.year_table import year_table
from settlement.clearing.month.question import Chosen, chosen_from_file, chosen_of
from settlement.clearing.policies.file import read_policy
from settlement.clearing.year.document import run_document, year_document
from settlement.clearing.year.refusals import YearProblem
from settlement.policies import load_policies
from settlement.year_runs import (
    compute_year,
    confirm_year,
    dismiss_dispute,
    dispute_year,
    plan_of,
    request_year,
    year_of,
)

_BUDGET = (
    ("budget_fen", "年度预算", "budget"),
    ("reserve_fen", "其中调节金", "reserve"),
    ("reserve_used_fen", "调节金承担超支", "reserve used"),
    ("reserve_left_fen", "调节金结余", "reserve left"),
    ("surplus_kept_fen", "基金留存结余", "surplus kept"),
    ("surplus_shared_fen", "结余返还机构", "surplus shared"),
    ("not_borne_fen", "未承担的超支", "overruns not borne"),
    ("point_difference_fen", "点值差额", "difference of the point value"),
)
_STATES = {"waiting": "待复核", "approved": "已入账", "rejected": "已退回"}
_STANDINGS = {
    "open": "待确认",
    "confirmed": "已确认",
    "disputed": "有异议",
    "dismissed": "异议不予采纳",
}
_COLUMNS = (
    "due_fen",
    "band_fen",
    "priced_fen",
    "as_booked_fen",
    "refused_fen",
    "assessed_fen",
    "final_fen",
    "settled_fen",
    "difference_fen",
)


#: What is recorded about a result: confirmed or disputed by the institution, the dispute dismissed.
ANSWERS = ("confirm", "dispute", "dismiss")


def is_year(text: str) -> bool:
    """Tell whether a period is a year, not a month."""
    try:
        Year.parse(text)
    except ValueError:
        return False
    return True


def clear_whole_year(
    session: Session, year: str, fund: str, other: str | None, *, dry_run: bool
) -> None:
    """Compute the clearing of a year, or record it for a second person."""
    if dry_run:
        _dry_run(session, year, fund, other)
        return
    if other is not None:
        raise click.UsageError("--policy 只用于 --dry-run / --policy goes with --dry-run only")
    with session.house() as house:
        area = session.area(house)
        run = request_year(
            house.ledger,
            area,
            lambda: records_up_to_now(session, house, area.code),
            fund=fund,
            year=Year.parse(year),
            user=session.user,
            today=house.today(),
        )
        if run is not None:
            answer_year(session, house, area, run)
            return
    document = {
        "run": None,
        "area": area.code,
        "fund": fund,
        "period": year,
        "state": "nothing_new",
    }
    said = session.output.say("没有新的差额,不生成批次。", "Nothing is new; no run was made.")
    session.output.answer(document, lambda: session.output.line(f"{fund} {year}  {said}"))


def _dry_run(session: Session, year: str, fund: str, other: str | None) -> None:
    content = read_policy(Path(other)) if other is not None and other.endswith(".toml") else None
    with session.house() as house:
        area = session.area(house)
        alternative: Chosen | None = None
        if content is not None:
            alternative = chosen_from_file(content)
        elif other is not None:
            alternative = chosen_of(load_policies(house.ledger, area.code).find(other))
        records = records_up_to_now(session, house, area.code)
        found, beside = (
            compute_year(
                house.ledger, area, records, fund=fund, year=Year.parse(year), chosen=chosen
            )
            if chosen is not None or place == 0
            else None
            for place, chosen in enumerate((None, alternative))
        )
        names = _names(area)
    if found is None:
        raise TypeError("the year was not computed")
    document = year_document(found, beside, area=area.code, fund=fund, year=year, names=names)
    document["plan_hash"] = plan_of(found).hash  # that of the run, if it were made now
    session.output.answer(document, lambda: _render(session.output, document, found.problems))


def answer_result(
    session: Session,
    answer: str,
    run: str,
    institution: str | None,
    day: date | None,
    *,
    reason: str | None,
    by: str | None,
) -> None:
    """Record that an institution confirms or disputes its result, or that a dispute is dismissed."""
    if institution is None or (reason is None) != (answer == "confirm"):
        raise click.UsageError(
            "clear confirm RUN --institution CODE [--date D] [--by TEXT]"
            " | clear dispute|dismiss RUN --institution CODE --reason TEXT"
        )
    with session.house() as house:
        area = area_of_run(session, house, run)
        told: dict[str, Any] = {"run": run, "institution": institution, "user": session.user}
        on = day or house.today()
        if answer == "confirm":
            found = confirm_year(house.ledger, area, day=on, signatory=by, **told)
        elif answer == "dispute":
            found = dispute_year(house.ledger, area, day=on, reason=str(reason), **told)
        else:
            found = dismiss_dispute(house.ledger, area, reason=str(reason), **told)
        answer_year(session, house, area, found)


def is_year_run(run: str) -> bool:
    """Tell whether an id is that of a year's run, whatever its area."""
    return year_run_name(run, run.partition("-")[0]) is not None


def show_year(session: Session, run: str, result: Path | None) -> None:
    """Show a run of a year; its lines also as a file."""
    if result is not None and result.suffix not in {".csv", ".xlsx"}:
        raise click.UsageError("--result FILE.csv | FILE.xlsx")
    with session.house() as house:
        area = area_of_run(session, house, run)
        clearing, found = year_of(house.ledger, area, run)
    document = run_document(clearing, found, _names(area))
    output = session.output
    if result is not None:
        table = year_table(document, output.lang)
        deliver(to_xlsx([table]) if result.suffix == ".xlsx" else to_csv(table), result)
    output.answer(document, lambda: _render_run(output, document))


def _names(area: Area) -> dict[str, str]:
    return {code: name for code, (name, _) in area.institutions.items()}


def area_of_run(session: Session, house: House, run: str) -> Area:
    """A run's name begins with its area, so that need not be named again."""
    own = run.partition("-")[0]
    return house.area(session.area_code or (own if is_area(own) else None))


def answer_year(session: Session, house: House, area: Area, run: YearRun) -> None:
    """Answer with a run and what institutions said to it."""
    clearing, found = year_of(house.ledger, area, run.id)
    document = run_document(clearing, found, _names(area))
    session.output.answer(document, lambda: _render_run(session.output, document))


def _render(output: Output, document: dict[str, Any], problems: tuple[YearProblem, ...]) -> None:
    head = f"{document['area']} {document['fund']} {document['period']}"
    output.line(head + output.say("  年度清算试算,未入账", "  dry run of the year, not posted"))
    _render_year(output, document)
    for one in problems:
        output.line(f"  ! {one.said(output.lang)} [{one.code}]", style="yellow")
    if document["alternative"] is not None:
        output.line()
        output.line(output.say("并列试算的政策:", "The policy beside it:"))
        _render_year(output, document["alternative"])
        _render_comparison(output, document)


def _render_year(output: Output, found: dict[str, Any]) -> None:
    policy, year = found["policy"], found["year"]
    output.line(
        output.say("政策 ", "policy ") + f"{policy['policy']}  {policy['title']}  {policy['basis']}"
    )
    _render_budget(output, year["budget"])
    heads = output.say(
        "机构|名称|例数|点数|应付|分担后|其他方法|据实|拒付|考核扣款|最终|已结算|差额",
        "institution|name|cases|points|due|banded|other methods|as booked|refused|assessed|final"
        "|settled|difference",
    )
    rows = [
        (
            one["institution"],
            one["name"] or "-",
            str(one["cases"]),
            one["points"],
            *(format_yuan(one[key]) for key in _COLUMNS),
        )
        for one in year["institutions"]
    ]
    total = year["total"]
    label = output.say("合计", "total")
    rows.append(
        (label, "", str(total["cases"]), "", *(format_yuan(total[key]) for key in _COLUMNS))
    )
    output.table(heads.split("|"), rows, right=range(2, 13))
    _render_deposits(output, year["deposits"])
    output.line(f"  {output.say('结果摘要', 'result')}: {year['result']}")
    output.line(f"  {output.say('政策哈希', 'policy hash')}: {policy['content_hash']}")


def _render_budget(output: Output, budget: dict[str, Any]) -> None:
    said = "  ".join(f"{output.say(zh, en)} {format_yuan(budget[key])}" for key, zh, en in _BUDGET)
    output.line(f"  {said}")


def _render_deposits(output: Output, deposits: list[dict[str, Any]]) -> None:
    if not deposits:
        return
    heads = output.say(
        "质量保证金|名称|考核得分|预留|返还|不予返还",
        "deposit|name|score|withheld|released|forfeited",
    )
    rows = [
        (
            one["institution"],
            one["name"] or "-",
            one["score"] or "-",
            *(
                "-" if one[key] is None else format_yuan(one[key])
                for key in ("withheld_fen", "released_fen", "forfeited_fen")
            ),
        )
        for one in deposits
    ]
    output.table(heads.split("|"), rows, right=range(2, 6))


def _render_run(output: Output, document: dict[str, Any]) -> None:
    state = output.say(_STATES[document["state"]], document["state"])
    output.line(f"{document['run']}  {state}  {document['policy']}")
    output.line(
        output.say("经办 ", "prepared by ")
        + document["prepared_by"]
        + output.say("  复核 ", "  decided by ")
        + (document["decided_by"] or "-")
        + (f"  {document['reason']}" if document["reason"] else "")
    )
    _render_budget(output, document["budget"])
    heads = output.say(
        "机构|名称|应付|分担后|其他|拒付|考核扣款|最终|已结算|差额|返还保证金|不予返还|机构意见",
        "institution|name|due|banded|others|refused|assessed|final|settled|difference|released"
        "|forfeited|said",
    )
    rows = [
        (
            one["institution"],
            one["name"] or "-",
            *(format_yuan(fen) for fen in _amounts(one)),
            _said(output, one["standing"]),
        )
        for one in document["institutions"]
    ]
    label = output.say("合计", "total")
    rows.append((label, "", *(format_yuan(fen) for fen in _amounts(document["total"])), ""))
    output.table(heads.split("|"), rows, right=range(2, 12))
    output.line(f"  {output.say('方案哈希', 'plan hash')}: {document['plan_hash']}")
    if document["state"] == "waiting":
        output.line(
            output.say(
                f"  下一步:由另一人执行 medfund --as USER approve {document['run']}",
                f"  next: somebody else runs medfund --as USER approve {document['run']}",
            )
        )


def _amounts(one: dict[str, Any]) -> tuple[int, ...]:
    return (
        one["due_fen"],
        one["band_fen"],
        one["priced_fen"] + one["as_booked_fen"],
        one["refused_fen"],
        one["assessed_fen"],
        one["final_fen"],
        one["settled_fen"],
        one["difference_fen"],
        one["release_fen"],
        one["forfeit_fen"],
    )


def _said(output: Output, standing: dict[str, Any]) -> str:
    state = output.say(_STANDINGS[standing["state"]], standing["state"])
    parts = (state, standing["date"], standing["signatory"], standing["reason"], standing["answer"])
    return " ".join(part for part in parts if part)


def _render_comparison(output: Output, document: dict[str, Any]) -> None:
    heads = output.say(
        "机构|名称|现行政策最终|并列政策最终|差额",
        "institution|name|final, this policy|final, beside it|difference",
    )
    rows = [
        (
            one["institution"],
            one["name"] or "-",
            format_yuan(one["final_fen"]),
            format_yuan(one["alternative_final_fen"]),
            format_yuan(one["difference_fen"]),
        )
        for one in document["comparison"]
    ]
    output.table(heads.split("|"), rows, right=range(2, 5))
