"""What the posting rules do with a sample of every item, as rows of ``docs/posting-rules.md``."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ledger.domain import settlement_entries as steps
from ledger.domain.chart import CHART, AccountClass
from ledger.domain.claim_roles import PASSTHROUGH, REMOTE
from ledger.domain.entry import Entry
from ledger.domain.posting_rules import ITEMS, Flow, claim_entry, entry_of, reclassification_entry
from settlement.intake.vocabulary import ITEM_WORDS

INSTITUTION = "H33060400001"
_FEN = 100_00
RECLASSIFICATION = "reclassification"

#: The fund of a sample, where an item belongs to one; else 310.pooled.
_FUND = {
    "transfer_in": "310.personal",
    "transfer_out": "310.personal",
    "benefit.personal_account": "310.personal",
    "benefit.assistance": "610",
    "assisted_participation": "610",
    "contribution.assisted": "390",
    "contribution.fiscal": "390",
    "contribution.collective": "390",
    **dict.fromkeys(
        ("subsidy.central", "subsidy.province", "subsidy.city", "subsidy.county"), "390"
    ),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample flow: ``when`` says what is special about it (empty: the plain case)."""

    flow: Flow
    when: str = ""


def plain(item: str) -> Flow:
    """Make the plain flow of an item: only what it cannot do without."""
    return Flow(
        item=item,
        fund=_FUND.get(item, "310.pooled"),
        fen=_FEN,
        year=2023,
        counterparty_fund="390" if item == "assisted_participation" else None,
        original_year=2023 if item == "recovery" else None,
    )


def samples(item: str) -> Iterator[Sample]:
    """Give the plain flow of an item and each case in which its rule does something else."""
    flow = plain(item)
    words = "本年 same year" if item == "recovery" else ""
    yield Sample(flow, words)
    yield from _cases(flow)


def _cases(flow: Flow) -> Iterator[Sample]:
    item = flow.item
    institution = replace(flow, counterparty=INSTITUTION)
    match item:
        case "opening_balance":
            yield Sample(replace(flow, account="advance.prepayment"), "`account` 资产 an asset")
            yield Sample(replace(flow, account="payable.suspense"), "`account` 负债 a liability")
        case "opening_adjustment":
            yield Sample(replace(flow, fen=-_FEN), "负数 negative")
        case "contribution.employer" | "contribution.refund":
            yield Sample(replace(flow, tax_collects=True), "税务征收 `tax_collects`")
        case "benefit.inpatient" | "benefit_returned" | "prepayment_offset":
            yield Sample(institution, "对方单位为定点机构 to an institution")
        case "remote_clearing_paid":
            place = replace(flow, counterparty="310104", original_doc="QF-1")
            yield Sample(place, "按清分单付给区划 by an allocation, to a place")
        case "remote_paid_on":
            named = replace(institution, original_doc="QF-1")
            yield Sample(named, "按清分单付给机构 by an allocation, to an institution")
        case "recovery":
            yield from _recoveries(flow, institution)
        case "fine_received" | "fine_remitted":
            yield Sample(replace(flow, money_account="fiscal"), "`money_account` 注明 named")
        case "suspense_settle":
            named = replace(flow, account="income.contribution.individual")
            yield Sample(named, "`account` 注明 named")
    if item == "benefit.inpatient":
        yield Sample(replace(flow, fund="610"), "610 医疗救助")


def _recoveries(flow: Flow, institution: Flow) -> Iterator[Sample]:
    earlier = replace(flow, original_year=2022)
    yield Sample(earlier, "以前年度 an earlier year")
    yield Sample(replace(institution, method="offset"), "抵扣 `offset`, 本年 same year")
    offset = replace(institution, method="offset", original_year=2022)
    yield Sample(offset, "抵扣 `offset`, 以前年度 an earlier year")
    yield Sample(replace(flow, method="account"), "个账抵扣 `account`")


def entry(flow: Flow) -> Entry:
    """Let the posting rules post a sample."""
    if flow.item == RECLASSIFICATION:
        pair = {
            "income.contribution.employer": -flow.fen,
            "income.contribution.individual": flow.fen,
        }
        return reclassification_entry(flow.fund, pair)
    return entry_of(flow)


def shown(entry: Entry) -> list[str]:
    """Write an entry as the cells fund, debit, credit; one line per posting."""
    if not entry:
        return ["—", "不记账，仅登记 register only", ""]
    return [
        "<br>".join(f"`{posting.fund}`" for posting in entry),
        "<br>".join(f"`{posting.debit}`" for posting in entry),
        "<br>".join(f"`{posting.credit}`" for posting in entry),
    ]


def item_rows() -> Iterator[list[str]]:
    """Give a row for every sample of every item, in the order of the contract's vocabulary."""
    for item in [*ITEM_WORDS, *sorted(ITEMS - set(ITEM_WORDS))]:
        for number, sample in enumerate(samples(item)):
            first = [f"`{item}`", ITEM_WORDS[item][0]] if number == 0 else ["", ""]
            yield [*first, sample.when, *shown(entry(sample.flow))]


