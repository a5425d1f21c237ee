"""Every sentence that the intake says about a row or a file, in Chinese and English.

``{field}`` and ``{value}`` are filled by the rejection itself, all other braces by its facts.
``docs/files.md`` lists every code; a test compares.
"""

from settlement.intake.application_texts import APPLICATIONS
from settlement.intake.bank_texts import BANKS
from settlement.intake.case_texts import CASES
from settlement.intake.payment_texts import PAYMENTS
from settlement.intake.texts import Text

_CELLS = {
    "required": Text(
        "「{field}」不能为空。",
        "{field} is empty.",
        "请填写后重新导入。",
        "Fill it in and bring the file in again.",
    ),
    "formula_error": Text(
        "「{field}」是公式错误:{value}。",
        "{field} holds a formula error: {value}.",
        "请在表格中更正公式或改填数值。",
        "Correct the formula in the spreadsheet or write the value.",
    ),
    "boolean_cell": Text(
        "「{field}」是逻辑值 {value},不是所要的内容。",
        "{field} is the boolean {value}, which means nothing here.",
        "请把单元格改成文本或数字。",
        "Make the cell text or a number.",
    ),
    "not_an_amount": Text(
        "「{field}」不是金额:{value}。",
        "{field} is not an amount: {value}.",
        "金额以元为单位,如 1234.56 或 1,234.56。",
        "Write yuan, such as 1234.56 or 1,234.56.",
    ),
    "too_many_decimals": Text(
        "「{field}」{value} 的小数超过 {places} 位。",
        "{field} {value} has more than {places} decimals.",
        "请先四舍五入到分(公式用 ROUND),不要由系统猜测。",
        "Round to whole fen first (ROUND in a formula); nothing is guessed here.",
    ),
    "malformed_thousands": Text(
        "「{field}」{value} 的千分位不规范。",
        "{field} {value} has misplaced thousands separators.",
        "千分位每三位一个逗号,如 1,234.56;或去掉逗号。",
        "Put a comma every three digits, as in 1,234.56, or none.",
    ),
    "scientific_notation": Text(
        "「{field}」{value} 是科学计数法。",
        "{field} {value} is in scientific notation.",
        "请把单元格格式改为数值或文本后重新填写,原数字可能已丢失尾数。",
        "Format the cell as a number or text and write it again; digits may be lost already.",
    ),
    "parenthesised_amount": Text(
        "「{field}」{value} 用括号表示负数。",
        "{field} {value} writes a negative in parentheses.",
        "负数请用减号,如 -123.45。",
        "Use a minus sign, as in -123.45.",
    ),
    "amount_too_large": Text(
        "「{field}」{value} 超过上限 {limit_fen} 元。",
        "{field} {value} is beyond the limit of {limit_fen} yuan.",
        "请核对单位是否为元。",
        "Check that the unit is yuan.",
    ),
    "not_a_date": Text(
        "「{field}」不是日期:{value}。",
        "{field} is not a date: {value}.",
        "写成 2023-01-05、2023/1/5、20230105 或 2023年1月5日。",
        "Write 2023-01-05, 2023/1/5 or 20230105.",
    ),
    "impossible_date": Text(
        "「{field}」{value} 不是存在的日期。",
        "{field} {value} is no day of the calendar.",
        "请核对年月日。",
        "Check year, month and day.",
    ),
    "date_out_of_range": Text(
        "「{field}」{value} 不在 {first_year}—{last_year} 年之间。",
        "{field} {value} is not between {first_year} and {last_year}.",
        "请核对年份。",
        "Check the year.",
    ),
    "time_not_allowed": Text(
        "「{field}」{value} 带有时刻,这里只要日期。",
        "{field} {value} carries a time of day; only a date belongs here.",
        "请去掉时刻。",
        "Leave the time out.",
    ),
    "not_a_month": Text(
        "「{field}」不是月份:{value}。",
        "{field} is not a month: {value}.",
        "写成 2023-01、202301 或 2023年1月。",
        "Write 2023-01 or 202301.",
    ),
    "numeric_identifier": Text(
        "「{field}」{value} 是数字或日期单元格,编号可能已失真(超过 15 位会丢失,前导零会消失)。",
        "{field} {value} is a number or date cell; an identifier kept like that may be damaged "
        "already (digits beyond 15 and leading zeros are lost).",
        "请把该列设为文本,从源系统重新导出后导入。",
        "Make the column text, export it again from its source, and bring that in.",
    ),
    "text_too_long": Text(
        "「{field}」超过 {limit} 个字符:{value}。",
        "{field} has more than {limit} characters: {value}.",
        "请缩短。",
        "Shorten it.",
    ),
    "control_character": Text(
        "「{field}」{value} 含有不可见字符 {character}。",
        "{field} {value} contains the invisible character {character}.",
        "请清除后重新填写。",
        "Remove it and write the value again.",
    ),
    "not_an_integer": Text(
        "「{field}」不是整数:{value}。",
        "{field} is not a whole number: {value}.",
        "请填写整数。",
        "Write a whole number.",
    ),
    "number_out_of_range": Text(
        "「{field}」{value} 不在 {lowest} 到 {highest} 之间。",
        "{field} {value} is not between {lowest} and {highest}.",
        "请核对。",
        "Check it.",
    ),
    "not_a_flag": Text(
        "「{field}」{value} 不是 0 或 1。",
        "{field} {value} is neither 0 nor 1.",
        "正常填 0,退费填 1。",
        "Write 0 for normal, 1 for a refund.",
    ),
    "unknown_code": Text(
        "「{field}」{value} 不在代码表中。可用:{named}。",
        "{field} {value} is not in the code list. Allowed: {allowed}.",
        "请改用代码表中的代码或名称。",
        "Use a code or name of the list.",
    ),
    "malformed_code": Text(
        "「{field}」{value} 不是规范的代码。",
        "{field} {value} is not a well-formed code.",
        "代码只含字母和数字,不超过 {limit} 位。",
        "A code has letters and digits only, at most {limit}.",
    ),
    "cell_without_head": Text(
        "第 {column} 列没有表头,却有内容:{value}。",
        "Column {column} has no head but holds {value}.",
        "请补上表头或清空;CSV 中含逗号的金额要加引号。",
        "Give it a head or empty it; in a CSV an amount with commas needs quotes.",
    ),
}

