"""The reference pages are complete: whatever exists is written down."""

import importlib

import click
import pytest
from architecture.rules import ROOT

from ledger.events.registry import CATALOGUE
from medfund.settings import PREFIX, Settings


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def missing(names: list[str], text: str) -> list[str]:
    """List the names that do not stand in the text as code."""
    return [name for name in names if f"`{name}`" not in text and f"`{name} " not in text]


def commands(group: click.Group, before: str = "") -> list[str]:
    """List every command by its full name, as a user types it after ``medfund``."""
    found = []
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        full = f"{before}{name}"
        found.append(full)
        if isinstance(command, click.Group):
            found += commands(command, f"{full} ")
    return found


def top_group() -> click.Group:
    app = importlib.import_module("medfund.cli.app")
    for name in app.COMMANDS:  # a command is registered when it is first asked for
        app.cli.get_command(click.Context(app.cli), name)
    return app.cli


def test_every_setting_is_written_down():
    variables = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    assert len(variables) <= 15
    assert missing(variables, page("settings.md")) == []


def test_every_default_is_the_written_one():
    rows = [line.split(" | ") for line in page("settings.md").splitlines() if " | " in line]
    written = {row[0].strip("| `"): row[1].strip("` ") for row in rows}
    for name, field in Settings.model_fields.items():
        default = "not set" if field.default is None else str(field.default)
        assert written[f"{PREFIX}{name.upper()}"].lower() == default.lower()


def test_every_topic_is_written_down():
    assert len(CATALOGUE) > 5
    assert missing(list(CATALOGUE), page("events.md")) == []


def test_every_command_is_written_down():
    found = commands(top_group())
    assert {"intake", "balances", "verify"} <= set(found)
    assert missing(found, page("commands.md")) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("`close` and `close list`", []),
        ("`close PERIOD --fund F` and `close list`", []),
        ("close and close list", ["close", "close list"]),
        ("`close` `closed list`", ["close list"]),
    ],
)
def test_what_is_not_written_down_is_found(text, left):
    assert missing(["close", "close list"], text) == left


def test_commands_are_listed_with_their_groups():
    group = click.Group("top")
    inner = click.Group("close")
    inner.add_command(click.Command("list"))
    group.add_command(inner)
    group.add_command(click.Command("secret", hidden=True))
    assert commands(group) == ["close", "close list"]
