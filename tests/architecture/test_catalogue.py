"""Every stored fact names its own topic, and every error what it wants of the reader."""

import importlib
import pkgutil
import re
import string
from collections import Counter

import pytest
from architecture.rules import PACKAGES, ROOT

from ledger import errors
from ledger.errors import MedfundError, RuleRefused
from ledger.events import base
from ledger.events.registry import CATALOGUE

TOPIC = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+\.v[1-9][0-9]*")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def everything_imported():
    for package in PACKAGES:
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.startswith(("migrations.", "workers.__main__", "medfund.__main__")):
                importlib.import_module(module.name)


def descendants(parent: type) -> list[type]:
    found = [one for child in parent.__subclasses__() for one in (child, *descendants(child))]
    return list(dict.fromkeys(found))


def topic_faults(facts: list[type]) -> list[str]:
    faults = []
    for fact in facts:
        own = fact.__dict__.get("TOPIC")
        if own is None and not fact.__subclasses__():
            faults.append(f"{fact.__name__} names no topic of its own")
        if own is not None and not TOPIC.fullmatch(own):
            faults.append(f"{fact.__name__}: {own!r} is not subject.happened.vN")
    owned = Counter(fact.__dict__["TOPIC"] for fact in facts if "TOPIC" in fact.__dict__)
    return faults + [f"{topic} is named {n} times" for topic, n in owned.items() if n > 1]


def error_faults(errors_: list[type[MedfundError]], documented: str) -> list[str]:
    faults = []
    for error in errors_:
        name = error.__name__
        own = error.__dict__.get("code")
        if own is None:
            if not error.__subclasses__():
                faults.append(f"{name} has no code of its own")
            continue
        if not error.family:
            faults.append(f"{name} belongs to no family")
        texts = {part: getattr(error, part) for part in ("zh", "en", "hint_zh", "hint_en")}
        faults += [f"{name}.{part} is empty" for part, said in texts.items() if not said.strip()]
        if not CHINESE.search(error.zh) or not CHINESE.search(error.hint_zh):
            faults.append(f"{name}: its Chinese is not Chinese")
        if f"`{own}`" not in documented:
            faults.append(f"{own} is not in docs/errors.md")
    codes = Counter(error.__dict__["code"] for error in errors_ if "code" in error.__dict__)
    return faults + [f"{code} is used {n} times" for code, n in codes.items() if n > 1]


def asked_facts(sentence: str) -> set[str]:
    fields = (field for _, field, _, _ in string.Formatter().parse(sentence) if field)
    # a fact may come in two languages itself: reason_zh stands for reason_en
    return {re.split(r"[.\[]|_(?:zh|en)$", field)[0] for field in fields}


def our_errors() -> list[type[MedfundError]]:
    families = {one for one in vars(errors).values() if isinstance(one, type)}
    ours = [one for one in descendants(MedfundError) if one.__module__.split(".")[0] in PACKAGES]
    return [one for one in ours if one not in families]


def test_every_fact_names_its_own_topic(everything_imported):
    facts = [one for one in descendants(base.Fact) if one.__module__.startswith("ledger.")]
    assert len(facts) > 5
    assert topic_faults(facts) == []
    assert set(CATALOGUE) == {one.TOPIC for one in facts if "TOPIC" in one.__dict__}


def test_a_borrowed_or_doubled_topic_is_found():
    parent = type("Parent", (), {"TOPIC": "claim.booked.v1"})
    child = type("Child", (parent,), {})
    twin = type("Twin", (), {"TOPIC": "claim.booked.v1"})
    path = type("Path", (), {"TOPIC": "ledger.events.claim:Booked"})
    faults = topic_faults([parent, child, twin, path])
    assert [fault.split()[0] for fault in faults] == ["Child", "Path:", "claim.booked.v1"]


def test_every_error_has_a_code_and_says_it_in_both_languages(everything_imported):
    found = our_errors()
    assert len(found) > 5
    documented = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert error_faults(found, documented) == []


def test_both_languages_tell_the_same_facts(everything_imported):
    differing = [
        one.__name__
        for one in our_errors()
        if asked_facts(one.zh + one.hint_zh) != asked_facts(one.en + one.hint_en)
    ]
    assert differing == []


def test_a_careless_error_is_found():
    said = {"zh": "不行。", "en": "No.", "hint_zh": "请改。", "hint_en": "Change it."}
    good = type("Good", (), {"family": "x", "code": "good", **said})
    silent = type("Silent", (), {"family": "x", "code": "silent", **said, "hint_en": " "})
    english = type("English", (), {"family": "", "code": "english", **said, "zh": "No."})
    twin = type("Twin", (), {"family": "x", "code": "good", **said})
    nameless = type("Nameless", (), {"family": "x", **said})
    assert error_faults([good], "`good`") == []
    assert error_faults([good], "nothing") == ["good is not in docs/errors.md"]
    faults = error_faults([good, silent, english, twin, nameless], "`good` `silent` `english`")
    assert faults == [
        "Silent.hint_en is empty",
        "English belongs to no family",
        "English: its Chinese is not Chinese",
        "Nameless has no code of its own",
        "good is used 2 times",
    ]
    assert asked_facts("{a} {b.c} {d[0]}") == {"a", "b", "d"}
    assert issubclass(RuleRefused, MedfundError)
