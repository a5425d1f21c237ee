"""A rule of the books that does not hold (发现)."""

from typing import Any


class Broken(Exception):
    """An invariant broke: which rule, and the figures."""

    def __init__(self, rule: str, **facts: Any) -> None:
        super().__init__(rule)
        self.rule = rule
        self.facts = facts

    def __str__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.rule}: {said}" if said else self.rule


def require(holds: bool, rule: str, **facts: Any) -> None:  # noqa: FBT001  reads as a sentence
    """Refuse to go on where a rule does not hold."""
    if not holds:
        raise Broken(rule, **facts)
