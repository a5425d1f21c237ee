"""The setup file of an area (TOML): its form, checked on entry with all problems at once."""

import datetime as dt
import math
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from ledger.aggregates.area import ROLES
from ledger.domain.chart import CHART
from ledger.domain.fund import FUNDS, is_area, is_institution, is_leaf
from ledger.domain.period import Period
from ledger.errors import InputRejected
from settlement.setup_banks import (
    BankAccountTable,
    BankProfileTable,
    reconciliation_policy_problem,
    repeated,
)

MAX_BYTES = 16 << 20  # a setup file with every institution of a province is below one
MAX_DEPTH, MOST_PROBLEMS = 50, 200
_NUMBER_LIMIT = 1 << 63  # what JSON readers and databases still take for a whole number

ClaimPart = Literal["hifes_pay", "hifdm_pay", "oth_pay"]


class SetupRejected(InputRejected):
    """The setup file has mistakes; all of them are listed."""

    code = "setup_rejected"
    zh = "设置文件 {file} 有 {count} 处问题:{problems}。"
    en = "The setup file {file} has {count} problems: {problems}."
    hint_zh = "请更正后重新执行;未做任何更改。"
    hint_en = "Correct them and run it again; nothing was changed."


def _fund_code(value: object) -> object:
    code = str(value)
    if code not in FUNDS:
        raise ValueError(f"险种代码不存在 / no such fund: {code}")
    return code


def _month(value: object) -> object:
    if value is not None:
        Period.parse(str(value))
    return value


def _area_code(value: object) -> object:
    if not is_area(str(value)):
        raise ValueError("统筹区须为 6 位数字 / an area code has six digits")
    return str(value)


def _institution_code(value: object) -> object:
    if not is_institution(str(value)):
        raise ValueError(
            "机构编码须为 H 或 P 加 11 位 / an institution is H or P and 11 characters"
        )
    return str(value)


FundCode = Annotated[str, BeforeValidator(_fund_code)]
Month = Annotated[str | None, BeforeValidator(_month)]


def _bound(value: object) -> object:
    if value is not None and not _DECIMAL.fullmatch(str(value)):
        raise ValueError('须为小数文本,如 "10.00" / a bound is decimal text such as "10.00"')
    return None if value is None else str(value)


_DECIMAL = re.compile(r"-?\d+(?:\.\d+)?")
Bound = Annotated[str | None, BeforeValidator(_bound)]


class _Part(BaseModel):
    """A table of the file; keys we do not know are reported, not refused."""

    model_config = ConfigDict(extra="allow", frozen=True)


class AreaTable(_Part):
    """``[area]``: the pooling area (统筹区) and its funds."""

    code: Annotated[str, BeforeValidator(_area_code)]
    name: str = Field(min_length=1)
    funds: list[FundCode] = Field(min_length=1)
    first_month: Month = None
    tax_collects: bool = False
    money_account_control: bool = False


class FundTable(_Part):
    """``[[funds]]``: a fund's book that opens from a month of its own."""

    code: FundCode
    first_month: Month = None


class UserTable(_Part):
    """``[[users]]``."""

    name: str = Field(min_length=1, max_length=64)
    roles: list[Literal[ROLES]] = Field(min_length=1)  # type: ignore[valid-type]

    @model_validator(mode="before")
    @classmethod
    def _admin_is_administrator(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("roles"), list):
            roles = ["administrator" if role == "admin" else role for role in value["roles"]]
            return {**value, "roles": roles}
        return value


class InstitutionTable(_Part):
    """``[[institutions]]``: 定点医药机构."""

    code: Annotated[str, BeforeValidator(_institution_code)]
    name: str = Field(min_length=1)
    level: int | None = None


class TargetTable(_Part):
    """``[[targets]]``: 年度指标."""

    indicator: str
    fund: str
    year: int
    at_most: Bound = None
    at_least: Bound = None


class PolicyTable(_Part):
    """``[[policies]]``: dated data (政策参数) that a rule or definition reads by name."""

    name: str = Field(min_length=1)
    effective: dt.date
    content: dict[str, JsonValue]

    @model_validator(mode="after")
    def _reconciliation_is_known(self) -> "PolicyTable":
        problem = reconciliation_policy_problem(self.content)
        if self.name == "reconciliation" and problem:
            raise ValueError(problem)
        return self


