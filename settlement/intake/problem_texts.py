"""Every sentence that the intake says about a whole file, in Chinese and English."""

from settlement.intake.texts import Text

_EXPORT_AGAIN = ("请从源系统重新导出。", "Export it again from its source.")
_SAVE_AS = ("请另存为 .xlsx 或 CSV(UTF-8 或 GB18030)。", "Save it as .xlsx or CSV.")

_CONTAINER = {
    "not_a_file": Text(
        "{path} 不是文件。", "{path} is not a file.", "请指定一个文件。", "Name a file."
    ),
    "file_not_found": Text(
        "没有文件 {path}。", "There is no file {path}.", "请核对路径。", "Check the path."
    ),
    "file_unreadable": Text(
        "文件无法打开:{reason}。",
        "The file cannot be opened: {reason}.",
        "请核对路径和权限。",
        "Check the path and its permissions.",
    ),
    "empty_file": Text("文件是空的。", "The file is empty.", *_EXPORT_AGAIN),
    "unsupported_format": Text(
        "文件是 {format},不是表格文件。", "The file is {format}, not a table we read.", *_SAVE_AS
    ),
    "binary_content": Text(
        "第 {line} 行含有空字节,文件已损坏或不是文本。",
        "Line {line} contains a NUL byte: damaged, or not a text file.",
        *_EXPORT_AGAIN,
    ),
    "undecodable": Text(
        "第 {line} 行有无法按 {encoding} 解读的字节。",
        "Line {line} has a byte that is not {encoding}.",
        "文件可能被截断或混用编码;请另存为 UTF-8。",
        "The file may be cut off or mix encodings; save it as UTF-8.",
    ),
    "malformed_csv": Text(
        "第 {line} 行的引号不成对或位置不对。",
        "The quotes on line {line} do not match or are misplaced.",
        *_EXPORT_AGAIN,
    ),
    "field_too_long": Text(
        "第 {line} 行有超过 {limit} 个字符的单元格,可能少了一个引号。",
        "Line {line} has a cell of more than {limit} characters; a quote may be missing.",
        *_EXPORT_AGAIN,
    ),
    "damaged_workbook": Text(
        "工作簿已损坏或不完整:{reason}。",
        "The workbook is damaged or incomplete: {reason}.",
        *_EXPORT_AGAIN,
    ),
    "encrypted_workbook": Text(
        "工作簿有密码。",
        "The workbook is protected by a password.",
        "请取消密码后重新导入。",
        "Remove the password and bring it in again.",
    ),
    "workbook_too_large": Text(
        "工作簿展开后过大:{reason}。",
        "The workbook is too large once unpacked: {reason}.",
        "请另存为 CSV,或拆成几个文件。",
        "Save it as CSV, or split it.",
    ),
    "formula_errors_unplaced": Text(
        "工作簿含有无法定位的公式错误。",
        "The workbook holds formula errors that cannot be located.",
        "请更正 #REF!、#DIV/0! 等错误后另存。",
        "Correct the #REF!, #DIV/0! and the like, and save it again.",
    ),
}

