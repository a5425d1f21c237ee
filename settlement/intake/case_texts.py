"""What the intake says about groupings, reviews and assessments, in Chinese and English."""

from settlement.intake.texts import Text

CASES = {
    "not_a_decimal": Text(
        "「{field}」不是最多四位小数的数:{value}。",
        "{field} is not a number with four decimals at most: {value}.",
        "写成 92.5 或 1850.0000,不带百分号。",
        "Write 92.5 or 1850.0000, without a percent sign.",
    ),
    "points_not_accepted": Text(
        "评议不通过的病例不应有{field} {value}。",
        "The case was not accepted, yet {field} names {value}.",
        "请核对评议结果;不通过的按原规则计点。",
        "Check the decision: a case that is not accepted counts by the ordinary rules.",
    ),
    "points_and_amount": Text(
        "同一评议不能既有认定点数又有{field} {value}。",
        "One review gives points or an amount, not both: {field} names {value}.",
        "按支付方式只填一项:点数法、费率法填点数(权重),按床日、日间病房填金额。",
        "Name what the method counts: points (a weight by DRG rates), or an amount.",
    ),
    "reviews_not_known": Text(
        "结算 {value} 按「{method}」支付,该支付方式不设特例单议。",
        "{value} is paid by {method}, a method without reviews of cases.",
        "请从名单中去掉该笔;政策如有规定,在该方式下写 reviews,批准后再导入。",
        "Take it off the list; where the rules provide for it, let the policy say so (reviews of the "
        "method) and bring it in then.",
    ),
    "review_not_of_method": Text(
        "结算 {setl_id} 按「{method}」支付,该支付方式不用{field} {value}。",
        "{setl_id} is paid by {method}, which cannot count {field} {value}.",
        "点数法认定点数,费率法认定权重或金额,按床日、日间病房认定金额;reviews 为 as_booked 的均不填。",
        "Methods of points count points, DRG rates a weight or an amount, others an amount; as_booked "
        "neither.",
    ),
    "unknown_settlement": Text(
        "账簿中没有结算 {value}。",
        "There is no settlement {value} in the books.",
        "请核对结算ID,或先导入该笔结算。",
        "Check the id, or bring the settlement in first.",
    ),
    "settlement_cancelled": Text(
        "结算 {value} 已退费或冲销({where}),不再是病例。",
        "The settlement {value} was refunded or reversed ({where}): it is no case any more.",
        "请从名单中去掉该笔。",
        "Take it off the list.",
    ),
    "institution_differs": Text(
        "结算 {setl_id} 属于机构 {institution},不是 {value}。",
        "The settlement {setl_id} is of institution {institution}, not {value}.",
        "请核对机构编号与结算ID。",
        "Check the institution and the settlement.",
    ),
    "year_cleared": Text(
        "{year} 年度已清算(批次 {run}),不再接受 {value}。",
        "The year {year} is cleared ({run}); {value} comes too late.",
        "机构有异议的,先登记异议:clear dispute {run} --institution {institution},再导入并重新清算。",
        "Let the institution dispute it first (clear dispute {run} --institution {institution}), "
        "then bring the file in and clear again.",
    ),
    "reviews_above_cap": Text(
        "结算 {value}:机构 {institution} 在 {year} 年 {cases} 例中最多可申请单议 {allowed} 例,已达上限。",
        "{value}: institution {institution} may put up {allowed} of its {cases} cases of {year} for "
        "review, and has.",
        "请核减申请,或在病例增加后再导入;比例由政策 [yearly] review_cap 规定。",
        "Put fewer cases up, or come again when there are more; the share is the policy's "
        "[yearly] review_cap.",
    ),
    "deduction_needs_fund": Text(
        "考核扣款 {value} 没有写明险种。",
        "The deduction {value} does not say from which fund.",
        "请在「险种」列写明,如 310.pooled;得分可以不写险种。",
        "Name the fund, such as 310.pooled; a score alone may speak for all funds.",
    ),
    "row_conflict": Text(
        "{value} 已有不同内容({where})。",
        "{value} has other content already ({where}).",
        "同一文件每个病例(机构)一行;评议结论更改须用新的评议单号。",
        "One row for each case or institution of a file; a changed review has a number of its own.",
    ),
}
