"""The words that files use for the codes of the contract (sections 3 and 4), in both languages.

A mapping leads from every accepted word (narrow, lower case, without spaces) to the code. The
first Chinese word of a code is the one that files written by us use.
"""

from collections.abc import Mapping

Words = Mapping[str, tuple[str, ...]]


def by_word(words: Words) -> dict[str, str]:
    """Turn code → words around; the code itself is a word too."""
    found = {code.lower(): code for code in words}
    for code, names in words.items():
        for name in names:
            if found.setdefault(name.lower(), code) != code:
                raise ValueError(f"{name} names both {found[name.lower()]} and {code}")
    return found


FUND_WORDS: Words = {
    "310": (
        *("职工基本医疗保险", "职工基本医疗保险基金", "城镇职工基本医疗保险", "职工基本医疗"),
        *("城镇职工基本医疗保险基金", "职工医保", "职工医保基金", "职工基本医保"),
    ),
    "310.pooled": (
        *("职工基本医疗保险统筹基金", "职工医保统筹基金", "职工统筹基金", "职工统筹", "统筹基金"),
        *("职工医保统筹", "职工基本医疗保险(统筹)", "职工基本医疗保险(统筹基金)"),
        *("职工基本医疗保险基金(统筹基金)", "城镇职工基本医疗保险统筹基金"),
    ),
    "310.personal": (
        *("职工基本医疗保险个人账户", "职工基本医疗保险个人账户基金", "职工医保个人账户"),
        *("职工个人账户", "个人账户", "个人账户基金", "职工基本医疗保险(个人账户)"),
        *("职工基本医疗保险基金(个人账户)", "城镇职工基本医疗保险个人账户"),
    ),
    "390": (
        *("城乡居民基本医疗保险", "城乡居民基本医疗保险基金", "城乡居民基本", "居民医保"),
        *("城乡居民医保", "城乡居民医疗保险", "居民基本医疗保险", "居民医保基金", "城乡居民"),
    ),
    "330": (
        *("职工大额医疗费用补助", "职工大额医疗费用补助基金", "职工大额", "大额医疗费用补助"),
        *("职工大额医疗补助", "大额补助"),
    ),
    "392": (
        *("城乡居民大病保险", "城乡居民大病保险资金", "城乡居民大病医疗保险", "居民大病"),
        *("居民大病保险", "大病保险"),
    ),
    "320": ("公务员医疗补助", "公务员医疗补助资金", "公务员补助"),
    "340": ("离休人员医疗保障", "离休人员医疗保障基金", "离休人员", "离休"),
    "410": ("长期护理保险", "长期护理保险基金", "长期护理", "长护险", "长期照护保险"),
    "610": ("医疗救助", "医疗救助基金", "医疗救助资金", "城乡医疗救助", "城乡医疗救助基金"),
    "900": ("惠民保",),
}

