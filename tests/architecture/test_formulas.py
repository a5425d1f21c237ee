"""The page of formulas names modules and tests that exist, and leaves no method or rounding test out."""

import re

from architecture.rules import ROOT

from settlement.clearing import methods

PAGE = (ROOT / "docs" / "formulas.md").read_text("utf-8")
NAMED_TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")
ROW = re.compile(
    r"^\| [^|]+ \| [^|]+ \| `(\S+\.py)` \| (.+?) \| [✓–] \| [✓–] \| (?:[✓–]|whole) \|$"
)


def written() -> dict[str, str]:
    """Give the text of every test file by its name; of two with one name, both together."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        found[path.name] = found.get(path.name, "") + path.read_text("utf-8")
    return found


def missing(text: str) -> list[str]:
    """List the tests that a text names and the tree does not have."""
    tests = written()
    return [
        f"{file}::{name}"
        for file, name in NAMED_TEST.findall(text)
        if f"\ndef {name}(" not in tests.get(file, "")
    ]


def rows(text: str) -> list[tuple[str, str]]:
    """Give module and tests of every row of a formula."""
    return [found.groups() for line in text.splitlines() if (found := ROW.match(line))]


def test_every_named_test_exists():
    assert len(NAMED_TEST.findall(PAGE)) > 60
    assert missing(PAGE) == []


def test_every_formula_has_a_module_and_a_table():
    found = rows(PAGE)
    assert len(found) == PAGE.count("| `settlement/") + PAGE.count("| `projections/")
    for module, tests in found:
        assert (ROOT / module).is_file(), module
        assert NAMED_TEST.search(tests), module


def test_every_method_and_every_test_of_a_rounding_is_on_the_page():
    (folder,) = methods.__path__
    modules = {path.name for path in (ROOT / folder).glob("*.py")} - {"__init__.py"}
    assert {module.rsplit("/", 1)[-1] for module, _ in rows(PAGE)} >= modules
    named = {name for file, name in NAMED_TEST.findall(PAGE) if file == "test_roundings.py"}
    there = set(re.findall(r"\ndef (test_\w+)\(", written()["test_roundings.py"]))
    assert named == there


def test_what_is_not_there_is_found():
    text = "`test_money.py::test_an_amount_is_split_by_largest_remainder` `test_money.py::test_no`"
    assert missing(text) == ["test_money.py::test_no"]
    assert rows("| 1 | a | `x.py` | `test_money.py::test_no` | – | ✓ | – |") == [
        ("x.py", "`test_money.py::test_no`")
    ]
