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
}
