"""The columns of the files that the intake knows, with every head they are recognised by.

One ``Kind`` per file format of the contract (section 4). A column's key is its name in the
contract; ``zh`` is the label that messages use, ``aliases`` are further heads seen in exports.
"""

from dataclasses import replace

from settlement.intake.column_forms import Column, Form, Kind
from settlement.intake.column_forms import amount_column as _amount
from settlement.intake.column_forms import code_column as _code
from settlement.intake.column_forms import id_column as _id
from settlement.intake.column_forms import text_column as _text

__all__ = ["Column", "Form", "Kind"]

FUND_FLOWS = Kind(
    name="fund_flows",
    zh="基金收支流水",
    key_column="doc_no",
    columns=(
        _id("doc_no", "单据号", "单据编号", "凭证号", "单号", required=True),
        Column("date", "入账日期", Form.DATE, required=True, aliases=("日期", "记账日期")),
        _code("area", "统筹区", "统筹区划", "统筹区编码", "统筹区代码", required=True),
        _code("fund", "险种", "险种类型", "基金", "险种编码", required=True),
        _code("item", "项目", "收支项目", required=True),
        _amount("amount", "金额", "发生额", "收支金额", required=True),
        Column("belongs_to", "费款所属期", Form.MONTH, aliases=("所属期", "费用所属期")),
        _text("counterparty", "对方单位", "对方", "对方名称"),
        _code("counterparty_fund", "对方险种", "对方基金"),
        _code("money_account", "资金账户", "账户"),
        _id("original_doc", "原单据号", "原单据编号"),
        Column("original_year", "原支付年度", Form.INTEGER, aliases=("原年度",)),
        _code("method", "方式", "追回方式", "收付方式"),
        _text("account", "科目", "会计科目"),
        _code("channel", "渠道", "结算渠道"),
        _text("person_class", "人员类别", "人员类型"),
        _text("note", "备注", "摘要", "说明"),
    ),
)