ITEM_WORDS: Words = {
    "opening_balance": ("期初结余", "期初余额", "上年结余"),
    "opening_adjustment": ("期初调整",),
    "contribution.employer": ("单位缴费", "单位缴费收入"),
    "contribution.individual": ("个人缴费", "个人缴费收入"),
    "contribution.collective": ("集体扶持", "集体扶持收入"),
    "contribution.assisted": ("资助参保", "资助参保收入", "资助参保缴费"),
    "contribution.fiscal": ("财政代缴", "财政代缴收入"),
    "contribution.pending": ("待转保险费收入", "待转保险费", "待转社会保险费收入"),
    "contribution.late_fee": ("滞纳金", "滞纳金收入"),
    "contribution.refund": ("退费", "退缴费", "退保险费"),
    "subsidy.central": ("中央财政补贴", "中央财政补助", "中央补贴"),
    "subsidy.province": ("省级财政补贴", "省财政补贴", "省级财政补助", "省级补贴"),
    "subsidy.city": ("市级财政补贴", "市财政补贴", "市级财政补助", "市级补贴"),
    "subsidy.county": (
        *("县级财政补贴", "县财政补贴", "县级财政补助", "县级补贴"),
        *("区级财政补贴", "区财政补贴", "县(区)级财政补贴", "县区财政补贴"),
    ),
    "interest": ("利息", "利息收入"),
    "transfer_in": ("转移收入",),
    "transfer_out": ("转移支出",),
    "superior_subsidy": ("上级补助收入", "上级补助"),
    "remit_up": ("上解上级支出", "上解支出", "上解上级"),
    "inferior_remit": ("下级上解收入", "下级上解"),
    "subsidy_down": ("补助下级支出", "补助下级"),
    "personal_credit": ("划入个人账户", "划转个人账户", "个人账户划入"),
    "other_income": ("其他收入",),
    "breach_damages": ("违约金", "违约金收入"),
    "other_expense": ("其他支出",),
    "benefit.inpatient": ("住院待遇支出", "住院", "住院待遇", "住院支出", "住院费用支出"),
    "benefit.outpatient": (
        *("门诊待遇支出", "门诊", "门诊待遇", "门诊支出", "门诊统筹", "门诊统筹支出"),
        *("普通门诊", "普通门诊支出", "门诊费用支出"),
    ),
    "benefit.chronic": (
        *("门诊慢特病待遇支出", "门诊慢特病", "慢特病", "门诊慢特病支出", "慢特病支出"),
        *("慢特病待遇支出", "门诊慢特病待遇"),
    ),
    "benefit.pharmacy": ("药店购药支出", "药店购药", "药店", "药店支出", "定点药店购药"),
    "benefit.special_drug": ("特药支出", "特药", "特药待遇支出", "特殊药品", "特殊药品支出"),
    "benefit.maternity_medical": (
        *("生育医疗费用支出", "生育医疗", "生育医疗费", "生育医疗费用", "生育医疗支出"),
        "生育医疗费支出",
    ),
    "benefit.maternity_allowance": ("生育津贴支出", "生育津贴"),
    "benefit.personal_account": ("个人账户支出", "个人账户待遇支出", "个账支出"),
    "benefit.assistance": ("医疗救助支出", "医疗救助", "医疗救助待遇支出", "救助支出"),
    "benefit.manual": ("手工报销支出", "手工报销", "零星报销", "零星报销支出"),
    "benefit.other": ("其他待遇支出", "其他待遇"),
    "benefit_returned": ("退汇", "待遇退汇"),
    "assisted_participation": ("资助参保支出",),
    "catastrophic_premium": ("大病保险支出", "大病保险保费", "大病保险保费支出"),
    "catastrophic_advance": ("大病保险垫付", "大病垫付"),
    "catastrophic_reimbursed": ("大病保险归垫", "归垫", "大病归垫"),
    "catastrophic_surplus_return": ("大病保险盈余返还", "盈余返还", "大病盈余返还"),
    "catastrophic_loss_support": ("大病保险亏损补偿", "亏损补偿", "大病亏损补偿"),
    "prepayment": ("预付", "预付金", "预付款", "拨付预付金"),
    "prepayment_offset": ("预付冲抵", "冲抵预付", "预付金冲抵"),
    "prepayment_return": ("预付收回", "收回预付", "预付金收回", "收回预付金"),
    "advance_out": ("其他暂付", "暂付款", "支付暂付款"),
    "advance_back": ("收回暂付", "暂付收回", "收回其他暂付", "收回暂付款", "其他暂付收回"),
    "suspense_in": ("暂收款", "收到暂收款", "暂收"),
    "suspense_out": ("退还暂收款", "暂收款退还", "支付暂收款", "暂收款支付"),
    "suspense_settle": ("暂收款清理", "结转暂收款", "暂收款结转", "清理暂收款"),
    "loan_in": ("借入款项", "借入"),
    "loan_back": ("归还借入款项", "偿还借入款项", "归还借款", "借入款项归还"),
    "deposit_in": ("存入定期存款", "定期存款", "存入定期", "定期存款存入"),
    "deposit_back": ("定期存款到期", "支取定期存款", "定期存款支取", "定期存款收回"),
    "remote_prefund_out": ("异地预付金", "上解异地预付金", "拨付异地预付金", "异地预付金拨付"),
    "remote_prefund_back": ("异地预付金收回", "收回异地预付金", "异地预付金退回"),
    "remote_clearing_paid": ("异地清算", "异地清算支出", "异地就医清算", "异地清算(参保地)"),
    "remote_received": ("收到异地清算资金", "异地清算收到", "异地资金收到", "异地清算(就医地)收到"),
    "remote_paid_on": (
        *("转付异地清算资金", "异地清算转付", "异地资金转付", "异地清算(就医地)转付"),
    ),
    "recovery": ("追回", "追回基金", "追回医保基金"),
    "fine_received": ("罚款", "没收", "罚没收入", "罚款收入", "罚没款"),
    "fine_remitted": ("罚款上缴", "上缴罚款", "罚没款上缴", "上缴国库"),
    "reclassification": ("重分类",),
    "move.treasury_to_fiscal": ("国库划转财政专户", "国库转财政专户", "国库划入财政专户"),
    "move.income_to_fiscal": ("收入户划转财政专户", "收入户转财政专户", "收入户划入财政专户"),
    "move.fiscal_to_expenditure": ("财政专户拨付支出户", "财政专户转支出户", "财政专户划转支出户"),
    "move.expenditure_to_fiscal": ("支出户划转财政专户", "支出户转财政专户", "支出户划入财政专户"),
    "move.expenditure_interest_to_fiscal": (
        *("支出户利息划转财政专户", "支出户利息转财政专户", "支出户利息划入财政专户"),
    ),
    "move.treasury_refund": ("国库退付", "国库退库", "退付国库"),
}

