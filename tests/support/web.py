"""The web door as it is served: a real server on a free port of this machine.

``python -m support.web`` (with ``tests`` on the path) writes the golden OpenAPI document again.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

OPENAPI = Path(__file__).parents[1] / "contract" / "openapi.json"
_START_SECONDS = 20.0


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an app for a while; gives its address."""
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + _START_SECONDS
    while not server.started:
        assert thread.is_alive(), "the server ended while starting"
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"


PATIENCE_SECONDS = 120


class Consumer:
    """A downstream system with a token."""

    def __init__(self, address: str, token: str | None) -> None:
        self.address = address
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **more: Any) -> httpx.Response:
        headers = self.headers | more.pop("headers", {})
        return httpx.get(f"{self.address}{path}", headers=headers, timeout=30, **more)

    def follow(self, path: str = "/v1/events/stream", **headers: str) -> Iterator[dict[str, str]]:
        """Read a stream of events message by message; comments come as ``{"comment": …}``."""
        asked = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx.stream("GET", f"{self.address}{path}", headers=asked, timeout=30) as answer:
            assert answer.status_code == 200, answer.read()
            message: dict[str, str] = {}
            until = time.monotonic() + PATIENCE_SECONDS
            for line in answer.iter_lines():
                assert time.monotonic() < until, "the stream goes on and on"
                if line.startswith(":"):
                    yield {"comment": line[1:].strip()}
                elif line:
                    field, _, value = line.partition(": ")
                    message[field] = value
                elif message:
                    yield message
                    message = {}


def openapi_of(app: FastAPI) -> str:
    """Write what the app says about itself, ready to be compared."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    from typing import cast

    from medfund.web.api import create_app
    from medfund.web.source import Source

    OPENAPI.write_text(openapi_of(create_app(cast("Source", None))), encoding="utf-8")