CLAIMS = Kind(
    name="claims",
    zh="医保结算明细",
    key_column="setl_id",
    columns=(
        _id("setl_id", "结算ID", "结算编号", "结算号", "结算流水号", required=True),
        _id("mdtrt_id", "就诊ID", "就诊编号", "就诊号", "就诊流水号"),
        Column("psn_no", "人员编号", Form.IDENTIFIER, True, ("个人编号",), personal=True),
        _code("insutype", "险种类型", "险种", required=True),
        _code(
            "fixmedins_code",
            "定点医药机构编号",
            *("定点医药机构编码", "定点医药机构代码", "定点机构编号", "医药机构编号"),
            *("医疗机构编号", "医疗机构编码", "医疗机构代码", "机构编码", "机构编号"),
            required=True,
        ),
        _code("med_type", "医疗类别", required=True),
        _code("clr_type", "清算类别", required=True),
        _code("clr_way", "清算方式"),
        Column("setl_time", "结算时间", Form.TIME, required=True, aliases=("结算日期",)),
        Column("begndate", "开始日期", Form.DATE, aliases=("入院日期", "就诊开始日期", "开始时间")),
        Column("enddate", "结束日期", Form.DATE, aliases=("出院日期", "就诊结束日期", "结束时间")),
        _amount("medfee_sumamt", "医疗费总额", "医疗总费用", "医疗费用总额", required=True),
        _amount("fulamt_ownpay_amt", "全自费金额", "全自费费用"),
        _amount("overlmt_selfpay", "超限价自费费用", "超限价金额", "超限价自费金额"),
        _amount("preselfpay_amt", "先行自付金额", "先行自付费用"),
        _amount("inscp_scp_amt", "符合政策范围金额", "inscp_amt", "符合范围金额", "政策范围内金额"),
        _amount("act_pay_dedc", "实际支付起付线", "起付线", "起付标准"),
        _amount("hifp_pay", "基本医疗保险统筹基金支出", "统筹基金支出", "统筹基金支付"),
        _amount("cvlserv_pay", "公务员医疗补助资金支出", "公务员医疗补助支出", "公务员补助支出"),
        _amount("hifes_pay", "企业补充医疗保险基金支出", "企业补充医疗保险支出"),
        _amount("hifmi_pay", "居民大病保险资金支出", "居民大病保险支出", "大病保险支出"),
        _amount(
            "hifob_pay",
            "职工大额医疗费用补助基金支出",
            *("职工大额医疗补助支出", "职工大额补助支出", "大额医疗补助支出"),
        ),
        _amount("maf_pay", "医疗救助基金支出", "医疗救助支出"),
        _amount("oth_pay", "其他支出", "其他基金支出", "othfund_pay"),
        _amount("fund_pay_sumamt", "基金支付总额", "基金支付总金额", required=True),
        _amount("acct_pay", "个人账户支出", "个人账户支付", required=True),
        _amount("psn_cash_pay", "个人现金支出", "个人现金支付", required=True),
        _amount("hosp_part_amt", "医院负担金额", "医院负担"),
        Column("refd_setl_flag", "退费结算标志", Form.FLAG, aliases=("退费标志", "退费结算标识")),
        _amount("acct_mulaid_pay", "个人账户共济支付金额", "账户共济支付金额", "共济账户支付金额"),
        _amount("hifdm_pay", "伤残人员医疗保障基金支出", "一至六级残疾军人医疗补助基金支出"),
        _code("psn_type", "人员类别", "人员类型"),
        _code("maf_psn_type", "救助人员类别", "医疗救助人员类别", "医疗救助对象类别"),
        _code("mdtrt_cert_type", "就诊凭证类型"),
        _code("pay_chnl", "支付渠道", "支付途径"),
        _code("pay_loc", "支付地点类别", "支付地点"),
        _code("insuplc_admdvs", "参保地医保区划", "参保地区划", "参保地"),
        _code("mdtrtarea_admvs", "就医地医保区划", "就医地区划", "就医地"),
        _code("dise_code", "病种编码", "病组编码", "病种代码", "分组编码"),
        Column("days", "住院天数", Form.INTEGER, aliases=("天数", "住院床日")),
        _code("dscg_way", "离院方式", "出院方式"),
    ),
)

_INSTITUTION = _code(
    "fixmedins_code",
    "定点医药机构编号",
    *(
        "定点医药机构编码",
        "定点医药机构代码",
        "医药机构编号",
        "医疗机构编号",
        "机构编码",
        "机构编号",
    ),
    required=True,
)
_STATED_MONTH = (
    Column(
        "stmt_begndate",
        "对账开始日期",
        Form.DATE,
        required=True,
        aliases=("对账起始日期", "对账开始时间", "对账起始时间"),
    ),
    Column(
        "stmt_enddate",
        "对账结束日期",
        Form.DATE,
        required=True,
        aliases=("对账截止日期", "对账结束时间", "对账截止时间"),
    ),
)
_STATED_AMOUNTS = (
    _amount("medfee_sumamt", "医疗费总额", "医疗总费用", "医疗费用总额", required=True),
    _amount("fund_pay_sumamt", "基金支付总额", "基金支付总金额", required=True),
    _amount("acct_pay", "个人账户支出", "个人账户支付", required=True),
)
_REFUND = Column("refd_setl_flag", "退费结算标志", Form.FLAG, aliases=("退费标志", "退费结算标识"))

STATEMENT_TOTALS = Kind(
    name="statement_totals",
    zh="机构对总账",
    key_column="fixmedins_code",
    columns=(
        _INSTITUTION,
        _code("insutype", "险种类型", "险种", required=True),
        _code("clr_type", "清算类别", required=True),
        *_STATED_MONTH,
        *_STATED_AMOUNTS,
        Column(
            "fixmedins_setl_cnt",
            "定点医药机构结算笔数",
            Form.INTEGER,
            required=True,
            aliases=("医药机构结算笔数", "结算笔数"),
        ),
        _REFUND,
        _text("note", "备注", "说明"),
    ),
)

