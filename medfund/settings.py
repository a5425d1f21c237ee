"""What an installation can set (设置): the only place that reads the environment.

The doors read the settings once, at start, and hand them down. ``docs/settings.md`` lists them all.
"""

import base64
import binascii
import logging
import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import InputRejected, RuleRefused

PREFIX = "MEDFUND_"
_DB_FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"
_PERSON_KEY_BYTES = 32
_PASSWORD = re.compile(r"(://[^:/?#@]*:)[^/?#]*(@)")
_PASSWORD_OPTION = re.compile(r"([?&]password=)[^&]*", re.IGNORECASE)


class SettingsInvalid(InputRejected):
    """A setting has a value that cannot be used (设置无效)."""

    code = "settings_invalid"
    zh = "设置有误：{problems}。"
    en = "The settings cannot be used: {problems}."
    hint_zh = "请更正环境变量，各项说明见 docs/settings.md。"
    hint_en = "Correct the environment variables; docs/settings.md explains each."


class DbFunctionsRefused(RuleRefused):
    """The library's insert function would lose events (拒绝启用数据库函数)."""

    code = "db_functions_refused"
    zh = "环境变量 {variable} 已设置：该选项不锁表，且各事件表共用一个函数，会丢失事件。"
    en = (
        "The environment sets {variable}: that option appends without a lock and shares one "
        "function between event tables, so it loses events."
    )
    hint_zh = "请删除该环境变量后重新启动。"
    hint_en = "Remove the variable and start again."


class Settings(BaseSettings):
    """All settings (设置) of an installation, frozen once read."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    database_url: str = "sqlite:///medfund.db"
    archive: str | None = None
    broker_url: str | None = None
    queue: str = Field(default="medfund", pattern=r"^[a-z_][a-z0-9_.-]*$")
    lang: Literal["zh", "en"] = "zh"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_json: bool = False
    person_key: SecretStr | None = None
    lease_seconds: int = Field(default=15, ge=5, le=3600)
    page_size: int = Field(default=100_000, ge=1, le=500_000)
    pdf_font: str | None = None
    clearing_parts: int = Field(default=1, ge=1, le=1000)
    spark_master: str = "local[*]"

    @field_validator("database_url")
    @classmethod
    def _known_store(cls, value: str) -> str:
        if not value.startswith(("sqlite://", "postgresql://")):
            raise ValueError("sqlite:///FILE or postgresql://USER@HOST/DATABASE")
        return value

    @field_validator("broker_url")
    @classmethod
    def _known_broker(cls, value: str | None) -> str | None:
        known = ("redis://", "rediss://", "amqp://", "amqps://")
        if value is not None and not value.startswith(known):
            raise ValueError("redis://HOST:PORT/DB or amqp://USER:PASSWORD@HOST:PORT/VHOST")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _level_in_any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("person_key")
    @classmethod
    def _long_enough_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(_decoded(value)) != _PERSON_KEY_BYTES:
            raise ValueError("32 random bytes in base64")
        return value

    def person_key_bytes(self) -> bytes | None:
        """Give the master key of the person tokens (人员标识主密钥), where one is set."""
        return None if self.person_key is None else _decoded(self.person_key)

    def log_level_number(self) -> int:
        return logging.getLevelNamesMapping()[self.log_level]

    def describe(self) -> dict[str, str]:
        """Tell every setting in words that may be shown to anybody: no key, no password."""
        return {name: _shown(getattr(self, name)) for name in type(self).model_fields}

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return list(self.describe().items())


def load_settings(**chosen: Any) -> Settings:
    """Read the settings, or refuse to start with every problem at once.

    What the command line has ``chosen`` stands over the environment; None means not chosen.
    """
    refuse_db_functions(os.environ)
    try:
        return Settings(**{name: value for name, value in chosen.items() if value is not None})
    except ValidationError as error:
        raise SettingsInvalid(problems="; ".join(_problems(error))) from None


def refuse_db_functions(environ: Mapping[str, str]) -> None:
    """Refuse the library's insert function, also under the name of one application.

    It holds no lock, so a reader that follows the log passes over rows that commit late, and its
    name is not per table: both were seen to lose events.
    """
    for variable in sorted(environ):
        if variable.upper().endswith(_DB_FUNCTIONS):
            raise DbFunctionsRefused(variable=variable)


def misspelt_settings() -> list[str]:
    """Name the variables of this process that look like settings and are none."""
    return unknown_variables(os.environ)


def environment_for(settings: Settings) -> dict[str, str]:
    """Give the environment of another door of the same installation: this one's, and its book."""
    chosen = {f"{PREFIX}DATABASE_URL": settings.database_url, f"{PREFIX}LANG": settings.lang}
    return {**os.environ, **chosen}


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Name the variables that look like settings and are none: most are misspelt."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    ours = (name for name in environ if name.upper().startswith(PREFIX))
    return sorted(name for name in ours if name.upper() not in known and "_TEST_" not in name)


def without_password(url: str) -> str:
    """Give a URL that may be shown: the user stays, the password does not."""
    return _PASSWORD_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1***\2", url))


def _problems(error: ValidationError) -> list[str]:
    return [
        f"{PREFIX}{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)
    ]


def _decoded(key: SecretStr) -> bytes:
    try:
        return base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, str):
        return without_password(value)
    return str(value)
