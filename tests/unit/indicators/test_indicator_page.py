"""docs/indicators.md says what the definitions and reasons are."""

from pathlib import Path

from projections.definitions import DEFINITIONS
from projections.queries.indicators import REASONS

PAGE = Path(__file__).parents[3] / "docs" / "indicators.md"


def test_every_definition_stands_on_the_page_word_for_word():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    wanted = [
        f"| `{one.id}` | {one.unit.value} | {one.zh}：{one.formula_zh} | {one.en}: {one.formula_en} |"
        for one in DEFINITIONS
    ]
    assert [row for row in wanted if row not in lines] == []
    assert sum(line.startswith("| `") and "@" in line for line in lines) == len(wanted)


def test_every_reason_stands_on_the_page():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [
        code for code, (zh, en) in REASONS.items() if f"| `{code}` | {zh} | {en} |" not in lines
    ] == []
