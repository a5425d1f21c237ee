"""Why a payout is refused (拨付的拒绝理由)."""

from ledger.errors import Conflict, InputRejected, RuleRefused


class PayoutFaulty(InputRejected):
    """The payout is asked for in a way that cannot be prepared."""

    code = "payout_faulty"
    zh = "拨付的 {field} 不能接受:{reason_zh}。"
    en = "The {field} of the payout cannot be taken: {reason_en}."
    hint_zh = "请更正后重新提交。"
    hint_en = "Correct it and prepare it again."


class NothingToPay(RuleRefused):
    """Nothing is approved and not ordered, or all of it is held back (无可拨付)."""

    code = "nothing_to_pay"
    zh = "险种 {fund} 没有可下付款单的已审定金额(暂不拨付的机构 {held} 家)。"
    en = "Fund {fund} has nothing approved to be ordered ({held} institutions are held back)."
    hint_zh = "请先完成月度结算的审定(clear),或用 payout prepare --dry-run 查看暂不拨付的原因。"
    hint_en = "Approve a monthly run (clear) first, or see who is held back with --dry-run."


class PayoutStale(RuleRefused):
    """What is owed is not what was prepared (应付已变化)."""

    code = "payout_stale"
    zh = "拨付单 {payout} 制单后应付已变化:{institution} 制单 {prepared} 元,现可拨付 {payable} 元。"
    en = (
        "What is owed changed since {payout} was prepared: {institution}, prepared {prepared},"
        " payable now {payable}."
    )
    hint_zh = "请退回(reject)后重新制单。"
    hint_en = "Reject it and prepare it again."


class ResultConflict(Conflict):
    """The bank said something else about the order before (银行结果不一致)."""

    code = "payment_result_conflict"
    zh = "付款单 {order} 已登记为 {state}({date}),与本次结果 {result} 不一致。"
    en = "The order {order} is {state} already ({date}); this result is {result}."
    hint_zh = "已付讫后退回的,请用 payout fail --returned 登记退汇;失败的须重新下单。"
    hint_en = "A paid one that came back is payout fail --returned; a failed one is ordered again."
