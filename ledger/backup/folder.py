"""What lies in a backup folder (备份目录): the copy, its anchor, and the paper that says what it is.

``backup.json`` is written last, after everything else is safely on disk: a folder without it is a
backup that was broken off.
"""

import os
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import msgspec

from ledger.errors import BooksDamaged, InputRejected, RuleRefused, Unavailable
from ledger.verify import Anchor

PAPER, ANCHOR = "backup.json", "anchor.json"
FORMAT = 1
_PIECE = 1 << 20


class BackupFolderTaken(RuleRefused):
    """A backup never overwrites what is there (备份目录非空)."""

    code = "backup_folder_taken"
    zh = "目录 {folder} 不是空目录,备份不覆盖已有文件。"
    en = "The folder {folder} is not empty; a backup overwrites nothing."
    hint_zh = "请指定一个新目录。"
    hint_en = "Name a new folder."


class BackupFailed(Unavailable):
    """The copy could not be made or brought back (备份或恢复未能完成)."""

    code = "backup_failed"
    zh = "备份或恢复未能完成:{reason}。"
    en = "The copy could not be made or brought back: {reason}."
    hint_zh = "原账簿未受影响;请排除原因后重新执行。"
    hint_en = "The book itself is untouched; remove the cause and run it again."


class NotABackup(InputRejected):
    """The folder holds no finished backup of this version (不是完整备份)."""

    code = "not_a_backup"
    zh = "目录 {folder} 中没有可用的备份:{reason}。"
    en = "The folder {folder} holds no backup that can be used: {reason}."
    hint_zh = "请指定 medfund backup 完整写成的目录。"
    hint_en = "Name a folder that `medfund backup` finished."


class BackupDamaged(BooksDamaged):
    """The copy is not what was written (备份已损坏)."""

    code = "backup_damaged"
    zh = "备份文件 {file} 与备份时不一致:{reason}。"
    en = "The backup's file {file} is not as it was written: {reason}."
    hint_zh = "没有恢复任何内容;请改用另一份备份,并保全此目录备查。"
    hint_en = "Nothing was restored; use another backup and keep this folder for the inquiry."


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What a backup says of itself: the file with its hash, and the log it holds."""

    format: int
    store: str  # sqlite or postgresql
    file: str
    bytes: int
    sha256: str
    position: int
    seal_no: int
    seal_digest: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a finished backup's paper; NotABackup where there is none."""
        try:
            paper = msgspec.json.decode((folder / PAPER).read_bytes(), type=cls)
        except FileNotFoundError:
            raise NotABackup(folder=str(folder), reason=f"{PAPER} 不存在 / is missing") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise NotABackup(folder=str(folder), reason=str(error)) from error
        if paper.format != FORMAT:
            reason = f"format {paper.format}, this version reads {FORMAT}"
            raise NotABackup(folder=str(folder), reason=reason)
        return paper

    def check(self, folder: Path) -> Path:
        """Give the copy after comparing it with its hash; BackupDamaged where it differs."""
        file = folder / self.file
        if Path(self.file).name != self.file or not file.is_file():
            raise BackupDamaged(file=self.file, reason="文件缺失 / missing")
        found = hash_of(file)
        if found != self.sha256:
            raise BackupDamaged(
                file=self.file, reason=f"sha256 {found[:16]}… ≠ {self.sha256[:16]}…"
            )
        return file

    def anchor(self, folder: Path) -> Anchor:
        """Read the anchor and hold it against the paper: both name the same seal."""
        try:
            anchor = Anchor.from_json((folder / ANCHOR).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BackupDamaged(file=ANCHOR, reason=str(error)) from error
        if (anchor.seal_no, anchor.digest) != (self.seal_no, self.seal_digest):
            raise BackupDamaged(file=ANCHOR, reason="封签不符 / another seal")
        return anchor


def new_folder(folder: Path) -> Path:
    """Make the folder; BackupFolderTaken where anything is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise BackupFailed(reason=str(error)) from error
    if taken:
        raise BackupFolderTaken(folder=str(folder))
    return folder


def finish(folder: Path, file: Path, *, store: str, anchor: Anchor) -> Paper:
    """Make the copy safe, then write the anchor, then the paper that declares it whole."""
    try:
        return _finish(folder, file, store, anchor)
    except OSError as error:
        raise BackupFailed(reason=str(error)) from error


def _finish(folder: Path, file: Path, store: str, anchor: Anchor) -> Paper:
    paper = Paper(
        format=FORMAT,
        store=store,
        file=file.name,
        bytes=file.stat().st_size,
        sha256=hash_of(file),
        position=anchor.position,
        seal_no=anchor.seal_no,
        seal_digest=anchor.digest,
    )
    sync(file)
    _write(folder / ANCHOR, anchor.to_json().encode())
    _write(folder / PAPER, msgspec.json.format(msgspec.json.encode(asdict(paper))) + b"\n")
    sync(folder)
    return paper


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(data)
    sync(unfinished)
    unfinished.replace(path)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on disk before going on."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def hash_of(file: Path) -> str:
    """Hash a file piece by piece."""
    digest = sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
