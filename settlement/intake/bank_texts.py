"""What the intake says about a line of a bank's statement, in Chinese and English."""

from settlement.intake.texts import Text

BANKS = {
    "unknown_bank_account": Text(
        "账号 {value} 没有在设置中登记。",
        "The account {value} is not in the setup.",
        "请核对账号,或在 setup 的 [[bank_accounts]] 中登记。",
        "Check it, or register it under [[bank_accounts]] of the setup.",
    ),
    "bank_account_needed": Text(
        "没有写明账号,而设置中登记了不止一个(或没有这一方的)账号。",
        "No account is named, and the setup has several, or none kept by this counterparty.",
        "请填写「账号」列,或在对账单格式中写明 account。",
        "Fill the account column in, or name the account in the bank's profile.",
    ),
    "one_amount_needed": Text(
        "收入与支出须且只能填一项。",
        "Either money in or money out is filled in, not both and not neither.",
        "请核对该行;没有发生额的行请删除。",
        "Check the row; delete rows without an amount.",
    ),
    "balance_broken": Text(
        "余额 {value} 不连续:第 {previous} 行的余额加本行金额应为 {expected_fen}。",
        "The balance {value} does not follow: that of line {previous} and this amount make {expected_fen}.",
        "可能缺行或重行;请从银行重新导出。",
        "A row may be missing or doubled; export the statement again.",
    ),
}
