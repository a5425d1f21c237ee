"""Manifests (归档清单): one document per range of positions, chained from the first to the last.

``manifest/range-000001.json`` names the range, the seal it ends with and every part with rows, sum of
fen, bytes and SHA-256; ``previous`` is the digest of the range before. The ``digest`` is the SHA-256
of the document without it, as JSON with sorted keys and no blanks.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from ledger.archive.durable import write_whole
from ledger.store.seals import GENESIS_NO, NO_DIGEST, Seal, seal_digest

FORMAT = "medfund.archive.v1"
FOLDER = "manifest"
EVENTS, SEALS = "v1", "seals/v1"
_NAME = re.compile(r"range-(\d{6,})\.json")
_PART_NAME = re.compile(r"part-(\d{12,})-\d{12,}\.parquet")
_PART = re.compile(
    r"v1/event_type=(?P<topic>[^/]+)/area=(?P<area>[^/]+)/fund=(?P<fund>[^/]+)"
    r"/period=(?P<period>[^/]+)/part-\d{12,}-\d{12,}\.parquet"
)


class Folder(NamedTuple):
    """What the path of a part says about its rows."""

    topic: str
    area: str
    fund: str
    period: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the archive (归档文件): its path below the archive's folder, and what it holds.

    ``first`` and ``last`` are its own first and last position (number, for a part of seals).
    """

    path: str
    rows: int
    first: int
    last: int
    fen: int  # the sum of its postings
    bytes: int
    sha256: str

    def folder(self) -> Folder | None:
        """Read the path; None where it is none of an archive."""
        found = _PART.fullmatch(self.path)
        return Folder(*map(unquote, found.groups())) if found else None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One range of positions of the log, as it was archived."""

    format: str = FORMAT
    number: int
    first_position: int
    last_position: int
    seal_no: int
    seal_digest: str
    events: int
    fen: int
    parts: tuple[Part, ...]
    seals: Part
    previous: str
    digest: str = ""

    def own_digest(self) -> str:
        """Hash what the manifest says, its own digest aside."""
        said = msgspec.to_builtins(self)
        del said["digest"]
        return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()

    def sealed(self) -> "Manifest":
        """Give the manifest with its digest."""
        return msgspec.structs.replace(self, digest=self.own_digest())


class Reached(NamedTuple):
    """How far an archive goes: its last range, position, seal and the digests to go on from."""

    number: int
    position: int
    seal_no: int
    seal_digest: str
    digest: str


def nothing_yet() -> Reached:
    """Say where an archive begins: at the genesis seal, which is the same in every book."""
    blank = Seal(GENESIS_NO, 0, 0, 0, 0, NO_DIGEST, NO_DIGEST, b"")
    genesis = seal_digest(blank, key="", input_hash="").hex()
    return Reached(0, 0, GENESIS_NO, genesis, NO_DIGEST.hex())


def reached(manifest: Manifest) -> Reached:
    """Say where the archive stands after a range."""
    return Reached(
        manifest.number,
        manifest.last_position,
        manifest.seal_no,
        manifest.seal_digest,
        manifest.digest,
    )


class Fault(NamedTuple):
    """What is wrong with the chain of manifests, and from which position on."""

    code: str
    position: int
    zh: str
    en: str


def file_of(archive: Path, number: int) -> Path:
    """Name the manifest of a range."""
    return archive / FOLDER / f"range-{number:06d}.json"


def write(archive: Path, manifest: Manifest) -> None:
    """Put a manifest in its place, whole or not at all."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    write_whole(file_of(archive, manifest.number), text)


def leftovers(archive: Path, at: Reached) -> Iterator[Path]:
    """List the parts that begin behind the last range: a run that was killed left them."""
    for below, covered in ((EVENTS, at.position), (SEALS, at.seal_no)):
        for path in (archive / below).rglob("part-*.parquet"):
            found = _PART_NAME.fullmatch(path.name)
            if found and int(found[1]) > covered:
                yield path


def exists(archive: Path) -> bool:
    """Tell whether there is an archive: a folder with at least one manifest."""
    return any(_files(archive))


def _files(archive: Path) -> Iterator[tuple[int, Path]]:
    folder = archive / FOLDER
    if folder.is_dir():
        for path in folder.iterdir():
            if found := _NAME.fullmatch(path.name):
                yield int(found[1]), path


def read_chain(archive: Path) -> tuple[list[Manifest], list[Fault]]:
    """Read every manifest in order, up to the first fault, and tell the faults of the chain."""
    chain: list[Manifest] = []
    at = nothing_yet()
    for number, path in sorted(_files(archive)):
        manifest = _read(path)
        fault = _fault_of(path.name, number, manifest, at)
        if fault is not None or manifest is None:
            return chain, [fault] if fault else []
        chain.append(manifest)
        at = reached(manifest)
    return chain, []


def _read(path: Path) -> Manifest | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError:
        return None


def _fault_of(name: str, number: int, manifest: Manifest | None, at: Reached) -> Fault | None:
    next_ = at.position + 1
    if number != at.number + 1:
        zh = f"清单 {name} 之前缺少第 {at.number + 1} 段的清单"
        en = f"the manifest of range {at.number + 1} is missing before {name}"
        return Fault("archive_manifest_missing", next_, zh, en)
    if manifest is None or manifest.format != FORMAT or manifest.own_digest() != manifest.digest:
        zh, en = f"清单 {name} 被改动", f"the manifest {name} was altered"
        return Fault("archive_manifest_altered", next_, zh, en)
    if manifest.number != number or manifest.previous != at.digest:
        zh = f"清单 {name} 与前一段不相连"
        en = f"the manifest {name} is not chained to the range before it"
        return Fault("archive_chain_broken", next_, zh, en)
    if manifest.first_position != next_ or manifest.last_position < next_:
        zh = f"清单 {name} 的位置与前一段不衔接，应从 {next_} 开始"
        en = f"the manifest {name} does not follow on: position {next_} is next"
        return Fault("archive_range_gap", next_, zh, en)
    return None
