"""What the intake says about the bank's results and payments to persons, in Chinese and English."""

from settlement.intake.texts import Text

PAYMENTS = {
    "unknown_payment_order": Text(
        "没有已下单的付款单 {value}。",
        "There is no payment order {value}.",
        "付款单号见导出给银行的付款单(payout show ID --format xlsx);未批准的拨付单没有付款单。",
        "See the sheet for the bank (payout show ID --format xlsx); a batch that is not approved has none.",
    ),
    "payment_amount_differs": Text(
        "金额 {amount_fen} 与付款单的 {order_fen} 不同。",
        "The amount {amount_fen} is not the {order_fen} of the order.",
        "请核对付款单号与金额;一笔付款单只能全额付讫或失败。",
        "Check number and amount; an order is paid whole or fails.",
    ),
    "payment_result_conflict": Text(
        "付款单 {order} 已登记为 {state}({date}),与本行 {value} 不一致。",
        "The order {order} is {state} already ({date}); this row says {value}.",
        "付讫后退回的写「退汇」;失败的须重新下单,不能再登记付讫。",
        "Write returned for one that was paid and came back; a failed one is ordered again.",
    ),
    "prepayment_not_positive": Text(
        "预付金额 {value} 须大于零。",
        "The amount {value} must be above nil.",
        "请核对金额;收回预付金用 payout prepay-return。",
        "Check the amount; prepayment is taken back with payout prepay-return.",
    ),
    "institution_not_prepaid": Text(
        "机构 {value} 在 {date} 的状态为 {status},不预付。",
        "{value} is {status} on {date} and is not prepaid.",
        "请删除该行;机构状态见 institution show。",
        "Delete the row; institution show says how it stands.",
    ),
    "prepayment_refused": Text(
        "险种 {fund} 不符合预付条件({why}):{period} 末可支付 {months} 个月,须 {needed} 个月;"
        "上年结余 {last_year} 元,近 12 个月结余 {forecast} 元。",
        "Fund {fund} may not prepay ({why}): {months} payable months at the end of {period}, {needed}"
        " are needed; surplus of last year {last_year}, of the last 12 months {forecast}.",
        "条件见政策的 [prepayment]。",
        "The gate is [prepayment] of the fund's policy.",
    ),
    "prepayment_not_offered": Text(
        "险种 {fund} 没有预付条件,不能预付。",
        "There is no gate for fund {fund}, so nothing is prepaid from it.",
        "请在该险种的政策中写明 [prepayment] 的 gate_months。",
        "Name gate_months under [prepayment] of the fund's policy.",
    ),
    "prepayment_returned_too_much": Text(
        "退回 {amount} 元超过机构 {institution} 在险种 {fund} 的预付金余额 {balance} 元。",
        "{amount} yuan came back; {institution} holds only {balance} of prepayment of fund {fund}.",
        "请用 payout prepaid 查看余额;已冲抵的部分请先更正冲抵。",
        "See the balances with payout prepaid; what was offset is corrected first.",
    ),
    "payment_document_stands": Text(
        "付款单 {value} 的单据号 {doc_no} 已有单据在账。",
        "The document {doc_no} of the order {value} stands already.",
        "请核对该单据;手工登记的请先冲销(reverse)。",
        "Check that document; reverse it where it was entered by hand.",
    ),
    "person_amount_not_positive": Text(
        "付款金额 {value} 须大于零。",
        "The amount {value} must be above nil.",
        "请核对金额。",
        "Check the amount.",
    ),
    "person_payment_conflict": Text(
        "受理号 {value} 已有不同内容的付款申请({where})。",
        "{value} was asked for with other content ({where}).",
        "请核对受理号;已付讫的不得重付,失败或退汇的可再次申请。",
        "Check the reference; what was paid is not paid again, what failed or came back may be.",
    ),
    "manual_claim_not_owed": Text(
        "手工报销 {value} 尚未核定,或险种 {fund} 不承担。",
        "The manual claim {value} is not approved, or fund {fund} owes nothing for it.",
        "请先核定(approve)该手工报销;各险种承担的金额见 manual show。",
        "Approve the claim first; what each fund owes is in manual show.",
    ),
    "manual_claim_differs": Text(
        "金额 {value} 与手工报销核定的 {owed_fen} 不同。",
        "The amount {value} is not the {owed_fen} that the manual claim settled.",
        "请按核定金额付款,一个险种一行。",
        "Pay what was settled, one row for each fund.",
    ),
    "manual_claim_of_another": Text(
        "人员编号 {value} 不是该手工报销的参保人。",
        "{value} is not the person of the manual claim.",
        "请核对受理号与人员编号。",
        "Check the reference and the person's number.",
    ),
}