MONEY_ACCOUNT_WORDS: Words = {
    "treasury": ("国库", "国库存款"),
    "fiscal": ("财政专户", "财政专户存款"),
    "income": ("收入户", "收入户存款"),
    "expenditure": ("支出户", "支出户存款"),
}

#: Who states something of our money (四方对账).
SOURCE_WORDS: Words = {
    "bank": ("银行", "开户银行"),
    "treasury": ("国库", "人民银行国库"),
    "fiscal": ("财政专户", "财政", "财政局"),
    "tax": ("税务", "税务局"),
}

#: Which way the money went, as a bank says it of our account.
DIRECTION_WORDS: Words = {
    "in": ("贷", "贷方", "收", "收入", "来账", "c", "cr", "+"),
    "out": ("借", "借方", "付", "支出", "往账", "d", "dr", "-"),
}

METHOD_WORDS: Words = {
    "cash": ("现金", "现款", "转账", "银行转账", "退款"),
    "offset": ("抵扣", "冲抵", "抵减", "拨付抵扣"),
    "deposit": ("保证金", "保证金抵扣", "质量保证金", "扣保证金"),
    "instalment": ("分期", "分期退回", "分期缴回"),
    "account": ("个账", "个账抵扣", "个人账户", "个人账户抵扣"),
}

CHANNEL_WORDS: Words = {
    "online": ("线上", "联网", "联网结算", "直接结算"),
    "manual": ("手工", "线下", "手工报销", "零星报销"),
}

#: 险种类型 of the national platform.
INSUTYPE_WORDS: Words = {
    "310": ("职工基本医疗保险", "职工医保", "职工基本医疗", "城镇职工基本医疗保险"),
    "320": ("公务员医疗补助",),
    "330": ("大额医疗费用补助", "职工大额医疗费用补助"),
    "340": ("离休人员医疗保障", "离休"),
    "350": ("一至六级残疾军人医疗补助", "一至六级残疾军人"),
    "360": ("老红军医疗保障", "老红军"),
    "370": ("企业补充医疗保险",),
    "380": ("新型农村合作医疗", "新农合"),
    "390": ("城乡居民基本医疗保险", "居民医保", "城乡居民医保"),
    "391": ("城镇居民基本医疗保险", "城镇居民"),
    "392": ("城乡居民大病医疗保险", "城乡居民大病保险"),
    "399": ("其他特殊人员医疗保障",),
    "410": ("长期照护保险", "长期护理保险"),
    "510": ("生育保险",),
}

#: 医疗类别: the national list; areas add their own codes.
MED_TYPE_WORDS: Words = {
    "11": ("普通门诊",),
    "12": ("门诊挂号",),
    "13": ("急诊",),
    "14": ("门诊慢特病",),
    "19": ("意外伤害门诊",),
    "21": ("普通住院",),
    "22": ("外伤住院",),
    "23": ("转外诊治住院",),
    "24": ("急诊转住院",),
    "25": ("异地住院",),
    "26": ("单病种住院",),
    "27": ("自主就医",),
    "28": ("日间手术",),
    "41": ("定点药店购药",),
    "51": ("生育门诊",),
    "52": ("生育住院",),
    "53": ("计划生育",),
}

#: 清算类别 of the national platform; areas add their own codes.
CLR_TYPE_WORDS: Words = {
    "11": ("门诊",),
    "21": ("住院",),
    "41": ("药店",),
    "51": ("暂缓",),
}

#: 清算方式: the list in use; the official dictionary could not be verified, so others pass.
CLR_WAY_WORDS: Words = {
    "1": ("按项目", "按项目付费"),
    "2": ("单病种", "按单病种"),
    "3": ("按病种分值", "dip"),
    "4": ("drg", "按drg"),
    "5": ("床日", "按床日"),
    "6": ("人头", "按人头"),
    "9": ("其他",),
}
