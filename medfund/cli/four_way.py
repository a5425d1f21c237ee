"""``reconcile bank|treasury|fiscal|tax`` and ``reconcile sign``: our money against others' statements."""

from pathlib import Path
from typing import Any

import click

from ledger.domain.fund import FUNDS
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from medfund.bootstrap import House
from medfund.cli.app import Session, pass_session
from medfund.cli.files import deliver
from medfund.cli.reading import Month
from projections.reports.balance_tables import balance_tables
from projections.reports.csv import to_csv
from projections.reports.xlsx import to_xlsx
from settlement.banking import COUNTERPARTIES
from settlement.reconciliation.money_document import COUNTERPARTY_NAMES, money_document
from settlement.reconciliation.money_recording import month_of_money, record_money
from settlement.reconciliation.recording import INSTITUTION
from settlement.reconciliation.resolving import annotate
from settlement.reconciliation.signing import sign, signature_of

_SHOWN = 50
RESULT_FILES = (".csv", ".xlsx")
MONEY_ACCOUNT_NAMES = {
    "treasury": ("国库", "treasury"),
    "fiscal": ("财政专户", "fiscal"),
    "income": ("收入户", "income"),
    "expenditure": ("支出户", "expenditure"),
}


def counterparty_command(counterparty: str) -> click.Command:
    """Make the command of one counterparty: they differ in whose statement is compared."""
    zh, en = COUNTERPARTY_NAMES[counterparty]

    @click.command(
        counterparty,
        help=f"与{zh}对账,余额调节表 / with the {en}: balances and what is outstanding",
    )
    @click.argument("period", type=Month())
    @click.option(
        "--fund", type=click.Choice(list(FUNDS)), help="只看存放该险种的账户 / its accounts"
    )
    @click.option(
        "--result",
        "target",
        type=click.Path(path_type=Path),
        help="结果文件 .csv 或 .xlsx / write the result to a file",
    )
    @click.option("--record", "recording", is_flag=True, help="登记结果和勾对 / record the result")
    @pass_session
    def command(
        session: Session,
        period: Period,
        fund: str | None,
        target: Path | None,
        recording: bool,  # noqa: FBT001
    ) -> None:
        """Reconcile; differences are a result, not an error."""
        if recording and fund:
            raise click.UsageError("--record 登记全部账户的结果 / --record is about all accounts")
        if target is not None and target.suffix.lower() not in RESULT_FILES:
            raise click.UsageError("--result FILE.csv | FILE.xlsx")
        output = session.output
        with session.house() as house:
            document = _document(session, house, counterparty, period, fund, recording=recording)
        if target is not None:
            tables = balance_tables(document, lang=output.lang)
            is_sheet = target.suffix.lower() == ".xlsx"
            deliver(to_xlsx(tables) if is_sheet else b"".join(map(to_csv, tables)), target)
            document["file"] = str(target)
        output.answer(document, lambda: _render(session, document))

    return command


def _document(
    session: Session,
    house: House,
    counterparty: str,
    period: Period,
    fund: str | None,
    *,
    recording: bool,
) -> dict[str, Any]:
    area = session.area(house)
    if recording:
        area.allow(session.user, "reconcile")
    found = month_of_money(house.ledger, area, counterparty, period, fund)
    recorded = record_money(house.ledger, area, found, user=session.user) if recording else None
    document = money_document(found, area, today=house.today(), lang=session.output.lang)
    annotate(house.ledger, area.code, document, session.output.lang)
    document["signature"] = signature_of(
        house.ledger, area, counterparty=counterparty, period=str(period)
    )
    if recorded is not None:
        document["recorded"] = {"position": recorded.position, "repeated": recorded.repeated}
    return document


def _render(session: Session, document: dict[str, Any]) -> None:
    output, summary = session.output, document["summary"]
    rate = summary["match_rate"] or "-"
    output.line(
        output.say(
            f"{document['period']} 与{document['counterparty_name']}对账,日志位置 "
            f"{document['position']}:{summary['accounts']} 个账户,勾对 {summary['matched']} 笔,"
            f"中心未达 {summary['open_ours']},对方未达 {summary['open_theirs']},"
            f"金额不符 {summary['unequal']},对平率 {rate}%",
            f"{document['period']} with the {document['counterparty_name']}, log position "
            f"{document['position']}: {summary['accounts']} accounts, {summary['matched']} payments "
            f"matched, open in ours {summary['open_ours']}, in theirs {summary['open_theirs']}, "
            f"unequal {summary['unequal']}, match rate {rate}%",
        )
    )
    for account in document["accounts"]:
        _render_account(session, account)
    _render_open(session, document)
    signature = document["signature"]
    if "recorded" in document:
        at = document["recorded"]["position"]
        same = document["recorded"]["repeated"]
        zh = f"与位置 {at} 的登记相同,未重复登记。" if same else f"已登记,位置 {at}。"
        en = f"the same as recorded at {at}; nothing added." if same else f"recorded at {at}."
        output.line(output.say(zh, en))
    if signature["recorded_by"] and not signature["signed_by"]:
        words = f"reconcile sign {document['period']} --counterparty {document['counterparty']}"
        output.line(
            output.say(
                f"  下一步:由另一人执行 medfund --as USER {words}",
                f"  next: somebody else runs medfund --as USER {words}",
            )
        )
    if "file" in document:
        output.line(output.say(f"已写入 {document['file']}", f"written to {document['file']}"))


