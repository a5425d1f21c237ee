"""Files that survive a crash (落盘): written, synced, and only then named by anything else."""

import os
from hashlib import sha256
from pathlib import Path
from typing import IO, Any


class HashingFile:
    """A new file that is hashed while it is written, as PyArrow writes to it."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("xb")  # never over a file that is there
        self._hash = sha256()
        self.bytes = 0

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: Any) -> int:
        written = self._file.write(data)
        self._hash.update(data)
        self.bytes += written
        return written

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """Close the file as it is; ``finish`` is what makes it last."""
        self._file.close()

    def finish(self) -> str:
        """Bring the file to the disk and give the SHA-256 of its bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.hexdigest()


def hash_of(path: Path) -> str:
    """Give the SHA-256 of a file's bytes."""
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file whole or not at all: beside its place, synced, renamed, folder synced."""
    make_folder(path.parent)
    beside = path.with_name(f".{path.name}.tmp")
    beside.unlink(missing_ok=True)
    file = HashingFile(beside)
    try:
        file.write(content)
        file.finish()
    except BaseException:
        file.close()
        beside.unlink(missing_ok=True)
        raise
    beside.rename(path)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create a folder with all above it, so that a crash cannot lose it from its parent."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