STATEMENT_DETAILS = Kind(
    name="statement_details",
    zh="机构对明细账",
    key_column="setl_id",
    columns=(
        _id("setl_id", "结算ID", "结算编号", "结算号", "结算流水号", required=True),
        _id("mdtrt_id", "就诊ID", "就诊编号", "就诊号", "就诊流水号"),
        Column("psn_no", "人员编号", Form.IDENTIFIER, aliases=("个人编号",), personal=True),
        _INSTITUTION,
        *_STATED_MONTH,
        *_STATED_AMOUNTS,
        _REFUND,
    ),
)

_SETTLEMENT = _id("setl_id", "结算ID", "结算编号", "结算号", "结算流水号", required=True)
_GIVEN_INSTITUTION = replace(_INSTITUTION, required=False)

GROUPINGS = Kind(
    name="groupings",
    zh="病例入组结果",
    key_column="setl_id",
    columns=(
        _SETTLEMENT,
        _GIVEN_INSTITUTION,
        _code("dise_code", "病种编码", "病组编码", "病种代码", "分组编码", required=True),
        _text("auxiliary", "辅助目录", "辅助目录命中", "辅助分型"),
        Column("reason", "入组原因", Form.TEXT, required=True, aliases=("原因", "调整原因")),
        _text("note", "备注", "说明"),
    ),
)

CASE_REVIEWS = Kind(
    name="case_reviews",
    zh="特例单议结果",
    key_column="setl_id",
    columns=(
        _SETTLEMENT,
        _GIVEN_INSTITUTION,
        _id("review_no", "评议单号", "单议编号", "评议编号", required=True),
        _code("decision", "评议结果", "评议结论", "单议结果", required=True),
        Column("points", "认定点数", Form.CODE, aliases=("认定分值", "评议分值", "认定权重")),
        _amount("amount", "认定金额", "评议金额"),
        Column("reason", "评议理由", Form.TEXT, required=True, aliases=("理由", "评议意见")),
        _text("note", "备注", "说明"),
    ),
)

ASSESSMENTS = Kind(
    name="assessments",
    zh="年度考核结果",
    key_column="fixmedins_code",
    columns=(
        _INSTITUTION,
        Column("year", "考核年度", Form.INTEGER, required=True, aliases=("年度",)),
        Column("score", "考核得分", Form.CODE, required=True, aliases=("考核分数", "得分")),
        _amount("deduction", "考核扣款", "考核扣减金额", "扣款金额", "扣款"),
        _code("fund", "险种", "险种类型", "基金"),
        _text("note", "备注", "说明"),
    ),
)

BANK_STATEMENT = Kind(
    name="bank_statement",
    zh="银行对账单",
    key_column="date",
    columns=(
        Column(
            "date", "交易日期", Form.DATE, required=True, aliases=("日期", "记账日期", "入账日期")
        ),
        _amount("amount", "交易金额", "金额", "发生额", required=True),
        _amount("balance", "余额", "账户余额", "账面余额"),
        _text("counterparty", "对方户名", "对方单位", "对方名称", "对方"),
        _text("summary", "摘要", "交易摘要"),
        Column(
            "bank_ref",
            "流水号",
            Form.IDENTIFIER,
            required=True,
            aliases=("交易流水号", "银行流水号", "回单编号", "电子税票号码", "国库凭证号"),
            may_be_empty=True,
        ),
        _id("account", "账号", "本方账号", "银行账号"),
        _code("fund", "险种", "险种类型", "基金"),
        _code("source", "来源", "对账单来源"),
    ),
)

