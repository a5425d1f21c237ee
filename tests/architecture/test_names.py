"""Our top-level names are generic; a foreign distribution could stand before them."""

import importlib.util
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from architecture.rules import PACKAGES, ROOT


def strangers(name: str, *, origin: str | None, claimed_by: list[str]) -> list[str]:
    """Say what is wrong with where a top-level name leads."""
    wrong = [f"{name} is claimed by {other}" for other in claimed_by if other != "medfund"]
    if origin is None or not Path(origin).resolve().is_relative_to(ROOT / name):
        wrong.append(f"{name} leads to {origin}")
    return wrong


@pytest.mark.parametrize("name", PACKAGES)
def test_each_top_level_name_is_ours(name):
    spec = importlib.util.find_spec(name)
    assert spec is not None
    claimed_by = packages_distributions().get(name, [])
    assert strangers(name, origin=spec.origin, claimed_by=list(claimed_by)) == []


def test_a_foreign_distribution_is_noticed():
    here = str(ROOT / "workers" / "__init__.py")
    assert strangers("workers", origin=here, claimed_by=["medfund"]) == []
    assert strangers("workers", origin=here, claimed_by=["workers"])
    assert strangers("workers", origin="/usr/lib/python3/workers/__init__.py", claimed_by=[])
    assert strangers("workers", origin=None, claimed_by=[])


def test_wheel_types_and_import_rules_cover_exactly_these_packages():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(PACKAGES)
    assert set(tool["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(PACKAGES)
    assert set(tool["mypy"]["packages"]) == set(PACKAGES)
    assert set(tool["importlinter"]["root_packages"]) == set(PACKAGES)
