"""The words of a settlement statement (结算单), Chinese and English."""

from collections.abc import Sequence

CLR_TYPES = {
    "11": ("门诊", "outpatient"),
    "21": ("住院", "inpatient"),
    "41": ("药店购药", "pharmacy"),
    "51": ("暂缓", "deferred"),
}
KINDS = {
    "dip": ("按病种分值", "DIP"),
    "drg": ("DRG点数", "DRG points"),
    "drg_rate": ("DRG费率", "DRG rate"),
    "per_diem": ("按床日", "per diem"),
    "fee_for_service": ("按项目", "fee for service"),
    "capitation": ("按人头", "capitation"),
    "county_community": ("县域医共体总额", "county community"),
    "day_ward": ("日间病房", "day ward"),
}
STANDINGS = {
    "cancelled": ("已退费或冲销", "cancelled"),
    "no_group": ("挂起:未入组", "held back: no group"),
    "unknown_group": ("挂起:病种(组)不在目录", "held back: unknown group"),
    "unknown_institution": ("挂起:机构无系数", "held back: no coefficient"),
    "cost_out_of_bounds": ("挂起:费用超出范围", "held back: cost out of bounds"),
    "review_out_of_bounds": ("挂起:单议点数超出范围", "held back: review out of bounds"),
    "single_review": ("挂起:待单议", "held back: waits for a review"),
    "unknown_auxiliary": ("挂起:辅助目录项不在目录", "held back: unknown auxiliary entry"),
    "no_days": ("挂起:无住院天数", "held back: no days"),
    "no_dates": ("挂起:无出入院日期", "held back: no dates"),
    "normal": ("正常", "normal"),
    "low": ("低倍率", "low"),
    "high": ("高倍率", "high"),
    "reviewed": ("特例单议", "reviewed"),
    "incomplete": ("不完整住院", "incomplete stay"),
    "bed_day": ("床日病组", "bed-day group"),
    "readmitted": ("再入院", "readmitted"),
}
BRIDGE = {
    "booked": ("记账金额(统筹基金应付定点机构)", "Booked at the counter"),
    "refused": ("减:审核拒付", "less: refused in the audit"),
    "undeclared": ("减:尚未申报", "less: not declared yet"),
    "unaudited": ("减:已申报,尚未审定", "less: declared, not settled yet"),
    "deposit": ("减:暂扣质量保证金", "less: quality deposit withheld"),
    "forfeited": ("减:不予返还质量保证金", "less: quality deposit forfeited"),
    "insurer": ("减:承保机构支付", "less: paid by the insurer"),
    "cleared": ("加:清算差额(应付减记账)", "plus: difference of the clearing (due − booked)"),
    "offset": ("减:抵扣追回款", "less: recoveries taken off"),
    "prepaid": ("减:冲抵预付金", "less: prepayment used up"),
    "carried_in": ("加:上期结转", "plus: carried in"),
    "carried_out": ("减:结转下期", "less: carried out"),
}
STATES = {
    "ordered": ("待银行结果", "with the bank"),
    "paid": ("付讫", "paid"),
    "failed": ("付款失败", "failed"),
    "returned": ("退汇", "returned"),
}
PLAN = {
    "requested": ("用款申请", "asked for"),
    "granted": ("财政批复", "granted"),
    "drawn": ("拨入支出户", "drawn"),
    "ordered": ("已下付款单", "ordered"),
    "committed": ("个人、预付占用", "taken up by persons, prepayments"),
}
#: 年度清算: words, column, sign, shown where nil. Down to 年度应付, then to 差额, then the deposit.
YEAR = (
    (("计入结余超支的应付", "due that goes through the bands"), "due_fen", 1, True),
    (("计入清算病例的记账", "booked of the cases that count"), "booked_fen", 1, True),
    (("经结余留用、超支分担", "after retained surplus and shared overrun"), "band_fen", 1, True),
    (("  其中:调节金承担", "  of it: borne by the reserve"), "borne_fen", 1, False),
    (("  其中:结余返还", "  of it: share of a surplus"), "surplus_fen", 1, False),
    (("  未分担的超支", "  overrun not borne"), "not_borne_fen", 1, False),
    (("加:其他支付方式应付", "plus: by the other methods"), "priced_fen", 1, False),
    (("加:无支付方式,按记账", "plus: of no method, as booked"), "as_booked_fen", 1, False),
    (("减:审核拒付", "less: refused in the audit"), "refused_fen", -1, True),
    (("减:考核扣减", "less: assessed"), "assessed_fen", -1, True),
    (("舍入", "rounding"), "rounding_fen", 1, False),
    (("年度应付", "due of the year"), "final_fen", 1, True),
    (("减:各月已审定", "less: settled in the months"), "settled_fen", -1, True),
    (("减:各月仍待审定", "less: still expected of the months"), "expected_fen", -1, False),
    (("年度清算差额", "difference of the year"), "difference_fen", 1, True),
    (("各月暂扣质量保证金", "deposit withheld in the months"), "withheld_fen", 1, True),
    (("返还质量保证金", "deposit released"), "released_fen", 1, True),
    (("不予返还质量保证金", "deposit forfeited"), "forfeited_fen", 1, True),
)
STATIONS = {
    "booked": ("记账(结算+退费笔数)", "booked (settlements + refunds)"),
    "declared": ("申报", "declared"),
    "refused": ("审核拒付", "refused"),
    "refusal_withdrawn": ("撤销拒付", "refusal withdrawn"),
    "settled": ("审定", "settled"),
    "year_cleared": ("年度清算差额", "difference of the year"),
    "ordered": ("下付款单", "ordered"),
    "paid": ("银行付讫", "paid"),
    "failed": ("付款失败", "failed"),
    "returned": ("退汇", "returned"),
    "bank_line": ("对账单行", "line of the statement"),
}
SETTLED = {
    (False, "approved"): ("审定应拨", "settled, payable"),
    (False, "waiting"): ("清算待复核", "computed, waits for approval"),
    (True, "approved"): ("年度清算差额、返还保证金", "difference of the year, deposit released"),
    (True, "waiting"): ("年度清算待复核", "year computed, waits for approval"),
}
AGREES = {
    "books": ("应付台账", "obligations book"),
    "runs": ("清算批次", "clearing runs"),
    "bank": ("付款单", "payment orders"),
}


def total(lang: str) -> str:
    """Name a row of sums."""
    return "合计" if lang == "zh" else "total"


def nothing(lang: str, columns: Sequence[object]) -> tuple[str | None, ...]:
    """Give the row of a table that has none."""
    return ("无" if lang == "zh" else "none", *(None,) * (len(columns) - 1))
