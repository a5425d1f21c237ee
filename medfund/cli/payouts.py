"""``payout``: its commands come from several modules, and all of them are imported here."""

from medfund.cli import paying, planning, prepaying

__all__ = ["paying", "planning", "prepaying"]