_FLOWS = {
    "malformed_area": Text(
        "统筹区 {value} 不是 6 位数字。",
        "The area {value} is not six digits.",
        "请填写 6 位区划代码。",
        "Write the area's six digits.",
    ),
    "other_area": Text(
        "统筹区 {value} 不是本账簿的统筹区 {area}。",
        "The area {value} is not the book's area {area}.",
        "请核对统筹区,或导入对应账簿(--area)。",
        "Check the area, or bring the row into its own book (--area).",
    ),
    "unknown_fund": Text(
        "没有险种 {value}。可用:{named}。",
        "There is no fund {value}. Allowed: {allowed}.",
        "请改用险种代码或名称。",
        "Use a fund's code or name.",
    ),
    "fund_not_in_book": Text(
        "险种 {fund} 未在本账簿建账。已建账:{funds}。",
        "The fund {fund} has no book here. Books: {funds}.",
        "请核对险种,或先用 setup 为它建账。",
        "Check the fund, or open its book by setup first.",
    ),
    "sub_fund_needed": Text(
        "险种 {fund} 须写明 {choices}。",
        "The fund {fund} has sub-funds; write {choices}.",
        "统筹基金与个人账户分别记账。",
        "Pooled fund and personal accounts are booked apart.",
    ),
    "unknown_item": Text(
        "没有项目 {value}。",
        "There is no item {value}.",
        "项目的代码和名称见 docs/files.md。",
        "The items and their names are listed in docs/files.md.",
    ),
    "fund_does_not_fit_item": Text(
        "项目 {item} 只能记在险种 {fits},这里是 {fund}。",
        "The item {item} belongs to the fund {fits}, not {fund}.",
        "请更正险种或项目。",
        "Correct the fund or the item.",
    ),
    "zero_amount": Text(
        "金额为零。",
        "The amount is nil.",
        "没有发生额的行请删除。",
        "Delete rows without an amount.",
    ),
    "negative_amount": Text(
        "项目 {item} 的金额不能为负:{value}。",
        "The item {item} cannot have a negative amount: {value}.",
        "负数只用于期初调整和重分类;更正请冲销原单据。",
        "Negatives are for opening_adjustment and reclassification; reverse the document instead.",
    ),
    "date_in_future": Text(
        "「{field}」{value} 晚于 {limit}。",
        "{field} {value} is after {limit}.",
        "请核对日期。",
        "Check the date.",
    ),
    "original_year_needed": Text(
        "追回须填写原支付年度。",
        "A recovery needs the year of the original payment.",
        "本年追回冲减支出,以前年度记其他收入,须据此区分。",
        "Same-year recoveries lower expense, earlier ones are other income; the year decides.",
    ),
    "original_year_after_date": Text(
        "原支付年度 {value} 晚于入账年度 {year}。",
        "The original year {value} is after the year of the date, {year}.",
        "请核对年度。",
        "Check the years.",
    ),
    "account_needed": Text(
        "项目 {item} 须填写科目。",
        "The item {item} needs an account.",
        "请填写科目代码或名称。",
        "Name the account by code or name.",
    ),
    "unknown_account": Text(
        "没有科目 {value}。",
        "There is no account {value}.",
        "请填写本账簿科目表中的代码或名称。",
        "Use a code or name of the book's chart.",
    ),
    "counterparty_fund_needed": Text(
        "资助参保须填写对方险种(接受资助的险种)。",
        "Assisted participation needs the receiving fund in counterparty_fund.",
        "如 390。",
        "Such as 390.",
    ),
    "counterparty_fund_same": Text(
        "对方险种与险种相同:{fund}。",
        "The counterparty fund is the fund itself: {fund}.",
        "请更正对方险种。",
        "Correct the counterparty fund.",
    ),
    "payer_fund_in_book": Text(
        "资助方险种 {fund} 在本账簿建账,不能再用项目 {item}。",
        "The paying fund {fund} has its book here, so {item} would count the money twice.",
        "请在 {fund} 记资助参保支出(assisted_participation),两边一笔记齐。",
        "Post assisted_participation on {fund}; it books both sides at once.",
    ),
    "doc_no_conflict": Text(
        "单据 {value} 已有不同内容({where})。",
        "The document {value} has other content already ({where}).",
        "同一单据号只能对应一笔内容;请更正单据号或删除一行。",
        "One number, one content: correct the number or delete one of the rows.",
    ),
    "rule_not_applicable": Text(
        "项目 {value} 不能这样记账:{reason_zh}。",
        "The item {value} cannot be posted like this: {reason_en}.",
        "请更正该行后重新导入。",
        "Correct the row and bring it in again.",
    ),
    "reclassification_alone": Text(
        "重分类单据 {value} 只有一行。",
        "The reclassification {value} has a single row.",
        "重分类成对出现:同一单据号、同一险种,合计为零。",
        "Reclassifications come in pairs: same document, same fund, sum nil.",
    ),
    "reclassification_unbalanced": Text(
        "重分类单据 {value} 合计为 {sum_fen},不为零。",
        "The reclassification {value} adds up to {sum_fen}, not to nil.",
        "请核对各行金额与正负号。",
        "Check the amounts and signs of its rows.",
    ),
    "reclassification_mixed": Text(
        "重分类单据 {value} 的各行险种、日期或所属期不一致。",
        "The rows of the reclassification {value} differ in fund, date or month.",
        "同一重分类单据的险种、日期、所属期须相同。",
        "All rows of one reclassification share fund, date and month.",
    ),
    "reclassification_incomplete": Text(
        "重分类单据 {value} 的另一行(第 {other_line} 行)未通过校验,本行不能单独入账。",
        "Another row of the reclassification {value} (line {other_line}) was rejected; "
        "this one cannot be posted without it.",
        "请先更正那一行。",
        "Correct that row first.",
    ),
}