def _render_account(session: Session, account: dict[str, Any]) -> None:
    output = session.output
    theirs = account["theirs_fen"]
    rows = [
        (
            output.say("余额", "balance")
            if account["basis"] == "balance"
            else output.say("发生额", "movements"),
            format_yuan(account["ours_fen"]),
            "-" if theirs is None else format_yuan(theirs),
        ),
        (
            output.say("加减未达", "outstanding"),
            format_yuan(account["theirs_in_fen"] + account["theirs_out_fen"]),
            format_yuan(account["ours_in_fen"] + account["ours_out_fen"]),
        ),
        (
            output.say("调节后", "adjusted"),
            format_yuan(account["adjusted_ours_fen"]),
            "-" if theirs is None else format_yuan(account["adjusted_theirs_fen"]),
        ),
    ]
    heads = [account["account"], output.say("中心", "ours"), output.say("对方", "theirs")]
    output.table(heads, rows, right=(1, 2))
    said = account["result_name"]
    if account["difference_fen"]:
        said += output.say(
            f":差额 {format_yuan(account['difference_fen'])},期初 "
            f"{format_yuan(account['opening_fen'])},金额不符 {format_yuan(account['unequal_fen'])}",
            f": {format_yuan(account['difference_fen'])} apart, opening "
            f"{format_yuan(account['opening_fen'])}, unequal {format_yuan(account['unequal_fen'])}",
        )
    output.line(f"  {said}")
    if not account["registered"] and theirs is not None:
        place = MONEY_ACCOUNT_NAMES[account["money_account"]]
        output.line(
            output.say(
                f"  ! 账号没有在设置中登记,按全部险种的{place[0]}核对;请登记 [[bank_accounts]]。",
                f"  ! the account is not in the setup and is held against the {place[1]} account of "
                "all funds; register it under [[bank_accounts]].",
            ),
            style="yellow",
        )
    for gap in account["gaps"]:
        output.line(
            output.say(
                f"  ! {gap['date']} 对账单余额不连续:应为 {format_yuan(gap['expected_fen'])},"
                f"对账单为 {format_yuan(gap['stated_fen'])}",
                f"  ! {gap['date']} the stated balance does not follow: expected "
                f"{format_yuan(gap['expected_fen'])}, stated {format_yuan(gap['stated_fen'])}",
            ),
            style="yellow",
        )


def _render_open(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    rows = [
        (
            account["account"],
            output.say("中心", "ours") if one["side"] == "ours" else document["counterparty_name"],
            one["date"],
            format_yuan(one["fen"]),
            one["ref"] or "",
            one["text"] + (output.say(" (可对多笔)", " (several fit)") if one["ambiguous"] else ""),
            str(one["days"]),
            one["owner"],
        )
        for account in document["accounts"]
        for one in account["outstanding"]
    ]
    rows += [
        (
            account["account"],
            output.say("金额不符", "unequal"),
            one["theirs"]["date"],
            f"{format_yuan(one['ours']['fen'])} / {format_yuan(one['theirs']['fen'])}",
            one["ours"]["ref"] or "",
            one["theirs"]["text"],
            str(one["theirs"]["days"]),
            one["ours"]["owner"],
        )
        for account in document["accounts"]
        for one in account["unequal"]
    ]
    if not rows:
        return
    heads = output.say(
        "账户|哪方|日期|金额|单据号/流水号|摘要|天数|责任人",
        "account|side|date|amount|reference|text|days|owner",
    ).split("|")
    output.table(heads, rows[:_SHOWN], right=(3, 6))
    if len(rows) > _SHOWN:
        output.line(
            output.say(
                f"另有 {len(rows) - _SHOWN} 笔;全部见 --result FILE。",
                f"{len(rows) - _SHOWN} more; --result FILE has all.",
            )
        )


@click.command(
    "sign", help="复核签字已登记的对账 / sign a recorded reconciliation off; not by who recorded it"
)
@click.argument("period", type=Month())
@click.option(
    "--counterparty",
    required=True,
    type=click.Choice([*COUNTERPARTIES, INSTITUTION]),
    help="与谁 / with whom",
)
@click.option("--reason", help="仍有差额时的理由 / why, where balances are still apart")
@pass_session
def sign_command(session: Session, period: Period, counterparty: str, reason: str | None) -> None:
    """Sign off."""
    output = session.output
    with session.house() as house:
        area = session.area(house)
        signed = sign(
            house.ledger,
            area,
            counterparty=counterparty,
            period=period,
            user=session.user,
            reason=reason,
        )
        document = {
            "period": str(period),
            "counterparty": counterparty,
            **signature_of(house.ledger, area, counterparty=counterparty, period=str(period)),
            "position": signed.position,
            "repeated": signed.repeated,
        }
    output.answer(
        document,
        lambda: output.line(
            output.say(
                f"{period} 已由 {document['signed_by']} 签字(登记 {document['recorded_by']})。",
                f"{period} signed by {document['signed_by']}, "
                f"recorded by {document['recorded_by']}.",
            )
        ),
    )
