"""Asks the command line of a book, in this process, for its JSON documents."""

import io
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from medfund.cli import main

Ask = Callable[..., dict]


def asking(book: Path) -> Ask:
    """Give the command line of a book: words in, JSON document out; anything but 0 is a failure.

    A question is asked once; after a step that writes, everything is asked again.
    """
    answers: dict[tuple[str, ...], dict] = {}

    def ask(*words: str) -> dict:
        if "--as" in words:
            answers.clear()
        elif words in answers:
            return answers[words]
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with redirect_stdout(said):
            code = main(["--db", f"sqlite:///{book}", "--json", *words])
        said.seek(0)
        text = said.read()
        assert code == 0, text
        answers[words] = json.loads(text)
        return answers[words]

    return ask
