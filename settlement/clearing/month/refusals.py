"""Why a monthly clearing is refused (按月清算的拒绝理由)."""

from ledger.errors import BooksDamaged, RuleRefused


class ClearingNotPostedYet(RuleRefused):
    """This version computes a month and posts nothing (尚不入账)."""

    code = "clearing_not_posted_yet"
    zh = "本版本只试算 {period} 的清算,尚不入账。"
    en = "This version computes the clearing of {period} and does not post it yet."
    hint_zh = "请加 --dry-run 试算。"
    hint_en = "Add --dry-run to compute it."


class ClearingMonthNotOver(RuleRefused):
    """A month is settled after its end (月末之后清算)."""

    code = "clearing_month_not_over"
    zh = "{period} 尚未结束(今天 {today}),不能清算入账。"
    en = "{period} is not over (today is {today}); it is not settled before."
    hint_zh = "可加 --dry-run 试算;月末之后再清算。"
    hint_en = "Add --dry-run to compute it; settle it after its end."


class FundNotCleared(RuleRefused):
    """Methods of payment are for the fund that owes 统筹基金支付, by the insured's insurance type."""

    code = "fund_not_cleared"
    zh = "险种 {fund} 不按支付方式清算;本统筹区可清算:{funds}。"
    en = "Fund {fund} is not cleared by payment methods; this area clears: {funds}."
    hint_zh = "职工医保请用 --fund 310.pooled。"
    hint_en = "For the employee fund use --fund 310.pooled."


class PolicyOfAnotherFund(RuleRefused):
    """The policy to compare with is of another fund."""

    code = "policy_of_another_fund"
    zh = "政策 {policy} 适用于险种 {its_fund},不是 {fund}。"
    en = "The policy {policy} is of fund {its_fund}, not {fund}."
    hint_zh = "请选用同一险种的政策。"
    hint_en = "Choose a policy of the same fund."


class PolicyChangesWithinMonth(RuleRefused):
    """Two policies speak for days of one month: no month's share of a budget is theirs alone."""

    code = "policy_changes_within_month"
    zh = "{period} 月内政策变更:{first} 之后自 {day} 起为 {second}。"
    en = "The policy changes within {period}: {first}, then {second} from {day} on."
    hint_zh = "请使政策自月初起生效。"
    hint_en = "Let a policy begin with a month."


class IntakeUnderWay(RuleRefused):
    """A claims intake of the fund has not finished: the month's cases are not all there."""

    code = "clearing_intake_unfinished"
    zh = "险种 {fund} 有未完成的导入 {intake},不能清算。"
    en = "The intake {intake} for fund {fund} has not finished; there is no clearing before."
    hint_zh = "请重新执行该文件的导入使其完成。"
    hint_en = "Bring the same file in again so that it finishes."


class TotalsDiffer(BooksDamaged):
    """What has to add up does not: nothing of the run may be used (勾稽不符)."""

    code = "clearing_totals_differ"
    zh = "{period} 险种 {fund} 清算勾稽不符:{what} 应为 {expected},得 {found}。"
    en = (
        "The clearing of {period}, fund {fund}, does not add up: {what} is {found}, not {expected}."
    )
    hint_zh = "请执行 verify 核验日志与归档,并停止清算。"
    hint_en = "Run verify for the log and the archive, and stop clearing."
