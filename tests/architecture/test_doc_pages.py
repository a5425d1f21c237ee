"""The pages that are made from the code say what the code says, and their links lead somewhere."""

import importlib
import pkgutil
import re

import pytest
from architecture.rules import ROOT
from support import doc_pages

import ledger.domain
import ledger.events
from ledger.errors import MedfundError
from ledger.events.registry import CATALOGUE, UPCASTERS

PAGES = doc_pages.generated_pages()
MARKDOWN = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(doc_pages.DOCS.rglob("*.md"))]
TERM = re.compile(r"\| `([^`]+)` \| (.+?) \| .+ \| `([^`]+)` \|")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


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
