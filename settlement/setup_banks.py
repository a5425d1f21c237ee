"""``[[bank_accounts]]`` and ``[[bank_profiles]]`` of the setup file (银行账户、对账单格式)."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from ledger.domain.fund import FUNDS

MoneyAccount = Literal["treasury", "fiscal", "income", "expenditure"]
Counterparty = Literal["bank", "treasury", "fiscal", "tax"]
StatementColumn = Literal[
    "date",
    "amount",
    "paid_in",
    "paid_out",
    "direction",
    "balance",
    "counterparty",
    "summary",
    "bank_ref",
    "account",
    "fund",
    "source",
]
_MOST_DAYS = 31
_DATE_PARTS = re.compile(r"YYYY|YY|MM|DD")


def _account(value: object) -> object:
    """Write an account as it is compared: without spaces and dashes."""
    return re.sub(r"[\s-]+", "", value) if isinstance(value, str) else value


def _fund(value: object) -> object:
    if str(value) not in FUNDS:
        raise ValueError(f"险种代码不存在 / no such fund: {value}")
    return str(value)


def _date_format(value: object) -> object:
    if value is None:
        return None
    parts = sorted(_DATE_PARTS.findall(str(value)))
    if parts not in (["DD", "MM", "YYYY"], ["DD", "MM", "YY"]):
        raise ValueError(
            "日期格式由 YYYY(或 YY)、MM、DD 各一次组成,如 DD/MM/YYYY"
            " / a date format has YYYY (or YY), MM and DD once each"
        )
    return str(value)


Account = Annotated[str, BeforeValidator(_account), Field(min_length=1, max_length=64)]


class BankAccountTable(BaseModel):
    """``[[bank_accounts]]``: an account number, the money account it is, the funds it holds."""

    model_config = ConfigDict(extra="allow", frozen=True)

    account: Account
    money_account: MoneyAccount
    funds: list[Annotated[str, BeforeValidator(_fund)]] = Field(default_factory=list)
    name: str | None = None


class BankProfileTable(BaseModel):
    """``[[bank_profiles]]``: how a bank's statement differs from our own columns."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(min_length=1, max_length=40)
    heads: dict[StatementColumn, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    date_format: Annotated[str | None, BeforeValidator(_date_format)] = None
    sign: Literal["in_positive", "out_positive"] = "in_positive"
    in_words: list[str] = Field(default_factory=list)
    out_words: list[str] = Field(default_factory=list)
    account: Account | None = None
    source: Counterparty | None = None

    @model_validator(mode="after")
    def _one_way_to_say_the_amount(self) -> "BankProfileTable":
        named = set(self.heads)
        apart = named & {"paid_in", "paid_out"}
        if len(apart) == 1:
            raise ValueError("paid_in 与 paid_out 须成对 / paid_in and paid_out go together")
        if apart and named & {"amount", "direction"}:
            raise ValueError(
                "有 paid_in、paid_out 就不写 amount、direction"
                " / with paid_in and paid_out there is neither amount nor direction"
            )
        if set(self.in_words) & set(self.out_words):
            raise ValueError("收付方向用词重复 / a word means both in and out")
        return self


def repeated(names: list[str]) -> list[str]:
    """List what is named more than once."""
    return sorted({name for name in names if names.count(name) > 1})


def reconciliation_policy_problem(content: dict[str, JsonValue]) -> str | None:
    """Say what is wrong with the ``reconciliation`` policy (对账参数), None where nothing is."""
    days = content.get("days_apart")
    unknown = sorted(set(content) - {"days_apart"})
    if unknown:
        return f"reconciliation 没有这些参数 / has no such keys: {', '.join(unknown)}"
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= _MOST_DAYS:
        return f"days_apart 须为 0 至 {_MOST_DAYS} 的整数 / a whole number from 0 to {_MOST_DAYS}"
    return None
