"""The parameters of ``/v1``: those of the commands, with ``_`` for ``-``.

An unknown one is refused, because a misspelt filter that is ignored answers another question.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ledger.domain.period import Period


def _month(text: str) -> str:
    return str(Period.parse(text))


def _day_or_month(text: str) -> str:
    day_of(text)
    return text


def day_of(text: str) -> date:
    """Read ``YYYY-MM-DD``; ``YYYY-MM`` means the last day of that month."""
    return Period.parse(text).last_day if len(text) == len("2023-10") else date.fromisoformat(text)


Month = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}$", examples=["2023-10"]), AfterValidator(_month)
]
MonthOrYear = Annotated[
    str,
    Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2]))?$", examples=["2024", "2024-03"]),
]
Day = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$", examples=["2023-10-31"]),
    AfterValidator(_day_or_month),
]
Fund = Annotated[str, Field(max_length=20, examples=["310"])]
KnownAt = Annotated[
    str, Field(max_length=40, description="log position or time", examples=["4711"])
]


class Question(BaseModel):
    """What every question may say."""

    model_config = ConfigDict(extra="forbid")

    area: Annotated[str, Field(pattern=r"^\d{6}$")] | None = None
    lang: Literal["zh", "en"] | None = None


class BalancesQuestion(Question):
    """``medfund balances``."""

    fund: Fund | None = None
    as_of: Day | None = None
    known_at: KnownAt | None = None
    book: Literal["cash", "obligations"] = "cash"


class IndicatorsQuestion(Question):
    """``medfund indicators PERIOD``."""

    period: Month
    fund: Fund | None = None
    known_at: KnownAt | None = None


class MeasuresQuestion(Question):
    """``medfund measures PERIOD``."""

    period: MonthOrYear
    fund: Fund | None = None
    institution: Annotated[str, Field(max_length=20)] | None = None


class JournalQuestion(Question):
    """``medfund journal``."""

    fund: Fund | None = None
    period: Month | None = None
    known_at: KnownAt | None = None


class PeriodsQuestion(Question):
    """``medfund close list``."""

    fund: Fund | None = None
    known_at: KnownAt | None = None


Position = Annotated[int, Field(ge=0, le=2**62)]


class EventsQuestion(Question):
    """A page of the log."""

    after: Position = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class StreamQuestion(Question):
    """The log as it grows; ``Last-Event-ID`` stands over ``after``."""

    after: Position = 0
