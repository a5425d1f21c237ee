"""What must be kept about persons and files, outside the log, under keys that can be destroyed.

Keys lie in ``secrets``; destroying one makes what was encrypted or tokenised under it unreadable
for good, while events, totals and seals stay as they are (design §3.15). With a master key (setting
``person_key``) the keys themselves are stored wrapped.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any, BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, text

from ledger.errors import RuleRefused, Unavailable

PERSON, CONTENT = "person", "content"
_CHUNK = 1 << 20


class KeyDestroyed(RuleRefused):
    """The key was destroyed, so what it protected cannot be read any more (密钥已销毁)."""

    code = "key_destroyed"
    zh = "密钥 {name} 已销毁,相关内容无法再读取。"
    en = "The key {name} was destroyed; what it protected cannot be read any more."
    hint_zh = "账簿事件与余额不受影响;需要原文件时请向提交单位索取。"
    hint_en = "Events and balances are untouched; ask the sender for the original file."


class MasterKeyMissing(Unavailable):
    """The keys of this book are wrapped, and the master key does not open them."""

    code = "master_key_missing"
    zh = "本账簿的密钥受主密钥保护,所给主密钥缺失或不符。"
    en = "The keys of this book are wrapped; the master key is missing or does not fit."
    hint_zh = "请设置 MEDFUND_PERSON_KEY。"
    hint_en = "Set MEDFUND_PERSON_KEY."


class IntakeReport(NamedTuple):
    """How the latest try of a file ended."""

    area: str
    content: str
    intake: str
    kind: str
    received_by: str
    received_us: int
    outcome: str
    accepted: int
    rejected: int
    posted: int
    already: int
    report: dict[str, Any]


class Vault:
    """Keys, received files and intake reports of one store."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], datetime],
        new_key: Callable[[], bytes],
        master_key: bytes | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._new_key = new_key
        self._master_key = master_key
        self._known: dict[tuple[str, int], bytes] = {}

    def key(self, name: str, version: int) -> bytes:
        """Give a key by name and version; KeyDestroyed where there is none any more."""
        if (name, version) not in self._known:
            with self._engine.connect() as connection:
                row = connection.execute(
                    text("SELECT key FROM secrets WHERE name = :name AND version = :version"),
                    {"name": name, "version": version},
                ).first()
            if row is None:
                raise KeyDestroyed(name=name)
            self._known[name, version] = self._unwrapped(bytes(row[0]))
        return self._known[name, version]

    def prepare(self) -> None:
        """Make the keys of persons and contents, so that no later check has to write anything."""
        for name in (PERSON, CONTENT):
            self.current_key(name)

    def current_key(self, name: str) -> tuple[int, bytes]:
        """Give the newest version of a key, made at first need; two processes agree on one."""
        with self._writing() as connection:
            version = self._newest(connection, name)
            if version is None:
                version = 1
                self._insert_key(connection, name, version)
        return version, self.key(name, version)

    def rotate(self, name: str) -> int:
        """Make a new version of a key; older ones stay, to recognise what was recorded under them."""
        with self._writing() as connection:
            version = (self._newest(connection, name) or 0) + 1
            connection.execute(
                text(
                    "UPDATE secrets SET retired_us = :now WHERE name = :name AND retired_us IS NULL"
                ),
                {"now": self._now_us(), "name": name},
            )
            self._insert_key(connection, name, version)
        return version

    def destroy(self, name: str, version: int) -> None:
        """Destroy a key for good."""
        with self._writing() as connection:
            connection.execute(
                text("DELETE FROM secrets WHERE name = :name AND version = :version"),
                {"name": name, "version": version},
            )
        self._known.pop((name, version), None)

    def person_token(self, number: str, version: int | None = None) -> tuple[str, int]:
        """Give the token of a person's number (人员标识) and the version of the key that made it."""
        if version is None:
            version, key = self.current_key(PERSON)
        else:
            key = self.key(PERSON, version)
        return hmac.new(key, number.encode(), sha256).hexdigest()[:32], version

    def person_tokens(self, numbers: Iterable[str], version: int) -> list[str]:
        """Give the tokens of many numbers under one version of the key: ``person_token`` of each.

        HMAC-SHA-256 written out (RFC 2104), with its two padded keys made once.
        """
        padded = self.key(PERSON, version).ljust(sha256().block_size, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
        return [
            sha256(outer + sha256(inner + number.encode()).digest()).hexdigest()[:32]
            for number in numbers
        ]

    def content_key(self, data_sha256: str) -> str:
        """Give the keyed hash that names a file's content; the plain hash could be guessed at."""
        _, key = self.current_key(CONTENT)
        return hmac.new(key, data_sha256.encode(), sha256).hexdigest()

    def keep_file(self, content: str, data: BinaryIO) -> None:
        """Keep a received file encrypted under a key of its own; again is no change.

        A file whose key was destroyed is kept anew: it has been brought in again. Whoever keeps the
        same file at the same time waits here for the first one.
        """
        name = f"file:{content}"
        self._forget_unreadable(name, content)
        version, key = self.current_key(name)
        cipher = AESGCM(key)
        with self._writing() as connection:
            claimed = connection.execute(
                text(
                    "INSERT INTO received_files"
                    " (content, key_name, key_version, size, chunks, received_us)"
                    " VALUES (:content, :name, :version, 0, 0, :now) ON CONFLICT DO NOTHING"
                ),
                {"content": content, "name": name, "version": version, "now": self._now_us()},
            )
            if not claimed.rowcount:
                return
            chunks = size = 0
            while (piece := data.read(_CHUNK)) or not chunks:
                connection.execute(
                    text(
                        "INSERT INTO received_file_chunks (content, no, data)"
                        " VALUES (:content, :no, :data)"
                    ),
                    {
                        "content": content,
                        "no": chunks,
                        "data": cipher.encrypt(_nonce(chunks), piece, content.encode()),
                    },
                )
                chunks, size = chunks + 1, size + len(piece)
            connection.execute(
                text(
                    "UPDATE received_files SET size = :size, chunks = :chunks"
                    " WHERE content = :content"
                ),
                {"content": content, "size": size, "chunks": chunks},
            )

    def _forget_unreadable(self, name: str, content: str) -> None:
        """Drop what is left of a file whose key was destroyed.

        The file first, and its chunks only with it: another process may be keeping the same file anew.
        """
        with self._writing() as connection:
            forgotten = connection.execute(
                text(
                    "DELETE FROM received_files WHERE content = :content"
                    " AND NOT EXISTS (SELECT 1 FROM secrets WHERE name = :name)"
                ),
                {"content": content, "name": name},
            )
            if forgotten.rowcount:
                connection.execute(
                    text("DELETE FROM received_file_chunks WHERE content = :content"),
                    {"content": content},
                )

    def file(self, content: str) -> bytes:
        """Give a received file back; KeyDestroyed after its key was destroyed."""
        with self._engine.connect() as connection:
            row = connection.execute(
                text("SELECT key_name, key_version FROM received_files WHERE content = :content"),
                {"content": content},
            ).first()
            if row is None:
                raise KeyDestroyed(name=f"file:{content}")
            name, cipher = row[0], AESGCM(self.key(row[0], row[1]))
            rows = connection.execute(
                text(
                    "SELECT no, data FROM received_file_chunks WHERE content = :content ORDER BY no"
                ),
                {"content": content},
            )
            try:
                return b"".join(
                    cipher.decrypt(_nonce(number), bytes(data), content.encode())
                    for number, data in rows
                )
            except InvalidTag:  # the key was destroyed, and the content came again under a new one
                raise KeyDestroyed(name=name) from None

    def keep_report(self, report: IntakeReport) -> None:
        """Keep how a file's latest try ended, encrypted under the file's key."""
        _, key = self.current_key(f"file:{report.content}")
        now = self._now_us()
        plain = json.dumps(report.report, ensure_ascii=False).encode()
        sealed = AESGCM(key).encrypt(now.to_bytes(12, "big"), plain, report.content.encode())
        values = {**report._asdict(), "report": now.to_bytes(12, "big") + sealed}
        columns = ", ".join(values)
        updates = ", ".join(f"{name} = excluded.{name}" for name in values)
        with self._writing() as connection:
            connection.execute(
                text(
                    f"INSERT INTO intake_reports ({columns})"
                    f" VALUES ({', '.join(':' + name for name in values)})"
                    f" ON CONFLICT (area, content) DO UPDATE SET {updates}"
                ),
                values,
            )

    def reported(self, area: str, content: str) -> bool:
        """Tell whether it was kept how a file ended."""
        with self._engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT 1 FROM intake_reports WHERE area = :area AND content = :content LIMIT 1"
                ),
                {"area": area, "content": content},
            ).first()
        return found is not None

    def reports(self, area: str) -> Iterator[IntakeReport]:
        """List how every file that came in ended, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                text(
                    f"SELECT {', '.join(IntakeReport._fields)} FROM intake_reports"
                    " WHERE area = :area ORDER BY received_us, content"
                ),
                {"area": area},
            ).all()
        for row in rows:
            values = row._asdict()
            values["report"] = self._report(values["content"], bytes(values["report"]))
            yield IntakeReport(**values)

    def _report(self, content: str, sealed: bytes) -> dict[str, Any]:
        try:
            _, key = self._existing(f"file:{content}")
        except KeyDestroyed:
            return {"destroyed": True}
        try:
            plain = AESGCM(key).decrypt(sealed[:12], sealed[12:], content.encode())
        except InvalidTag:
            return {"destroyed": True}
        report: dict[str, Any] = json.loads(plain)
        return report

    def _existing(self, name: str) -> tuple[int, bytes]:
        with self._engine.connect() as connection:
            version = self._newest(connection, name)
        if version is None:
            raise KeyDestroyed(name=name)
        return version, self.key(name, version)

    def _writing(self) -> Any:
        """Begin a write; on SQLite it takes the write lock at once (see ledger.store.sqlite)."""
        return self._engine.execution_options(writes=True).begin()

    def _newest(self, connection: Connection, name: str) -> int | None:
        return connection.execute(
            text("SELECT max(version) FROM secrets WHERE name = :name"), {"name": name}
        ).scalar()

    def _insert_key(self, connection: Connection, name: str, version: int) -> None:
        """Insert a key; where another process was first, its key stands."""
        connection.execute(
            text(
                "INSERT INTO secrets (name, version, key, created_us)"
                " VALUES (:name, :version, :key, :now) ON CONFLICT (name, version) DO NOTHING"
            ),
            {
                "name": name,
                "version": version,
                "key": self._wrapped(self._new_key()),
                "now": self._now_us(),
            },
        )

    def _wrapped(self, key: bytes) -> bytes:
        if self._master_key is None:
            return b"\x00" + key
        nonce = self._new_key()[:12]
        return b"\x01" + nonce + AESGCM(self._master_key).encrypt(nonce, key, None)

    def _unwrapped(self, stored: bytes) -> bytes:
        if stored[:1] == b"\x00":
            return stored[1:]
        if self._master_key is None:
            raise MasterKeyMissing
        try:
            return AESGCM(self._master_key).decrypt(stored[1:13], stored[13:], None)
        except InvalidTag:
            raise MasterKeyMissing from None

    def _now_us(self) -> int:
        moment = self._clock()
        return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _nonce(number: int) -> bytes:
    """A chunk's number is its nonce: every file has a key of its own."""
    return number.to_bytes(12, "big")
