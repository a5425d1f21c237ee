"""What can go wrong, sorted by what the caller should do about it.

MedfundError
├─ InputRejected   the data is wrong: listed for its owner, never retried
├─ RuleRefused     the books forbid it now: a person decides what to do
├─ Conflict        someone else was first, or the same key came with other content
├─ BooksDamaged    an invariant broke: stop and raise the alarm
└─ Unavailable     database, broker or file store is away: retry later

A concrete error is declared beside the code that raises it. It names a stable ``code`` and its
sentence in Chinese (``zh``) and English (``en``), each with a next step (``hint_zh``/``hint_en``);
the facts fill the braces. ``docs/errors.md`` lists every code.
"""

from typing import Any, ClassVar


class MedfundError(Exception):
    """Root of all errors that a person or a program is meant to read."""

    family: ClassVar[str] = ""
    code: ClassVar[str] = ""
    zh: ClassVar[str] = ""
    en: ClassVar[str] = ""
    hint_zh: ClassVar[str] = ""
    hint_en: ClassVar[str] = ""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.message("en"))

    def message(self, lang: str = "zh") -> str:
        """Say the sentence with its numbers, then the next step."""
        sentence, hint = (self.zh, self.hint_zh) if lang == "zh" else (self.en, self.hint_en)
        joined = f"{sentence} {hint}".strip()
        return joined.format(**self.facts)

    def document(self, lang: str = "zh") -> dict[str, Any]:
        """Give the error as the JSON document of the contract (section 2)."""
        return {
            "error": {
                "code": self.code,
                "family": self.family,
                "message": self.message(lang),
                "facts": self.facts,
            }
        }


class InputRejected(MedfundError):
    """The user's data is wrong (输入有误)."""

    family = "input_rejected"


class RuleRefused(MedfundError):
    """The books forbid it now (规则不允许)."""

    family = "rule_refused"


class Conflict(MedfundError):
    """Someone else was first, or the same key came with other content (冲突)."""

    family = "conflict"


class BooksDamaged(MedfundError):
    """An invariant of the books does not hold (账簿受损)."""

    family = "books_damaged"


class Unavailable(MedfundError):
    """A service that is needed does not answer (暂不可用)."""

    family = "unavailable"
