"""Reading the archive (归档查询): which files to read for a question, told by the manifests alone.

What lies in the folder beside is never looked at: a file that no manifest names is not read.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from ledger.archive import manifest as manifests
from ledger.archive.check import Checked, Progress, check
from ledger.archive.failures import ArchiveBehind, ArchiveDamaged
from ledger.archive.manifest import Manifest, Part
from ledger.store.reading import Reading


class Archive:
    """An archive as it stood when it was opened; ArchiveDamaged where its manifests are not a chain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        chain, faults = manifests.read_chain(folder)
        if faults:
            raise ArchiveDamaged(folder=str(folder), reason_zh=faults[0].zh, reason_en=faults[0].en)
        self.ranges: tuple[Manifest, ...] = tuple(chain)

    @property
    def covered_to(self) -> int:
        """Give the last archived position, 0 where there is none."""
        return self.ranges[-1].last_position if self.ranges else 0

    def require(self, position: int) -> None:
        """Refuse with ArchiveBehind where the archive does not reach a position of the log."""
        if self.covered_to < position:
            raise ArchiveBehind(folder=str(self.folder), covered=self.covered_to, wanted=position)

    def parts(
        self,
        *,
        topic: str | Collection[str] | None = None,
        area: str | None = None,
        fund: str | None = None,
        periods: Collection[str] | None = None,
        since: str | None = None,
        until: int | None = None,
    ) -> list[Path]:
        """List the files that may hold what is asked for, in the order of the log.

        ``fund`` means the fund with its sub-funds, ``since`` a month and all later ones; ``until``
        leaves out parts that begin behind a position; the rows of a part that ends behind it are for the reader to leave out.
        A file that is missing or of another size is ArchiveDamaged.
        """
        topics = {topic} if isinstance(topic, str) else topic
        found = []
        for part in self._all_parts():
            folder = part.folder()
            if folder is None or (until is not None and part.first > until):
                continue
            if topics is not None and folder.topic not in topics:
                continue
            if area is not None and folder.area != area:
                continue
            if fund is not None and folder.fund.split(".")[0] != fund and folder.fund != fund:
                continue
            if periods is not None and folder.period not in periods:
                continue
            if since is not None and folder.period < since:
                continue
            found.append(self._there(part))
        return found

    def check(self, log: Reading | None = None, *, progress: Progress | None = None) -> Checked:
        """Check everything, against the log's seals where a log is given."""
        return check(self.folder, log, progress=progress)

    def _all_parts(self) -> Iterator[Part]:
        for one in self.ranges:
            yield from sorted(one.parts, key=lambda part: part.first)

    def _there(self, part: Part) -> Path:
        path = self.folder / part.path
        size = path.stat().st_size if path.is_file() else None
        if size != part.bytes:
            reason = ("缺失", "is missing") if size is None else ("大小不符", "has another size")
            raise ArchiveDamaged(
                folder=str(self.folder),
                reason_zh=f"文件 {part.path} {reason[0]}",
                reason_en=f"the part {part.path} {reason[1]}",
            )
        return path
