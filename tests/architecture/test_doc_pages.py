"""The pages that are made from the code say what the code says, and their links lead somewhere."""

import importlib
import pkgutil
import re
import shlex

import click
import pytest
from architecture.rules import PACKAGES, ROOT
from support import doc_pages

import ledger.domain
import ledger.events
from ledger.errors import MedfundError
from ledger.events.registry import CATALOGUE, UPCASTERS

PAGES = doc_pages.generated_pages()
MARKDOWN = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(doc_pages.DOCS.rglob("*.md"))]
TERM = re.compile(r"\| `([^`]+)` \| (.+?) \| .+ \| `([^`]+)` \|")
FENCE = re.compile(r"```(?:text|sh)?\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
GLOBAL_WORDS = ("--db", "--as", "--area", "--json", "--lang")
FOLDERS = [ROOT / name for name in (*PACKAGES, "tests", "deploy")]
#: Files that the reader makes, and the one at the top.
OF_THE_READER = {"area.toml", "pyproject.toml"}
NAMED_FILE = re.compile(r"`([\w./-]+\.(?:py|toml|yaml))`")


def test_every_block_has_its_page():
    found = [name for page in PAGES for name in doc_pages.blocks_in(page.read_text("utf-8"))]
    assert sorted(found) == sorted(doc_pages.BLOCKS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_generated_page_is_what_the_code_gives(page):
    text = page.read_text("utf-8")
    assert doc_pages.filled(text) == text, "run: python tests/support/doc_pages.py"


def test_a_stale_block_is_found():
    stale = "before\n<!-- generated: claims -->\nold\n<!-- end -->\nafter\n"
    fresh = doc_pages.filled(stale)
    assert fresh.startswith("before\n<!-- generated: claims -->\n| fact")
    assert fresh.endswith("<!-- end -->\nafter\n")
    assert doc_pages.filled(fresh) == fresh


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    broken = [
        target
        for target in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_released_topic_is_in_the_changelog():
    listed = re.findall(r"`([a-z_.]+\.v\d+)`", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert sorted(listed) == sorted({*CATALOGUE, *UPCASTERS})


def glossary() -> list[tuple[str, str, str]]:
    """Give the glossary's rows: name in code, Chinese term, file."""
    text = (doc_pages.DOCS / "glossary.md").read_text("utf-8")
    return [row.groups() for line in text.splitlines() if (row := TERM.fullmatch(line))]


def domain_classes() -> set[str]:
    """Name every class of the domain and of the catalogue; errors are on a page of their own."""
    found = set()
    for package in (ledger.domain, ledger.events):
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(info.name)
            classes = [one for one in vars(module).values() if isinstance(one, type)]
            found |= {
                one.__name__
                for one in classes
                if one.__module__ == info.name and not issubclass(one, MedfundError)
            }
    return found


def misplaced(rows: list[tuple[str, str, str]]) -> list[str]:
    """List terms that a search would not find where the glossary says they live."""
    faults = []
    for name, chinese, path in rows:
        text = (ROOT / path).read_text("utf-8")
        faults += [f"{term} is not in {path}" for term in (name, chinese) if term not in text]
    return [fault for fault in faults if not fault.startswith("— ")]


def test_every_class_of_the_domain_is_in_the_glossary():
    assert len(domain_classes()) > 50
    assert domain_classes() - {name for name, _, _ in glossary()} == set()


def test_the_terms_of_the_glossary_are_where_it_says():
    assert misplaced(glossary()) == []


def test_a_misplaced_term_is_found():
    rows = [
        ("Money", "金额", "ledger/domain/money.py"),
        ("Money", "追回", "ledger/domain/money.py"),
    ]
    assert misplaced(rows) == ["追回 is not in ledger/domain/money.py"]


def called(text: str) -> list[list[str]]:
    """Give the words of every medfund command in a page's blocks, remarks beside it left out."""
    lines = [line for block in FENCE.findall(text) for line in block.splitlines()]
    calls = [line.split("  ")[0].split(" || ")[0] for line in lines if line.startswith("medfund ")]
    return [shlex.split(call)[1:] for call in calls]


def unknown_words(words: list[str], commands: dict[str, click.Command]) -> list[str]:
    """List what of a call is neither a command of ours nor an option of it."""
    plain = [word for word in words if not word.startswith("-")]
    if not words or words[0].startswith(("[", "-")) or words[0].isupper():
        return []  # the form of a call, not a call
    name = " ".join(plain[:2]) if " ".join(plain[:2]) in commands else plain[0]
    if name not in commands:
        return [name]
    known = {*GLOBAL_WORDS, "--help", *(o for one in commands[name].params for o in one.opts)}
    return [word for word in words if word.startswith("-") and word.strip("[]") not in known]


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_pages_exist(page):
    commands = dict(doc_pages.walk(doc_pages.top_group()))
    calls = called(page.read_text("utf-8"))
    assert [(call, bad) for call in calls if (bad := unknown_words(call, commands))] == []


def test_a_command_that_does_not_exist_is_found():
    commands = dict(doc_pages.walk(doc_pages.top_group()))
    text = "```text\nmedfund balance --fund 310   余额\nmedfund close list --fun 310\n```\n"
    first, second = called(text)
    assert first == ["balance", "--fund", "310"]
    assert unknown_words(first, commands) == ["balance"]
    assert unknown_words(second, commands) == ["--fun"]
    assert unknown_words(["token", "create", "x", "--role", "reader"], commands) == []


def lost(text: str) -> list[str]:
    """List files that a page names and the tree does not have."""
    tracked = [f"/{path.relative_to(ROOT)}" for folder in FOLDERS for path in folder.rglob("*.*")]
    named = set(NAMED_FILE.findall(text)) - OF_THE_READER
    return sorted(name for name in named if not any(path.endswith(f"/{name}") for path in tracked))


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_in_pages_exist(page):
    assert lost(page.read_text("utf-8")) == []


def test_a_lost_file_is_found():
    assert lost("see `ledger/domain/money.py`, `money.py` and `moneys.py`") == ["moneys.py"]
