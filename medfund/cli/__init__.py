"""The terminal door: ``medfund COMMAND``. It translates words into use-cases and answers; no logic."""

from medfund.cli.app import main

__all__ = ["main"]