_CLAIMS = {
    "malformed_institution": Text(
        "机构编号 {value} 不规范。",
        "The institution code {value} is malformed.",
        "须为 H 或 P 加 6 位区划加 5 位顺序码,共 12 位。",
        "It has 12 characters: H or P, six digits, five more.",
    ),
    "unknown_institution": Text(
        "本账簿没有机构 {value}。",
        "The institution {value} is not known in this book.",
        "请核对编号;新机构先用 setup 登记。",
        "Check the code; register a new institution by setup first.",
    ),
    "not_of_this_area": Text(
        "参保地 {value} 和就医地都不属于统筹区 {area}。",
        "Neither the place of insurance {value} nor that of care belongs to the area {area}.",
        "请核对参保地、就医地;本区的其他区划代码在 setup 的 [claims] places 中登记。",
        "Check both places; further codes of the area are named in [claims] places of the setup.",
    ),
    "amounts_do_not_add_up": Text(
        "医疗费总额 {medfee_fen} ≠ 基金 {fund_fen} + 个人账户 {acct_fen} + 现金 {cash_fen} "
        "+ 医院负担 {hosp_fen},相差 {difference_fen}。",
        "medfee_sumamt {medfee_fen} is not fund {fund_fen} + account {acct_fen} + cash {cash_fen} "
        "+ hospital {hosp_fen}; the difference is {difference_fen}.",
        "请从源系统重新导出该笔结算。",
        "Export this settlement again from its source.",
    ),
    "parts_do_not_add_up": Text(
        "基金支付总额 {fund_fen} ≠ 各基金支出之和 {parts_fen},相差 {difference_fen}。",
        "fund_pay_sumamt {fund_fen} is not the sum of its parts {parts_fen}; "
        "the difference is {difference_fen}.",
        "请核对各基金分项。",
        "Check the parts by fund.",
    ),
    "wrong_sign": Text(
        "「{field}」{value} 的正负号与退费结算标志 {flag} 不符。",
        "{field} {value} has the wrong sign for refd_setl_flag {flag}.",
        "正常结算不为负,退费结算不为正。",
        "A normal settlement is not negative, a refund is not positive.",
    ),
    "end_before_begin": Text(
        "结束日期 {value} 早于开始日期 {begndate}。",
        "enddate {value} is before begndate {begndate}.",
        "请核对日期。",
        "Check the dates.",
    ),
    "setl_id_conflict": Text(
        "结算 {value} 已有不同内容({where})。",
        "The settlement {value} has other content already ({where}).",
        "同一结算ID只能对应一笔内容;请从源系统核对。",
        "One settlement, one content: check it at its source.",
    ),
    "refund_without_original": Text(
        "退费 {value} 在账簿与本文件中都没有原结算。",
        "There is no settlement {value} in the books or this file that the refund could mirror.",
        "请先导入原结算,或与原结算放在同一文件。",
        "Bring the original in first, or in the same file.",
    ),
    "refund_not_mirror": Text(
        "退费 {value} 与原结算不是等额负数:{differences}。",
        "The refund {value} does not mirror its original: {differences}.",
        "退费须与原结算逐项相反。",
        "A refund mirrors its original in every amount.",
    ),
}

_STATEMENTS = {
    "statement_not_a_month": Text(
        "对账期间 {begndate} 至 {value} 不是一个完整的月份。",
        "From {begndate} to {value} is not one whole month.",
        "对账按自然月:起于 1 日,止于当月最后一日。",
        "Statements are by calendar month: from its first day to its last.",
    ),
    "statement_conflict": Text(
        "{value} 在本文件第 {first_line} 行已有不同内容。",
        "{value} has other content on line {first_line} of this file.",
        "同一文件中每组(每笔)只能有一行;请核对。",
        "One row for each group or settlement of a file: check it at its source.",
    ),
}

#: What can be wrong with a row (行).
ROW_TEXTS: dict[str, Text] = {
    **_CELLS,
    **_FLOWS,
    **_CLAIMS,
    **_STATEMENTS,
    **CASES,
    **APPLICATIONS,
    **BANKS,
    **PAYMENTS,
}
