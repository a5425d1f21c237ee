"""Files that a command reads or writes where the user said; a path that fails is the user's."""

import sys
from pathlib import Path

from ledger.errors import InputRejected


class FileUnreadable(InputRejected):
    """The file cannot be read or written."""

    code = "file_unreadable"
    zh = "无法读写文件 {path}:{reason}。"
    en = "The file {path} cannot be read or written: {reason}."
    hint_zh = "请核对路径与权限。"
    hint_en = "Check the path and its permissions."


def read_text(path: Path) -> str:
    """Read a file of text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(path=str(path), reason=str(error)) from error


def deliver(data: bytes, target: Path | None) -> None:
    """Write to the file named, else to stdout."""
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        target.write_bytes(data)
    except OSError as error:
        raise FileUnreadable(path=str(target), reason=str(error)) from error