#: In place of, or beside, the amount: how banks write which way the money went.
PAID_APART = (
    Column("paid_in", "收入金额", Form.AMOUNT, required=True, may_be_empty=True),
    Column("paid_out", "支出金额", Form.AMOUNT, required=True, may_be_empty=True),
)
DIRECTION = Column("direction", "借贷标志", Form.CODE, required=True)

CLEARING_APPLICATIONS = Kind(
    name="clearing_applications",
    zh="清算申请",
    key_column="fixmedins_code",
    columns=(
        _INSTITUTION,
        _text("fixmedins_name", "定点医药机构名称", "医药机构名称", "机构名称"),
        _code("insutype", "险种类型", "险种", required=True),
        _code("clr_type", "清算类别", required=True),
        _code("clr_way", "清算方式"),
        Column("setlym", "清算年月", Form.MONTH, required=True, aliases=("结算年月", "clr_ym")),
        Column("psntime", "人次", Form.INTEGER, aliases=("结算人次", "清算人次")),
        _amount("medfee_sumamt", "医疗费总额", "医疗总费用", "医疗费用总额", required=True),
        _amount("med_sumfee", "医保认可费用总额", "hi_agre_sumfee", "认可费用总额"),
        _amount("fund_appy_sum", "基金申请总额", "基金申报总额", "申请基金总额", required=True),
        _amount("cash_payamt", "现金支付金额", "个人现金支出", "个人现金支付", required=True),
        _amount("acct_pay", "个人账户支出", "个人账户支付", "个人账户支付金额", required=True),
        _amount("hosp_part_amt", "医院负担金额", "医院负担"),
        Column("begndate", "开始日期", Form.DATE, aliases=("清算开始日期",)),
        Column("enddate", "结束日期", Form.DATE, aliases=("清算结束日期",)),
        _text("note", "备注", "说明"),
    ),
)

PAYMENT_RESULTS = Kind(
    name="payment_results",
    zh="付款结果",
    key_column="order_no",
    columns=(
        _id("order_no", "付款单号", "支付单号", "客户业务编号", required=True),
        _code("result", "付款结果", "处理结果", "支付结果", required=True),
        Column("date", "付款日期", Form.DATE, required=True, aliases=("交易日期", "日期")),
        _amount("amount", "金额", "付款金额", "交易金额"),
        _id("bank_ref", "银行流水号", "流水号", "交易流水号"),
        _text("reason", "失败原因", "原因", "退汇原因"),
        _text("note", "备注", "说明"),
    ),
)

REMOTE_ALLOCATIONS = Kind(
    name="remote_allocations",
    zh="异地清分明细",
    key_column="setl_sn",
    columns=(
        _id("setl_sn", "结算流水号", "结算ID", "就医结算流水号", required=True),
        Column("clr_ym", "清分年月", Form.MONTH, required=True, aliases=("清分月份",)),
        _code("mdtrtarea", "就医地", "就医地区划", "就医地医保区划", required=True),
        _code("insuplc", "参保地", "参保地区划", "参保地医保区划"),
        _code("medins_no", "医疗机构编号", "医药机构编号", "定点医药机构编号", required=True),
        Column("certno", "证件号码", Form.IDENTIFIER, aliases=("身份证号",), personal=True),
        _id("mdtrt_id", "就诊ID", "就诊编号", "就诊登记号"),
        Column("mdtrt_setl_time", "就诊结算时间", Form.TIME, aliases=("结算时间",)),
        Column("fulamt_advpay_flag", "全额垫付标志", Form.FLAG, aliases=("全额垫付",)),
        _amount("medfee_sumamt", "医疗费总额", "医疗总费用", required=True),
        _amount("optins_pay_sumamt", "经办机构支付总额", "经办机构支付金额", required=True),
        _REFUND,
    ),
)

