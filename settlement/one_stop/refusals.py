"""What one-stop settlement refuses: gaps of a policy, and costs that do not hang together."""

from ledger.errors import InputRejected, RuleRefused


class NoOneStopPolicy(RuleRefused):
    """No approved one-stop policy speaks for a fund on a date (待遇政策空白)."""

    code = "no_one_stop_policy"
    zh = "险种 {fund} 在 {date} 没有已批准的一站式待遇政策。"
    en = "No approved one-stop policy of fund {fund} is in force on {date}."
    hint_zh = '请提交并批准 kind = "one_stop" 且覆盖该日期的政策(docs/one-stop.md)。'
    hint_en = 'Propose and approve a policy of kind = "one_stop" for that date (docs/one-stop.md).'


class NoRuleFits(RuleRefused):
    """No basic rule of the policy fits the settlement: a gap, never guessed over."""

    code = "no_layer_rule"
    zh = "政策 {policy} 没有适用于该结算的基本医保规则:{kind}。"
    en = "The policy {policy} has no basic rule for this settlement: {kind}."
    hint_zh = "请核对就诊信息,或在政策中补充规则。"
    hint_en = "Check what the settlement is, or add a rule to the policy."


class MoreOutsideThanCost(InputRejected):
    """More lies outside the list than the settlement cost."""

    code = "more_outside_than_cost"
    zh = "全自费、超限价与先行自付合计 {outside_fen} 分,超过总费用 {total_fen} 分。"
    en = "What lies outside the list ({outside_fen} fen) is more than the cost ({total_fen} fen)."
    hint_zh = "请核对各项金额。"
    hint_en = "Check the amounts."
