"""What a printed report says, page by page: the texts of a PDF that is set in STSong-Light."""

import re
import zlib
from base64 import a85decode

_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_SHOWN = re.compile(rb"\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def printed_pages(pdf: bytes) -> list[list[str]]:
    """Give the lines of text of every page, in the order in which they are drawn."""
    contents = (
        zlib.decompress(a85decode(b"<~" + one.strip(), adobe=True)) for one in _streams(pdf)
    )
    return [
        [_ESCAPED.sub(_letter, text).decode("utf-16-be") for text in _SHOWN.findall(content)]
        for content in contents
    ]


def _streams(pdf: bytes) -> list[bytes]:
    return _STREAM.findall(pdf)


def _letter(found: re.Match[bytes]) -> bytes:
    said = found[1]
    return bytes([int(said, 8)]) if len(said) == 3 else _LETTERS.get(said, said)
