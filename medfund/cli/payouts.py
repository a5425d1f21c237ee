"""``payout``: its commands come from several modules, and all of them are imported here."""

from medfund.cli import bank_results, paying, persons, planning, prepaying

__all__ = ["bank_results", "paying", "persons", "planning", "prepaying"]
