"""The README's walk-through is run as it stands: its commands work and print what it shows."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADING = "## 跟着一笔缴费走"
BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
ANYTHING = "…"


@dataclass
class Step:
    commands: str
    shown: list[str] = field(default_factory=list)


def walk_through(readme: str) -> list[Step]:
    """Give the shell blocks of the walk-through, each with the output shown after it."""
    section = readme.split(HEADING, 1)[1].split("\n## ", 1)[0]
    steps: list[Step] = []
    for language, body in BLOCK.findall(section):
        if language == "sh":
            steps.append(Step(body))
        else:
            steps[-1].shown += body.splitlines()
    return steps


def plain(text: str) -> str:
    return " ".join(text.split())


def not_printed(shown: list[str], printed: str) -> list[str]:
    """List the shown lines that were not printed; an ellipsis stands for anything on a line."""
    lines = [plain(line) for line in printed.splitlines()]
    patterns = [".*".join(map(re.escape, plain(line).split(ANYTHING))) for line in shown]
    return [
        line
        for line, pattern in zip(shown, patterns, strict=True)
        if not any(re.search(pattern, printed_line) for printed_line in lines)
    ]


@pytest.fixture
def terminal(tmp_path):
    """A shell in an empty folder with ``medfund`` on its path and no settings of ours."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "medfund"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m medfund "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "walk"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDFUND_")}
    environment = {
        **kept,
        "PATH": f"{programs}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
    }

    def run(commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [shutil.which("sh") or "sh", "-eu", "-c", commands],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run


def test_the_walk_through_works_and_prints_what_it_shows(terminal):
    steps = walk_through((ROOT / "README.md").read_text("utf-8"))
    assert len(steps) >= 6
    assert sum(len(step.shown) for step in steps) >= 8
    for step in steps:
        done = terminal(step.commands)
        assert done.returncode == 0, f"{step.commands}\n{done.stdout}\n{done.stderr}"
        assert not_printed(step.shown, done.stdout) == [], done.stdout


def test_a_line_that_is_not_printed_is_found():
    assert not_printed(["a … c", "x  y"], "| a b c |\nx y") == []
    assert not_printed(["a … d", "xy"], "a b c\nx y") == ["a … d", "xy"]
