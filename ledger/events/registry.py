"""From stored topic to class: the whole catalogue, and how old versions are read (upcasting)."""

from collections.abc import Callable
from typing import Any

from ledger.errors import BooksDamaged
from ledger.events import (
    cases,
    cash,
    claim,
    clearing,
    clearing_year,
    institution,
    intake,
    month,
    one_stop,
    outstanding,
    payout,
    persons,
    plan,
    policy,
    prepayment,
    proposal,
    reconciliation,
    remote,
    settlement,
    setup,
)
from ledger.events.base import Fact


def _concrete(base: type[Fact]) -> list[type[Fact]]:
    """List the classes below a base that name a topic of their own."""
    found = [base] if "TOPIC" in base.__dict__ else []
    for child in base.__subclasses__():
        found.extend(_concrete(child))
    return found


SUBJECTS = (
    cases,
    cash,
    claim,
    clearing,
    clearing_year,
    institution,
    intake,
    month,
    one_stop,
    outstanding,
    payout,
    persons,
    plan,
    policy,
    prepayment,
    proposal,
    reconciliation,
    remote,
    settlement,
    setup,
)
CATALOGUE: dict[str, type[Fact]] = {fact.TOPIC: fact for fact in _concrete(Fact)}

#: Retired topic → (topic that follows it, how its state becomes the newer one's).
UPCASTERS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {}


class UnknownTopic(BooksDamaged):
    """The log holds a fact that this version cannot read."""

    code = "unknown_topic"
    zh = "日志中有本版本不认识的事件类型 {topic}。"
    en = "The log holds events of the unknown type {topic}."
    hint_zh = "请使用写入该事件的版本或更高版本。"
    hint_en = "Use the version that wrote them, or a later one."


def fact_class(topic: str) -> type[Fact]:
    """Give the class of a current topic; UnknownTopic where there is none."""
    try:
        return CATALOGUE[topic]
    except KeyError:
        raise UnknownTopic(topic=topic) from None
