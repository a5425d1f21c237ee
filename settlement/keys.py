"""Keys of persons and files (密钥): rotated and destroyed by an administrator, with a trace in the log.

The decision is recorded first, then carried out; run again after a crash it ends in the same state.
"""

from hashlib import sha256

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import area_stream
from ledger.errors import InputRejected, RuleRefused
from ledger.events.base import Envelope
from ledger.events.setup import KeyDestroyed, KeyRotated
from ledger.store.commit import Commit
from ledger.store.vault import PERSON, Vault


class KeyInUse(RuleRefused):
    """The newest person key makes the tokens of today."""

    code = "key_in_use"
    zh = "人员标识密钥第 {version} 版正在使用,不能销毁。"
    en = "Version {version} of the person key is in use and cannot be destroyed."
    hint_zh = "请先执行 keys rotate。"
    hint_en = "Run keys rotate first."


class NoReceivedFile(InputRejected):
    """No file was kept under this intake."""

    code = "no_received_file"
    zh = "没有导入批次 {intake} 的留存文件。"
    en = "No received file is kept for the intake {intake}."
    hint_zh = "请用 intake list 查看。"
    hint_en = "See intake list."


def rotate_person_key(ledger: FundLedger, vault: Vault, area: Area, *, user: str | None) -> int:
    """Make a new version of the person key (轮换); repeats of older settlements stay recognised."""
    by = area.allow(user, "keys")
    version = vault.current_key(PERSON)[0] + 1
    if not _recorded(ledger, area, KeyRotated, version):  # else a run died before it rotated
        _append(ledger, area, KeyRotated(area=area.code, by=by, name=PERSON, version=version))
    return vault.rotate(PERSON)


def destroy_person_key(
    ledger: FundLedger, vault: Vault, area: Area, *, version: int, reason: str, user: str | None
) -> None:
    """Destroy an old version of the person key: its tokens can be linked to nobody any more."""
    by = area.allow(user, "keys")
    if version >= vault.current_key(PERSON)[0]:
        raise KeyInUse(version=version)
    if _recorded(ledger, area, KeyDestroyed, version):
        vault.destroy(PERSON, version)
        return
    _destroy(ledger, vault, area, name=PERSON, version=version, reason=reason, by=by)


def erase_file(
    ledger: FundLedger, vault: Vault, area: Area, *, intake: str, reason: str, user: str | None
) -> None:
    """Destroy the key of a received file and its report (删除留存文件); its events stay."""
    by = area.allow(user, "keys")
    found = [report for report in vault.reports(area.code) if report.intake == intake]
    if not found:
        raise NoReceivedFile(intake=intake)
    name = f"file:{found[-1].content}"
    version = vault.current_key(name)[0]
    _destroy(ledger, vault, area, name=name, version=version, reason=reason, by=by)


def _destroy(
    ledger: FundLedger, vault: Vault, area: Area, *, name: str, version: int, reason: str, by: str
) -> None:
    fact = KeyDestroyed(area=area.code, by=by, name=name, version=version, reason=reason)
    _append(ledger, area, fact)
    vault.destroy(name, version)


def _recorded(
    ledger: FundLedger, area: Area, kind: type[KeyRotated | KeyDestroyed], version: int
) -> bool:
    """Tell whether the log has this decision about a version of the person key already."""
    facts = (envelope.fact for _, envelope in ledger.history(area_stream(area.code)))
    return any(
        isinstance(fact, kind) and (fact.name, fact.version) == (PERSON, version) for fact in facts
    )


def _append(ledger: FundLedger, area: Area, fact: KeyRotated | KeyDestroyed) -> None:
    ledger.append(
        [Envelope(area_stream(area.code), area.version + 1, fact)],
        Commit(
            key=f"{fact.TOPIC}:{area.code}:{area.version}",
            input_hash=sha256(repr(fact).encode()).hexdigest(),
        ),
    )