class ClaimsTable(_Part):
    """``[claims]``: which fund owes the parts that differ from place to place; further own places."""

    parts: dict[ClaimPart, str] = Field(default_factory=dict)
    places: list[Annotated[str, BeforeValidator(_area_code)]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _parts_name_leaves(self) -> "ClaimsTable":
        for fund in self.parts.values():
            if not is_leaf(fund):
                raise ValueError(f"险种代码不存在 / no such fund: {fund}")
        return self


_LISTS = ("funds", "users", "institutions", "targets", "policies")


class SetupFile(_Part):
    """The whole file."""

    area: AreaTable
    funds: list[FundTable] = Field(default_factory=list)
    users: list[UserTable] = Field(default_factory=list)
    institutions: list[InstitutionTable] = Field(default_factory=list)
    targets: list[TargetTable] = Field(default_factory=list)
    policies: list[PolicyTable] = Field(default_factory=list)
    chart: dict[str, str] = Field(default_factory=dict)
    claims: ClaimsTable = Field(default_factory=ClaimsTable)
    bank_accounts: list[BankAccountTable] = Field(default_factory=list)
    bank_profiles: list[BankProfileTable] = Field(default_factory=list)

    @model_validator(mode="after")
    def _banks_are_named_once(self) -> "SetupFile":
        twice = repeated([one.account for one in self.bank_accounts])
        twice += repeated([one.name for one in self.bank_profiles])
        if twice:
            raise ValueError(f"银行账户或格式重复 / named twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _chart_names_accounts(self) -> "SetupFile":
        unknown = sorted(set(self.chart) - set(CHART))
        if unknown:
            raise ValueError(f"chart 中没有这些科目 / no such accounts: {', '.join(unknown)}")
        codes = list(self.chart.values())
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"chart 中科目代码重复 / codes used twice: {', '.join(twice)}")
        return self

    def unknown_keys(self) -> list[str]:
        """List keys that were read over, with their table."""
        tables: list[tuple[str, BaseModel]] = [
            ("", self),
            ("area.", self.area),
            ("claims.", self.claims),
        ]
        for name in (*_LISTS, "bank_accounts", "bank_profiles"):
            tables += [(f"{name}.", table) for table in getattr(self, name)]
        return sorted({prefix + key for prefix, table in tables for key in table.model_extra or {}})


def read_setup(path: Path) -> SetupFile:
    """Read and check a setup file; SetupRejected lists all its problems."""
    try:
        if path.exists() and not path.is_file():  # a pipe or device would never end
            raise SetupRejected(file=path.name, count=1, problems="不是文件 / not a file")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            problem = f"大于 / larger than {MAX_BYTES >> 20} MiB"
            raise SetupRejected(file=path.name, count=1, problems=problem)
        _check_keys(content)
        data = tomllib.loads(content.decode("utf-8-sig"))
        problems = _unprintable(data)
        if not problems:
            return SetupFile.model_validate(data)
    except OSError as error:
        problems = [f"无法读取 / cannot be read: {error.strerror}"]
    except RecursionError:
        problems = ["嵌套过深 / nested too deeply"]
    except UnicodeDecodeError:
        problems = ["须为 UTF-8 编码 / the file must be UTF-8"]
    except tomllib.TOMLDecodeError as error:
        problems = [f"TOML 语法 / TOML syntax: {error}"]
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
    except ValueError as error:  # a number of thousands of digits
        problems = [f"TOML: {error}"]
    if len(problems) > MOST_PROBLEMS:
        problems = [*problems[:MOST_PROBLEMS], f"… +{len(problems) - MOST_PROBLEMS}"]
    raise SetupRejected(file=path.name, count=len(problems), problems="; ".join(problems))


def _check_keys(content: bytes) -> None:
    """Refuse a key of very many parts before it is read: n parts take n² steps."""
    for line in content.splitlines():
        key = line.partition(b"=")[0]
        if key.count(b".") > MAX_DEPTH and b"," not in key:
            raise RecursionError


def _unprintable(value: object, where: str = "", depth: int = 0) -> list[str]:
    """List texts, keys and numbers that no book can keep: control characters, infinity, huge."""
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        keys = [f"{where}: {key!r:.80}" for key in value if not key.isprintable()]
        inner = [_unprintable(held, f"{where}.{key}", depth + 1) for key, held in value.items()]
        return [*keys, *(problem for problems in inner for problem in problems)]
    if isinstance(value, list):
        inner = [_unprintable(held, f"{where}.{n}", depth + 1) for n, held in enumerate(value)]
        return [problem for problems in inner for problem in problems]
    if isinstance(value, str) and not value.replace("\n", "").replace("\t", "").isprintable():
        return [f"{where.strip('.')}: 含控制字符 / control character ({value!r:.80})"]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{where.strip('.')}: {value}"]
    if isinstance(value, int) and abs(value) >= _NUMBER_LIMIT:
        return [f"{where.strip('.')}: 数字过大 / number too large"]
    return []


def _problem(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    value = "" if isinstance(detail["input"], dict | list) else f" ({detail['input']!r:.80})"
    return f"{where}: {detail['msg']}{value}"
