"""The technical log (运行日志): to stderr only, for people on a terminal, for machines as JSON.

Who did what in the books is an event, never a log line; and no person's data reaches the log.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from medfund.settings import without_password

MASK = "***"
_SECRET_KEYS = frozenset(
    {
        "psn_no", "psn_name", "psn_cert", "psn_cert_no", "psn_cert_type", "certno", "id_no",
        "tel", "bank_account", "token", "authorization", "cookie", "password", "passwd", "secret",
        "person_key", "api_key", "key_bytes",
    }
)  # fmt: skip
_SECRET_ENDINGS = ("_token", "_password", "_secret", "_certno")


def configure_logging(
    *, level: int = logging.INFO, as_json: bool = False, stream: TextIO | None = None
) -> None:
    """Send our own log and that of the libraries the same way; may be called again.

    JSON when asked for, or when nobody sits in front of ``stream`` (default: stderr). Servers that
    bring a log configuration of their own (uvicorn) must be started without it.
    """
    out = sys.stderr if stream is None else stream
    structlog.configure(
        processors=[*_common(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_common(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                *_rendering(as_json=as_json or not out.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if one.formatter.__class__ is type(handler.formatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask what names a person or opens a door, however deep it is nested."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: str, value: Any) -> Any:
    name = key.lower().replace("-", "_")
    if name in _SECRET_KEYS or name.endswith(_SECRET_ENDINGS):
        return MASK
    if isinstance(value, Mapping):
        return {inner: _masked(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", held) for held in value]
    if isinstance(value, str) and "://" in value and " " not in value:
        return without_password(value)
    return value


def _common() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(*, as_json: bool) -> list[Processor]:
    if as_json:
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
