"""A seal remembered outside of the database (存证锚点), and the file in which it is kept."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Self

from ledger.errors import InputRejected
from ledger.store.finding import Finding
from ledger.store.reading import Reading, moment_of
from ledger.store.seals import Seal


class AnchorUnreadable(InputRejected):
    """The anchor file is not one of ours (锚点文件无法读取)."""

    code = "anchor_unreadable"
    zh = "锚点文件无法读取：{reason}。"
    en = "The anchor file cannot be read: {reason}."
    hint_zh = "请使用 verify --save-anchor 生成的文件。"
    hint_en = "Use a file that `verify --save-anchor` wrote."


@dataclass(frozen=True, slots=True)
class Anchor:
    """A seal remembered outside the database (存证锚点): nobody can rewrite what is before it."""

    seal_no: int
    digest: str
    position: int
    at: str

    @classmethod
    def of(cls, seal: Seal) -> Self:
        """Remember a seal."""
        at = moment_of(seal.at_us).isoformat()
        return cls(seal.no, seal.digest.hex(), seal.last_position, at)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an anchor file; AnchorUnreadable where it is none."""
        try:
            found = json.loads(text)
            anchor = cls(
                int(found["seal_no"]),
                str(found["digest"]),
                int(found["position"]),
                str(found["at"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise AnchorUnreadable(reason=str(error)) from error
        return anchor

    def to_json(self) -> str:
        """Write the anchor as a file's text."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def held_against(self, log: Reading) -> Iterator[Finding]:
        """Compare the log with the seal that was remembered."""
        found = log.seals(after=self.seal_no - 1, limit=1)
        facts = {"seal": self.seal_no, "digest": self.digest, "at": self.at}
        if not found or found[0].no != self.seal_no:
            position = min(self.position, log.last_position() + 1)
            zh = f"锚点记录的封记 {self.seal_no} 已不存在：日志尾部被截去"
            en = f"seal {self.seal_no} of the anchor is gone: the tail of the log was cut"
            yield Finding("tail_cut", position, zh, en, facts)
        elif found[0].digest.hex() != self.digest:
            zh = f"封记 {self.seal_no} 与锚点不符：其之前的日志被重写"
            en = f"seal {self.seal_no} differs from the anchor: the log before it was rewritten"
            yield Finding("chain_rewritten", self.position, zh, en, facts)
