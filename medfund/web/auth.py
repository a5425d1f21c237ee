"""Who is asking: a bearer token, or the session that a token opened in the browser.

Only hashes of tokens are known here (design: token view of the setup). A session is a signed cookie
under a key of this process; it names the token, so that revoking the token ends it too.
"""

import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from starlette.requests import HTTPConnection

from medfund.web.problems import NotAuthenticated
from medfund.web.source import Source
from settlement.tokens import token_hash

COOKIE = "medfund_session"
SESSION_SECONDS = 8 * 3600  # a working day


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who holds a valid token: a downstream system, or a person at the page."""

    area: str
    name: str
    role: str
    token_hash: str


class Authenticator:
    """Knows tokens by their hash, and sessions by their signature."""

    def __init__(self, source: Source, *, clock: Callable[[], float] = time.time) -> None:
        self._source = source
        self._key = secrets.token_bytes(32)
        self._clock = clock

    def consumer(self, connection: HTTPConnection) -> Consumer:
        """Say who asks; NotAuthenticated where nobody is known."""
        found = self.by_header(connection) or self.by_session(connection.cookies.get(COOKIE, ""))
        if found is None:
            raise NotAuthenticated
        return found

    def by_header(self, connection: HTTPConnection) -> Consumer | None:
        """Read ``Authorization: Bearer TOKEN``."""
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return self.by_token(token.strip())

    def by_token(self, token: str) -> Consumer | None:
        """Find the holder of a token that stands (未吊销)."""
        return self._standing(token_hash(token)) if token else None

    def open_session(self, consumer: Consumer) -> str:
        """Give the cookie that stands for a token in the browser."""
        body = f"{consumer.token_hash}.{int(self._clock()) + SESSION_SECONDS}"
        return f"{urlsafe_b64encode(body.encode()).decode()}.{self._signature(body)}"

    def by_session(self, cookie: str) -> Consumer | None:
        """Find the holder of the token a session stands for, unless it has run out."""
        packed, _, signature = cookie.rpartition(".")
        try:
            body = urlsafe_b64decode(packed.encode()).decode()
        except ValueError:
            return None
        if not packed or not hmac.compare_digest(
            signature.encode(), self._signature(body).encode()
        ):
            return None
        hashed, _, expires = body.partition(".")
        return self._standing(hashed) if int(expires) > self._clock() else None

    def still_stands(self, consumer: Consumer) -> bool:
        """Tell whether a token has not been revoked meanwhile."""
        return self._standing(consumer.token_hash) is not None

    def _signature(self, body: str) -> str:
        return hmac.new(self._key, body.encode(), sha256).hexdigest()

    def _standing(self, hashed: str) -> Consumer | None:
        self._source.catch_up()  # a token that was revoked a moment ago must not open anything
        with self._source.reads.reading() as reading:
            tokens = reading.setup.tokens
            found = reading.rows(
                select(tokens.c.area, tokens.c.name, tokens.c.role).where(
                    tokens.c.token_hash == hashed, tokens.c.revoked == 0
                )
            )
        if not found:
            return None
        area, name, role = found[0]
        return Consumer(area, name, role, hashed)
