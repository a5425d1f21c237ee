"""What the terminal shows: one JSON document, or sentences and tables for a reader.

With ``--json`` exactly one document goes to stdout. Everything that is not an answer (progress,
notices, logs) goes to stderr.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Progressing = Callable[[int, int | None], None]

#: What steers a terminal instead of being shown (ESC, CSI, a changed reading direction, half a
#: surrogate pair): a name in a file must not clear the screen or hide what stands beside it.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _harmless(text: str) -> str:
    return _STEERING.sub("�", text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


class Output:
    """Where a command's answer goes, and in which language."""

    def __init__(self, *, as_json: bool, lang: str) -> None:
        self.as_json = as_json
        self.lang = lang
        width = None if sys.stdout.isatty() else 160
        self._out = Console(highlight=False, soft_wrap=True, width=width)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, zh: str, en: str) -> str:
        """Choose the reader's language."""
        return zh if self.lang == "zh" else en

    def answer(self, document: Any, render: Callable[[], None] | None = None) -> None:
        """Give the answer: the document as JSON, or rendered for a reader."""
        if self.as_json or render is None:
            text = json.dumps(document, ensure_ascii=False, indent=None if self.as_json else 2)
            print(_STEERING.sub(_escaped, text))
        else:
            render()

    def line(self, text: str = "", *, style: str | None = None) -> None:
        """Print one line of the answer."""
        self._out.print(_harmless(text), style=style, markup=False)

    def raw(self, text: str) -> None:
        """Print text exactly as it is, for other programs to read."""
        sys.stdout.write(text)

    def note(self, text: str, *, style: str | None = None) -> None:
        """Print one line that is not part of the answer."""
        self._err.print(_harmless(text), style=style, markup=False)

    def table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        right: Iterable[int] = (),
        title: str | None = None,
    ) -> None:
        """Print a table; ``right`` names the columns with figures."""
        table = Table(
            title=_harmless(title) if title else None, title_justify="left", header_style="bold"
        )
        figures = set(right)
        for number, head in enumerate(heads):
            table.add_column(
                _harmless(head), justify="right" if number in figures else "left", overflow="fold"
            )
        for row in rows:
            table.add_row(*[Text(_harmless(cell)) for cell in row])
        self._out.print(table)

    def progress(self, title: str) -> "Bar":
        """Show progress of long work on a terminal; silent elsewhere."""
        return Bar(self._err, title, shown=sys.stderr.isatty() and not self.as_json)


class Bar:
    """A progress bar as a context manager; called with (done, total)."""

    def __init__(self, console: Console, title: str, *, shown: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not shown,
        )
        self._task = self._progress.add_task(escape(_harmless(title)), total=None)

    def __enter__(self) -> Progressing:
        self._progress.start()
        return self._update

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _update(self, done: int, total: int | None) -> None:
        self._progress.update(self._task, completed=done, total=total)
