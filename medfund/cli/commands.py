"""Importing this registers every command with the command line."""

from medfund.cli import (
    auditing,
    bringing,
    corrections,
    demonstration,
    founding,
    months,
    reading,
    reports,
    running,
)

__all__ = [
    "auditing",
    "bringing",
    "corrections",
    "demonstration",
    "founding",
    "months",
    "reading",
    "reports",
    "running",
]