_HEADS = {
    "too_many_columns": Text(
        "表头有 {columns} 列,超过 {limit} 列。",
        "The head has {columns} columns, more than {limit}.",
        "请删除多余的列。",
        "Delete the surplus columns.",
    ),
    "unknown_kind": Text(
        "认不出文件种类。最接近 {kind},缺少:{missing}。",
        "The kind of file is not recognised. Closest is {kind}, which lacks: {missing}.",
        "表头须在前 {rows} 行之内;列名见 docs/files.md。",
        "The head must be within the first {rows} rows; docs/files.md lists the columns.",
    ),
    "missing_column": Text(
        "{kind} 缺少必需的列:{missing}。",
        "{kind} lacks required columns: {missing}.",
        "请补上这些列;列名见 docs/files.md。",
        "Add these columns; docs/files.md lists their names.",
    ),
    "duplicate_column": Text(
        "列 {column} 出现多次:{heads}。",
        "The column {column} appears more than once: {heads}.",
        "请只保留一列。",
        "Keep only one.",
    ),
    "unknown_column": Text("不认识的列已忽略:{heads}。", "Unknown columns are left out: {heads}."),
    "several_sheets": Text(
        "多个工作表都像数据表:{sheets}。",
        "Several sheets look like data: {sheets}.",
        "请每个文件只留一个。",
        "Keep one per file.",
    ),
    "other_sheets": Text("没有读取的工作表:{sheets}。", "Sheets that were not read: {sheets}."),
    "unit_in_title": Text(
        "第 {line} 行写着「{title}」,而金额列的表头没有单位。",
        "Line {line} says {title}, but the amount column's head names no unit.",
        "请把单位写进表头,如「金额(万元)」,或改为元。",
        "Put the unit into the head, such as 金额(万元), or convert to yuan.",
    ),
    "several_layouts": Text(
        "不止一种对账单格式符合这个表头:{profiles}。",
        "More than one bank's profile fits this head: {profiles}.",
        "请用 --profile 指明。",
        "Name one with --profile.",
    ),
    "unknown_layout": Text(
        "设置中没有对账单格式 {profile}。已有:{profiles}。",
        "The setup has no bank profile {profile}. It has: {profiles}.",
        "请核对名称,或在 setup 的 [[bank_profiles]] 中登记。",
        "Check the name, or add it under [[bank_profiles]] of the setup.",
    ),
    "no_rows": Text("文件没有数据行。", "The file has no rows of data."),
    "too_many_rejected": Text(
        "已有 {rows} 行有问题,第 {line} 行之后不再检查。",
        "{rows} rows are rejected already; nothing after line {line} was checked.",
        "整列可能错位或单位不符;请先更正所列问题再导入。",
        "A column may be shifted or in another unit; correct what is listed and bring it in again.",
    ),
}

_TOTALS = {
    "control_total_mismatch": Text(
        "第 {line} 行合计的「{figure}」为 {stated},实际为 {actual}。",
        "The control row on line {line} states {figure} {stated}; the rows give {actual}.",
        "文件可能不完整或被改动;请重新导出。",
        "The file may be incomplete or altered; export it again.",
    ),
    "control_row_not_last": Text(
        "第 {line} 行是合计行,但后面还有数据(第 {next_line} 行)。",
        "Line {line} is a control row, but line {next_line} follows it.",
        "合计行须在最后;各页小计请删除。",
        "The control row stands last; delete subtotals.",
    ),
    "control_row_unreadable": Text(
        "第 {line} 行合计的「{figure}」无法读取:{value}。",
        "The control row on line {line} has an unreadable {figure}: {value}.",
        "笔数写在 {count_column},金额写在 {sum_column}。",
        "Write the count in {count_column} and the sum in {sum_column}.",
    ),
    "control_total_unchecked": Text(
        "有 {rows} 行的「{figure}」无法读取,合计金额未能核对。",
        "The {figure} of {rows} rows cannot be read, so the control sum was not compared.",
    ),
}

_BANKS = {
    "balance_unchecked": Text(
        "没有余额,未核对余额是否连续。",
        "There is no balance, so nothing was checked against it.",
        "如银行提供余额,请一并导出。",
        "Export the balance too where the bank has it.",
    ),
}

_BOOKS = {
    "part_not_booked": Text(
        "{rows} 行的 {part} 合计 {sum_fen} 元:本账簿没有应付该部分的险种,未记应付。",
        "{part} of {rows} rows, {sum_fen} yuan in all: no fund of this book owes it, nothing is booked.",
        "如应由本统筹区支付,请在 setup 中开设该险种或设置 [claims.parts]。",
        "If this area owes it, open the fund or set [claims.parts] in the setup.",
    ),
}

#: What can be wrong with a file (文件).
FILE_TEXTS: dict[str, Text] = {**_CONTAINER, **_HEADS, **_TOTALS, **_BANKS, **_BOOKS}
#: Problems that do not stop a file.
NOTICES = frozenset(
    {
        *("unknown_column", "other_sheets", "no_rows", "control_total_unchecked"),
        *("balance_unchecked", "part_not_booked"),
    }
)
