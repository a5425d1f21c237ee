"""A file system that is soon full, and made roomier again by taking a ballast away."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A tmpfs of a few megabytes, most of it taken up by a ballast."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, room: int) -> None:
        """Take up all but so many bytes of what is free."""
        found = os.statvfs(self.folder)
        self._ballast.write_bytes(bytes(max(0, found.f_bavail * found.f_frsize - room)))

    def give_room(self) -> None:
        """Free the ballast's space, as somebody does who was told that the disk is full."""
        self._ballast.unlink()


@contextmanager
def small_disk(folder: Path, *, size: int) -> Iterator[SmallDisk]:
    """Mount a tmpfs of so many bytes; skips where this may not be done (it needs root)."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no small disk can be mounted here (uid {os.getuid()}): {made.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
