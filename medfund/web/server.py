"""Running the web door: one process, on loopback unless told otherwise."""

import uvicorn
from fastapi import FastAPI

#: Streams of events never end by themselves; a stop waits for them no longer than this.
_STOP_SECONDS = 3


def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Serve until stopped; the log is configured by the caller."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    uvicorn.Server(config).run()
