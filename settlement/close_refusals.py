"""Why a close or a reopening is refused (月结的拒绝理由), in the order they are checked."""

from ledger.errors import BooksDamaged, InputRejected, RuleRefused


class FundNotClosable(RuleRefused):
    """A close is of a whole fund of the area."""

    code = "fund_not_closable"
    zh = "险种 {fund} 不能单独月结;本统筹区可月结的险种:{funds}。"
    en = "{fund} cannot be closed by itself; this area closes: {funds}."
    hint_zh = "职工医保请用 --fund 310,两个子基金一并月结。"
    hint_en = "Use --fund 310 for the employee fund: both sub-funds close together."


class MonthNotOver(RuleRefused):
    """The month has not ended yet."""

    code = "month_not_over"
    zh = "{period} 尚未结束(今天 {today}),不能月结。"
    en = "{period} is not over yet (today is {today}); it cannot be closed."
    hint_zh = "可用 --dry-run 先行试算。"
    hint_en = "A dry run (--dry-run) is possible already."


class EarlierMonthOpen(RuleRefused):
    """Months are closed in order."""

    code = "earlier_month_open"
    zh = "险种 {fund} 须按月顺序月结:应先结 {expected},不能直接结 {period}。"
    en = "Fund {fund} closes its months in order: {expected} comes before {period}."
    hint_zh = "请先执行 close {expected} --fund {fund}。"
    hint_en = "Run close {expected} --fund {fund} first."


class CheckFailed(RuleRefused):
    """A blocking check of the plan failed."""

    code = "close_check_failed"
    zh = "{run} 未通过检查:{checks}。"
    en = "{run} fails these checks: {checks}."
    hint_zh = "请用 close show {run} 查看,退回并更正后重新月结。"
    hint_en = "See close show {run}; reject it, correct the books and close again."


class NotLatestMonth(RuleRefused):
    """Only the latest sealed month can be reopened."""

    code = "not_latest_month"
    zh = "险种 {fund} 最近封账月为 {latest},不能反结账 {period}。"
    en = "The latest sealed month of fund {fund} is {latest}; {period} cannot be reopened."
    hint_zh = "更早月份请在开放月份用红字冲销更正。"
    hint_en = "Correct earlier months by reversal in an open one."


class UnknownRun(InputRejected):
    """No close run of that name."""

    code = "unknown_run"
    zh = "没有月结 {run}。"
    en = "There is no run {run}."
    hint_zh = "请用 close list 查看。"
    hint_en = "See close list."


class PositionUnsealed(BooksDamaged):
    """An event of the month lies under no seal of the log."""

    code = "position_unsealed"
    zh = "位置 {position} 的事件没有封签。"
    en = "The event at position {position} lies under no seal."
    hint_zh = "请立即执行 verify 并停止记账。"
    hint_en = "Run verify at once and stop posting."
