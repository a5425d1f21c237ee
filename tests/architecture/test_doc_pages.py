"""The pages that are made from the code say what the code says, and their links lead somewhere."""

import re

import pytest
from architecture.rules import ROOT
from support import doc_pages

from ledger.events.registry import CATALOGUE, UPCASTERS

PAGES = doc_pages.generated_pages()
MARKDOWN = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(doc_pages.DOCS.rglob("*.md"))]
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
