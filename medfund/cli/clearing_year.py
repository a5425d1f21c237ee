"""``clear YEAR``: what a year leaves each institution, computed or prepared for a second person."""

from pathlib import Path
from typing import Any

from ledger.domain.money import format_yuan
from ledger.domain.period import Year
from medfund.bootstrap import House
from medfund.cli.app import Session
from medfund.cli.output import Output
from medfund.partitions import spread_of
from settlement.clearing.owed import Records
from settlement.clearing.policy_file import read_policy
from settlement.clearing.provisional import (
    Chosen,
    Question,
    ask,
    chosen_from_file,
    chosen_of,
    refuse_other_funds,
    refuse_unfinished,
)
from settlement.clearing.records import records_now
from settlement.clearing.refusals import ClearingNotPostedYet
from settlement.clearing.year_document import year_document
from settlement.clearing.year_refusals import YearProblem
from settlement.clearing.year_run import clear_year, policy_of_year
from settlement.policies import load_policies

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
    """Compute the clearing of a year."""
    if not dry_run:
        raise ClearingNotPostedYet(period=year)
    content = read_policy(Path(other)) if other is not None and other.endswith(".toml") else None
    with session.house() as house:
        area = session.area(house)
        refuse_other_funds(area, fund)
        policies = load_policies(house.ledger, area.code)
        chosen = policy_of_year(policies, fund, Year.parse(year))
        alternative: Chosen | None = None
        if content is not None:
            alternative = chosen_from_file(content)
        elif other is not None:
            alternative = chosen_of(policies.find(other))
        question, records = question_of_year(session, house, area.code, fund, Year.parse(year))
        found = clear_year(question, records, chosen)
        beside = None if alternative is None else clear_year(question, records, alternative)
        names = {code: name for code, (name, _) in area.institutions.items()}
    document = year_document(found, beside, area=area.code, fund=fund, year=year, names=names)
    session.output.answer(document, lambda: _render(session.output, document, found.problems))


def question_of_year(
    session: Session, house: House, area: str, fund: str, year: Year
) -> tuple[Question, Records]:
    """Bring the archive up to the log as it stands, and ask there."""
    log = house.ledger.log
    refuse_unfinished(log, area, fund)
    with session.output.progress("archive") as progress:
        records = records_now(log, house.archive, area=area, progress=progress)
    refuse_unfinished(log, area, fund)
    question = ask(
        records.archive,
        records.engine,
        area=area,
        fund=fund,
        period=year,
        watermark=records.watermark,
    )
    spread = spread_of(house)
    return (question if spread is None else spread(question)), records


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
    said = "  ".join(
        f"{output.say(zh, en)} {format_yuan(year['budget'][key])}" for key, zh, en in _BUDGET
    )
    output.line(f"  {said}")
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
