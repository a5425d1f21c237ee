"""A month of ``clear`` on the terminal: what the methods make of it, case by case accounted for."""

from typing import Any

from ledger.domain.money import format_yuan
from medfund.cli.output import Output

_REASONS = {
    "no_group": ("未入组", "no group"),
    "unknown_group": ("病种(组)不在目录", "group not in the list"),
    "unknown_institution": ("机构无系数", "institution without a coefficient"),
    "cost_out_of_bounds": ("费用超出范围", "cost out of bounds"),
    "review_out_of_bounds": ("单议点数超出范围", "points of a review out of bounds"),
    "single_review": ("待特例单议", "awaits a single review"),
    "unknown_auxiliary": ("辅助目录项不在目录", "auxiliary entry not in the list"),
    "no_dates": ("无入院日期", "no date of admission"),
    "no_days": ("无住院天数", "no days"),
    "days_out_of_bounds": ("住院天数超出范围", "days out of bounds"),
}


def render_month(output: Output, document: dict[str, Any]) -> None:
    """Show what the methods of the policy make of a month, and of another beside it."""
    head = f"{document['area']} {document['fund']} {document['period']}"
    output.line(head + output.say("  清算试算,未入账", "  dry run, nothing was posted"))
    _render_policy(output, document)
    if document["alternative"] is not None:
        output.line()
        output.line(output.say("并列试算的政策:", "The policy beside it:"))
        _render_policy(output, document["alternative"])
        _render_comparison(output, document)


def _render_policy(output: Output, found: dict[str, Any]) -> None:
    policy, run = found["policy"], found["run"]
    output.line(
        output.say("政策 ", "policy ") + f"{policy['policy']}  {policy['title']}  {policy['basis']}"
    )
    _render_points(output, found["points"])
    heads = output.say(
        "机构|名称|方法|例数|点数|总费用|记账|应付|应付÷记账|记账÷应付",
        "institution|name|method|cases|points|cost|booked|due|due÷booked|booked÷due",
    )
    rows = [
        _row(one["institution"], one["name"] or "-", method["method"], method)
        for one in found["institutions"]
        for method in one["methods"]
    ]
    rows.append(_row(output.say("合计", "total"), "", "", found["total"]))
    output.table(heads.split("|"), rows, right=range(3, 10))
    _render_cases(output, found)
    for zh, en, key in (
        ("引擎", "engine", "engine"),
        ("引擎版本", "engine version", "engine_version"),
        ("规则哈希", "kernel", "kernel"),
        ("日志位置", "log position", "watermark"),
        ("结果摘要", "result", "result"),
    ):
        output.line(f"  {output.say(zh, en)}: {run[key]}")
    output.line(f"  {output.say('政策哈希', 'policy hash')}: {policy['content_hash']}")


def _row(code: str, name: str, method: str, amounts: dict[str, Any]) -> tuple[str, ...]:
    return (
        code,
        name,
        method,
        str(amounts["cases"]),
        amounts["points"],
        format_yuan(amounts["cost_fen"]),
        format_yuan(amounts["booked_fen"]),
        format_yuan(amounts["due_fen"]),
        amounts["due_over_booked"] or "-",
        amounts["booked_over_due"] or "-",
    )


def _render_points(output: Output, points: dict[str, Any] | None) -> None:
    if points is None:
        return
    amounts = (
        ("当月可分配", "distributable", format_yuan(points["distributable_fen"])),
        ("总点数", "points", points["points"]),
        ("点值(元)", "point value (yuan)", points["value"] or "-"),
        ("差额", "difference", format_yuan(points["difference_fen"])),
    )
    said = "  ".join(f"{output.say(zh, en)} {value}" for zh, en, value in amounts)
    output.line(f"  {said} ({points['difference_account']})")


def _render_cases(output: Output, found: dict[str, Any]) -> None:
    """Account for every case: those that count, and the others with their reason."""
    cases, booked = found["cases"], found["booked"]
    counts = output.say(
        "结算 {settled} 例 = 计入 {counted} + 挂起 {held_back} + 无适用方法 {no_method} + 已退费冲销 {cancelled}",
        "{settled} settlements = {counted} counted + {held_back} held back + {no_method} of no method"
        " + {cancelled} cancelled",
    )
    output.line("  " + counts.format(**cases))
    label = output.say("记账合计(与应付台账核对一致)", "booked, equal to the obligations")
    output.line(f"  {label}: {format_yuan(booked['obligations_fen'])}")
    if booked["insured_elsewhere_fen"]:
        label = output.say("其中其他险种参保人(不按方法清算)", "of it for people insured otherwise")
        output.line(f"  {label}: {format_yuan(booked['insured_elsewhere_fen'])}")
    for one in found["readmissions"]:
        if len(one["person_keys"]) > 1:
            said = output.say(
                "{method}: 人员密钥曾轮换(版本 {keys}),跨版本的再入院无法识别:{stays} 例未能比对",
                "{method}: the person key was rotated (versions {keys}); readmissions across it"
                " are not seen: {stays} stays could not be compared",
            )
            keys = ", ".join(str(key) for key in one["person_keys"])
            line = said.format(method=one["method"], keys=keys, stays=one["uncompared"])
            output.line("  " + line)
    if found["held_back"]:
        _render_held_back(output, found["held_back"])
    if found["no_method"]:
        _render_no_method(output, found["no_method"])


def _render_held_back(output: Output, held: list[dict[str, Any]]) -> None:
    heads = output.say(
        "挂起|机构|方法|病种(组)、天数|例数|总费用|记账|首例位置",
        "held back|institution|method|group, days|cases|cost|booked|first position",
    )
    rows = [
        (
            output.say(*_REASONS[one["reason"]]),
            one["institution"],
            one["method"],
            one["group"] or "-",
            *_sums(one),
        )
        for one in held
    ]
    output.table(heads.split("|"), rows, right=range(4, 8))


def _render_no_method(output: Output, gaps: list[dict[str, Any]]) -> None:
    heads = output.say(
        "无适用方法|清算类别|医疗类别|例数|总费用|记账|首例位置",
        "of no method|clr_type|med_type|cases|cost|booked|first position",
    )
    rows = [(one["institution"], one["clr_type"], one["med_type"], *_sums(one)) for one in gaps]
    output.table(heads.split("|"), rows, right=range(3, 7))


def _sums(one: dict[str, Any]) -> tuple[str, ...]:
    amounts = (format_yuan(one["cost_fen"]), format_yuan(one["booked_fen"]))
    return (str(one["cases"]), *amounts, str(one["first_position"]))


def _render_comparison(output: Output, document: dict[str, Any]) -> None:
    heads = output.say(
        "机构|名称|现行政策应付|并列政策应付|差额",
        "institution|name|due, in force|due, beside it|difference",
    )
    rows = [
        (
            one["institution"],
            one["name"] or "-",
            format_yuan(one["due_fen"]),
            format_yuan(one["alternative_due_fen"]),
            format_yuan(one["difference_fen"]),
        )
        for one in document["comparison"]
    ]
    output.table(heads.split("|"), rows, right=range(2, 5))
