"""What a check of the store or of the log found (检查结果)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it has to be, in both languages.

    ``position`` is where in the log, where that can be told.
    """

    code: str
    position: int | None
    zh: str
    en: str
    facts: Mapping[str, Any] = field(default_factory=dict)