def claim_rows() -> Iterator[list[str]]:
    """Give the entry of a settlement at the counter, and of its refund."""
    owed = {"310.pooled": _FEN, "310.personal": _FEN}
    yield ["医保结算 settled", *shown(claim_entry(owed, INSTITUTION))]
    refund = {fund: -fen for fund, fen in owed.items()}
    yield ["退费结算 refunded (金额为负 negative)", *shown(claim_entry(refund, INSTITUTION))]
    one = {"310.pooled": _FEN}
    yield [
        "本地参保、异地就医 insured here, treated elsewhere",
        *shown(claim_entry(one, "310104", REMOTE)),
    ]
    yield [
        "异地参保、本地就医 insured elsewhere, treated here",
        *shown(claim_entry(one, INSTITUTION, PASSTHROUGH)),
    ]


def settling_rows() -> Iterator[list[str]]:
    """Give the entry of each step of settling with an institution."""
    fund, fen = "310.pooled", _FEN
    whom = (fund, INSTITUTION)
    yield ["申报 declared", *shown(steps.declared_entry(*whom, fen))]
    undone = steps.declaration_withdrawn_entry(steps.declared_entry(*whom, fen))
    yield ["撤销申报 application withdrawn (红字，金额为负 in red)", *shown(undone)]
    refused = steps.refused_entry(*whom, declared_fen=fen, booked_fen=fen)
    yield ["审核拒付 refused: 已申报、已记账 of declared, of booked", *shown(refused)]
    withdrawn = steps.refusal_withdrawn_entry(refused)
    yield ["撤销拒付 refusal withdrawn (红字，金额为负 in red)", *shown(withdrawn)]
    approved = steps.approved_entry(*whom, declared_fen=fen, deposit_fen=fen // 20)
    yield ["审定 approved, 扣质量保证金 deposit withheld", *shown(approved)]
    yield ["按应付拨付差额 due above booked", *shown(steps.due_difference_entry(*whom, fen))]
    yield ["按应付拨付差额 due below booked", *shown(steps.due_difference_entry(*whom, -fen))]
    yield ["承保机构支付 paid by the insurer", *shown(steps.insurer_entry("392", INSTITUTION, fen))]
    for same_year, when in ((True, "本年 same year"), (False, "以前年度 an earlier year")):
        offset = steps.recovery_offset_entry(*whom, fen, same_year=same_year)
        yield [f"抵扣追回 recovery offset, {when}", *shown(offset)]
    yield ["冲抵预付金 prepayment offset", *shown(steps.prepayment_offset_entry(*whom, fen))]
    yield ["下付款单 ordered", *shown(steps.ordered_entry(*whom, fen))]
    paid = steps.paid_entry(*whom, {"inpatient": fen, "outpatient": fen})
    yield ["拨付 paid, 按待遇类别 by kind of benefit", *shown(paid)]
    assistance = steps.paid_entry("610", INSTITUTION, {"assistance": fen})
    yield ["拨付 paid, 610 医疗救助", *shown(assistance)]
    yield ["付款失败 payment failed", *shown(steps.payment_failed_entry(*whom, fen))]
    yield ["退汇 payment returned", *shown(steps.payment_returned_entry(*whom, fen))]
    yield [
        "手工报销核定 manual claim, 欠本人 owed to the person",
        *shown(steps.person_owed_entry(fund, "38a81e87e79631e602bf5fbd307ce2fc", fen)),
    ]
    yield ["返还质量保证金 deposit released", *shown(steps.deposit_released_entry(*whom, fen))]
    yield [
        "不予返还质量保证金 deposit forfeited",
        *shown(steps.deposit_forfeited_entry(*whom, fen)),
    ]
    yield ["年度清算差额 yearly difference", *shown(steps.year_cleared_entry(*whom, fen))]
    yield ["年度清算差额，应收回 owed back", *shown(steps.year_cleared_entry(*whom, -fen))]


_CLASS_NAMES = {
    AccountClass.MONEY: "货币资金 money",
    AccountClass.ASSET: "资产 asset",
    AccountClass.LIABILITY: "负债 liability",
    AccountClass.NET_ASSETS: "净资产 net assets",
    AccountClass.INCOME: "收入 income",
    AccountClass.EXPENSE: "支出 expense",
    AccountClass.OWED: "应付机构 owed",
    AccountClass.INCURRED: "发生与拨付 incurred and paid",
}


def chart_rows() -> Iterator[list[str]]:
    """Give the chart of accounts."""
    for account in CHART.values():
        kind = _CLASS_NAMES[account.kind]
        outside = "" if account.in_subtotal else ", 不计入小计 outside 小计"
        yield [f"`{account.key}`", account.code, account.zh, account.en, kind + outside]
