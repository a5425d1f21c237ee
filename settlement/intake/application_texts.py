"""What the intake says about applications for clearing, in Chinese and English."""

from settlement.intake.texts import Text

APPLICATIONS = {
    "application_of_another_month": Text(
        "{value} 不在清算年月 {month} 内。",
        "{value} is not in the clearing month {month}.",
        "一份申请只含一个清算年月的结算;其他月份请另行申请。",
        "An application is for the settlements of one month; apply for the others separately.",
    ),
    "application_month_not_over": Text(
        "清算年月 {value} 尚未结束(今天 {today})。",
        "The clearing month {value} is not over (today is {today}).",
        "请在月末之后申请。",
        "Apply after the end of the month.",
    ),
    "application_does_not_add_up": Text(
        "医疗费总额 {medfee_fen} ≠ 基金申请 {fund_fen} + 个人账户 {acct_fen} + 现金 {cash_fen} "
        "+ 医院负担 {hosp_fen},相差 {difference_fen}。",
        "medfee_sumamt {medfee_fen} is not fund {fund_fen} + account {acct_fen} + cash {cash_fen} "
        "+ hospital {hosp_fen}; the difference is {difference_fen}.",
        "请核对后重新申请。",
        "Check the sums and apply again.",
    ),
    "application_above_booked": Text(
        "「{field}」申请 {applied_fen},超过该机构 {month} 险种 {insutype}、清算类别 {clr_type} 可申报的 "
        "{booked_fen}。",
        "{field} is {applied_fen}, above the {booked_fen} that can be declared for {month}, insurance "
        "{insutype}, clearing type {clr_type}.",
        "请先对账(reconcile institution),按已记账金额申请;已拨付或已申报的不得再申请。",
        "Reconcile first and apply for what is booked; what was paid or declared is not there again.",
    ),
    "application_twice": Text(
        "该机构 {month} 险种 {insutype}、清算类别 {clr_type} 已有申请 {application}({where}):"
        "基金 {fund_fen},个人账户 {acct_fen}。",
        "{application} already applies for {month}, insurance {insutype}, clearing type {clr_type} "
        "({where}): funds {fund_fen}, personal accounts {acct_fen}.",
        "如需更正,先撤销:clear application withdraw 申请编号。",
        "To correct it, withdraw it first: clear application withdraw ID.",
    ),
    "manual_claim_barred": Text(
        "手工报销 {value} 不能受理:{reason_zh}",
        "The manual claim {value} cannot be received: {reason_en}",
        "请按原因更正后重新导入。",
        "Correct what it says and bring the row in again.",
    ),
}
