"""What the intake tells about bad input: a rejection per cell or row, a problem per file.

Both are values, so that all of them are reported at once. ``FileRefused`` is raised only where
reading cannot go on.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.domain.money import format_yuan
from ledger.errors import InputRejected
from settlement.intake.columns import KINDS, label
from settlement.intake.problem_texts import FILE_TEXTS, NOTICES
from settlement.intake.rejection_texts import ROW_TEXTS
from settlement.intake.texts import Text
from settlement.intake.vocabulary import ITEM_WORDS

_LONGEST_VALUE = 80
_MOST_NAMED = 40  # of a list: every head of a file, every column of a format
#: A file with more rejected rows is wrong as a whole; listing them all would take gigabytes.
MOST_REJECTED_ROWS = 50_000
_EXACT_FLOAT = 10**15  # beyond, the digits shown would not be those of the file


def shown(value: object, *, personal: bool = False) -> str:
    """Write a cell as a message may show it: cut to 80 characters, a person's number masked."""
    text = "" if value is None else str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
        text = f"{value:.0f}"  # 310.0 was typed as 310
    text = "".join(char if char.isprintable() else "�" for char in text.strip())
    if personal:
        return f"{text[:2]}***{text[-2:]}" if len(text) > 4 else "***"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _fact(key: str, value: object, lang: str) -> str:
    if key.endswith("_fen") and isinstance(value, int):
        return format_yuan(value)
    if isinstance(value, tuple):
        named = [shown(part) for part in value[:_MOST_NAMED]]
        more = [f"… +{len(value) - _MOST_NAMED}"] if len(value) > _MOST_NAMED else []
        return ("、" if lang == "zh" else ", ").join(named + more)
    if key == "item" and lang == "zh" and value in ITEM_WORDS:
        return f"{ITEM_WORDS[str(value)][0]}({value})"
    return shown(value)


def _where(facts: Mapping[str, Any], lang: str) -> dict[str, str]:
    """Say where the other content of a conflict stands: in the same file or in the books."""
    for key, zh, en in (
        ("first_line", "第 {} 行", "line {}"),
        ("position", "位置 {}", "position {}"),
    ):
        if key in facts:
            return {"where": (zh if lang == "zh" else en).format(facts[key])}
    return {}


def _say(text: Text, facts: Mapping[str, Any], lang: str) -> str:
    sentence, hint = (text.zh, text.hint_zh) if lang == "zh" else (text.en, text.hint_en)
    filled = {key: _fact(key, value, lang) for key, value in facts.items()}
    return (f"{sentence} {hint}" if lang != "zh" else f"{sentence}{hint}").format(**filled).strip()


@dataclass(frozen=True, slots=True)
class Rejection:
    """One thing that is wrong with one row (拒收); ``value`` is what the file shows there."""

    line: int
    field: str
    code: str
    value: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    kind: str = ""

    def message(self, lang: str = "zh") -> str:
        """Say what is wrong and what to do, with the column's name in the reader's language."""
        name = label(self.kind, self.field) if lang == "zh" else self.field
        own = {"field": name, "value": self.value or ("(空)" if lang == "zh" else "(empty)")}
        return _say(ROW_TEXTS[self.code], {**_where(self.facts, lang), **self.facts, **own}, lang)

    def document(self, lang: str = "zh") -> dict[str, Any]:
        """Give the rejection as the contract's JSON (section 5)."""
        return {
            "line": self.line,
            "field": self.field,
            "code": self.code,
            "value": self.value,
            "message": self.message(lang),
        }


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing that concerns a whole file (文件问题): an ``error`` stops it, a ``notice`` does not."""

    code: str
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def severity(self) -> str:
        return "notice" if self.code in NOTICES else "error"

    @property
    def stops(self) -> bool:
        """Tell whether nothing of the file may be posted."""
        return self.severity == "error"

    def message(self, lang: str = "zh") -> str:
        """Say what is wrong and what to do; columns by their names in the reader's language."""
        facts = dict(self.facts)
        kind = facts.get("kind")
        if lang == "zh" and kind in KINDS:
            for key in ("missing", "column", "figure"):
                facts[key] = _labels(kind, facts.get(key))
            facts["kind"] = KINDS[kind].zh
        return _say(FILE_TEXTS[self.code], facts, lang)

    def document(self, lang: str = "zh") -> dict[str, Any]:
        """Give the problem as JSON beside the contract's rejections."""
        return {
            "code": self.code,
            "severity": self.severity,
            "facts": dict(self.facts),
            "message": self.message(lang),
        }


def _labels(kind: str, keys: object) -> object:
    """Write column keys as a Chinese reader knows them: 金额(amount)."""
    if isinstance(keys, str):
        return f"{label(kind, keys)}({keys})" if label(kind, keys) != keys else keys
    if isinstance(keys, tuple):
        return tuple(_labels(kind, key) for key in keys)
    return keys


class FileRefused(InputRejected):
    """The file cannot be read to its end, or must not be (文件拒收); nothing of it may be posted."""

    code: ClassVar[str] = "file_refused"
    zh: ClassVar[str] = "文件不能导入:{reason_zh}"
    en: ClassVar[str] = "The file cannot be brought in: {reason_en}"
    hint_zh: ClassVar[str] = "请更正文件后重新导入。"
    hint_en: ClassVar[str] = "Correct the file and bring it in again."

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            reason_zh=" ".join(problem.message("zh") for problem in problems),
            reason_en=" ".join(problem.message("en") for problem in problems),
        )


def refuse(code: str, **facts: Any) -> FileRefused:
    """Make the error for a single problem."""
    return FileRefused([FileProblem(code, facts)])
