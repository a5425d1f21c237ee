"""API tokens for downstream systems: issued once, kept only as a hash, revoked by an event."""

from hashlib import sha256

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import area_stream
from ledger.errors import Conflict, InputRejected
from ledger.events.base import Envelope
from ledger.events.setup import TokenIssued, TokenRevoked
from ledger.store.commit import Commit


class TokenExists(Conflict):
    """A token of that name is in use."""

    code = "token_exists"
    zh = "令牌 {name} 已存在且未吊销。"
    en = "The token {name} exists and is not revoked."
    hint_zh = "请换一个名称,或先 token revoke {name}。"
    hint_en = "Choose another name, or revoke it first."


class UnknownToken(InputRejected):
    """No such token."""

    code = "unknown_token"
    zh = "没有有效的令牌 {name}。"
    en = "There is no valid token {name}."
    hint_zh = "请核对名称。"
    hint_en = "Check the name."


def token_hash(token: str) -> str:
    """Hash a token as it is kept: it is long and random, so a plain SHA-256 suffices."""
    return sha256(token.encode()).hexdigest()


def issue_token(
    ledger: FundLedger, area: Area, *, name: str, role: str, token: str, user: str | None
) -> None:
    """Record a new token by its hash; the caller shows the token itself once."""
    by = area.allow(user, "token")
    known = area.tokens.get(name)
    if known is not None and not known.revoked:
        raise TokenExists(name=name)
    fact = TokenIssued(area=area.code, by=by, name=name, role=role, token_hash=token_hash(token))
    _append(ledger, area, fact)


def revoke_token(ledger: FundLedger, area: Area, *, name: str, user: str | None) -> None:
    """Void a token from here on."""
    by = area.allow(user, "token")
    known = area.tokens.get(name)
    if known is None or known.revoked:
        raise UnknownToken(name=name)
    _append(ledger, area, TokenRevoked(area=area.code, by=by, name=name))


def _append(ledger: FundLedger, area: Area, fact: TokenIssued | TokenRevoked) -> None:
    ledger.append(
        [Envelope(area_stream(area.code), area.version + 1, fact)],
        Commit(
            key=f"token:{area.code}:{area.version}",
            input_hash=sha256(repr(fact).encode()).hexdigest(),
        ),
    )
