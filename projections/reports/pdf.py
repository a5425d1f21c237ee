"""Tables as a PDF for printing and signing (打印件): A4, Chinese, the same bytes for the same tables.

Without a font file the text is set in STSong-Light, which every reader of PDF with Chinese support
brings along; a TrueType font that is named is embedded, so that the file looks the same everywhere.
"""

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getFont, registerFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from ledger.errors import InputRejected
from projections.reports.model import Table
from projections.reports.pages import Page, Words, lay_out

_PLAIN_FONT = "STSong-Light"
_GREY, _SHADE = (35, 92)  # percent of white
_HAIR = 3  # tenths of a point
_FILL, _FILL_AND_STROKE = 0, 2
_MISSING = "〓"  # what printers set for a character they do not have
_FOOT_AT, _FOOT_SIZE, _MARGIN = 24, 8, 40


class PrintFontUnusable(InputRejected):
    """The font for printing cannot be read or embedded (打印字体不可用)."""

    code = "print_font_unusable"
    zh = "打印字体 {path} 不可用:{reason}。"
    en = "The font {path} cannot be used for printing: {reason}."
    hint_zh = "请将 MEDFUND_PDF_FONT 设为可读的 TrueType 字体(.ttf),或取消该设置。"
    hint_en = "Set MEDFUND_PDF_FONT to a readable TrueType font (.ttf), or leave it unset."


def to_pdf(
    tables: Sequence[Table], *, lang: str = "zh", foot: str = "", font: Path | None = None
) -> bytes:
    """Print tables; ``foot`` stands at the foot of every page, beside its number."""
    name = _registered(font)
    target = BytesIO()
    canvas = Canvas(target, invariant=1, pageCompression=1)
    canvas.setTitle(tables[0].title if tables else "")
    canvas.setCreator("medfund")
    measure = lru_cache(maxsize=50_000)(getFont(name).stringWidth)
    pages = lay_out(tables, measure)
    for number, page in enumerate(pages, start=1):
        canvas.setPageSize((page.width, page.height))
        _draw(canvas, page, name)
        place = f"第 {number} 页 共 {len(pages)} 页" if lang == "zh" else f"{number} / {len(pages)}"
        y, right = page.height - _FOOT_AT, page.width - _MARGIN
        _write(canvas, page, Words(_MARGIN, y, foot, _FOOT_SIZE, grey=True), name)
        _write(canvas, page, Words(right, y, place, _FOOT_SIZE, "right", grey=True), name)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _registered(font: Path | None) -> str:
    """Make a font known, and give its name."""
    if font is None:
        registerFont(UnicodeCIDFont(_PLAIN_FONT))
        return _PLAIN_FONT
    try:
        registerFont(TTFont(str(font), str(font)))
    except (TTFError, OSError) as error:
        raise PrintFontUnusable(path=str(font), reason=str(error)) from error
    return str(font)


def _draw(canvas: Any, page: Page, font: str) -> None:
    canvas.setLineWidth(_HAIR / 10)
    canvas.setFillGray(_SHADE / 100)
    for box in page.boxes:
        bottom = page.height - box.y - box.height
        canvas.rect(box.x, bottom, box.width, box.height, stroke=1, fill=int(box.filled))
    for words in page.words:
        _write(canvas, page, words, font)


def _write(canvas: Any, page: Page, words: Words, font: str) -> None:
    """Write one line of text; bold is its outline drawn along."""
    shown = "".join(letter if _in_print(letter) else _MISSING for letter in words.text)
    width = getFont(font).stringWidth(shown, words.size)
    shift = {"left": 0, "center": width / 2, "right": width}[words.align]
    text = canvas.beginText(words.x - shift, page.height - words.y)
    text.setFont(font, words.size)
    text.setFillGray(_GREY / 100 if words.grey else 0)
    text.setTextRenderMode(_FILL_AND_STROKE if words.bold else _FILL)
    text.textOut(shown)
    text.setTextRenderMode(_FILL)
    canvas.drawText(text)


def _in_print(letter: str) -> bool:
    """Tell what a line of print can hold: nothing that steers, nothing beyond the basic plane."""
    return letter.isprintable() and ord(letter) <= 0xFFFF