PERSON_PAYMENTS = Kind(
    name="person_payments",
    zh="个人待遇付款",
    key_column="ref",
    columns=(
        _id("ref", "受理号", "受理编号", "报销单号", required=True),
        Column("psn_no", "人员编号", Form.IDENTIFIER, True, ("个人编号",), personal=True),
        Column("psn_name", "姓名", Form.TEXT, True, ("户名", "收款人"), personal=True),
        Column("bank_account", "银行账号", Form.IDENTIFIER, True, ("账号", "卡号"), personal=True),
        _text("bank_name", "开户行", "开户银行"),
        _code("fund", "险种", "险种类型", "基金", required=True),
        _code("kind", "待遇类别", "报销类别"),
        _amount("amount", "金额", "付款金额", "报销金额", required=True),
        _text("note", "备注", "说明"),
    ),
)

PREPAYMENTS = Kind(
    name="prepayments",
    zh="预付申请",
    key_column="fixmedins_code",
    columns=(
        _INSTITUTION,
        _text("fixmedins_name", "定点医药机构名称", "医药机构名称", "机构名称"),
        _code("fund", "险种", "险种类型", "基金", required=True),
        Column("period", "预付年月", Form.MONTH, required=True, aliases=("预付月份",)),
        Column("date", "付款日期", Form.DATE, required=True, aliases=("日期",)),
        _amount("amount", "预付金额", "金额", required=True),
        _text("note", "备注", "说明"),
    ),
)

MANUAL_CLAIMS = Kind(
    name="manual_claims",
    zh="手工报销受理单",
    key_column="claim_no",
    columns=(
        _id("claim_no", "受理编号", "受理号", "报销编号", required=True),
        Column("psn_no", "人员编号", Form.IDENTIFIER, True, ("个人编号",), personal=True),
        _code("insutype", "险种类型", "险种", required=True),
        Column("date", "费用日期", Form.DATE, required=True, aliases=("出院日期", "就诊日期")),
        Column("received", "受理日期", Form.DATE, required=True, aliases=("收件日期",)),
        Column("documents", "票据张数", Form.INTEGER, required=True, aliases=("票据数",)),
        _amount("medfee_sumamt", "医疗费总额", "医疗总费用", "医疗费用总额"),
        _amount("fulamt_ownpay_amt", "全自费金额", "全自费费用"),
        _amount("overlmt_selfpay", "超限价自费费用", "超限价金额"),
        _amount("preselfpay_amt", "先行自付金额", "先行自付费用"),
        _code("med_type", "医疗类别"),
        Column("hosp_lv", "机构等级", Form.INTEGER, aliases=("医院等级",)),
        _code("psn_type", "人员类别", "人员类型"),
        _code("maf_psn_type", "救助人员类别", "医疗救助人员类别"),
        Column("elsewhere", "异地就医标志", Form.FLAG, aliases=("异地标志",)),
        _id("setl_id", "原结算ID", "结算ID", "结算编号"),
        Column("reason", "报销原因", Form.TEXT, required=True, aliases=("原因", "手工报销原因")),
    ),
)

#: Every format the intake knows, in the order in which heads are tried.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        FUND_FLOWS,
        CLAIMS,
        STATEMENT_TOTALS,
        STATEMENT_DETAILS,
        GROUPINGS,
        CASE_REVIEWS,
        ASSESSMENTS,
        BANK_STATEMENT,
        CLEARING_APPLICATIONS,
        PAYMENT_RESULTS,
        REMOTE_ALLOCATIONS,
        PERSON_PAYMENTS,
        PREPAYMENTS,
        MANUAL_CLAIMS,
    )
}

#: Heads that our own rejects file adds: it can be corrected and brought in again as it is.
REJECTS_COLUMNS = frozenset({"行号", "line", "错误", "errors"})


def label(kind: str, key: str) -> str:
    """Name a column for a Chinese reader; a key that is no column names itself."""
    known = KINDS.get(kind)
    more = (*PAID_APART, DIRECTION) if known is BANK_STATEMENT else ()
    found = [column.zh for column in (*(known or ()), *more) if column.key == key]
    return found[0] if found else key
