"""Day wards and day surgery (日间病房、日间手术): a fixed standard for a case without a night's stay.

Paid at the standard of its group, or the lower of standard and cost; where the area counts day cases
in points instead, they take the group's points times the day factor (``day_points4``).
"""

from fractions import Fraction

from ledger.domain.money import round_half_up


def day_case_fen(standard_fen: int, cost_fen: int, *, lower: bool) -> int:
    """Give what a day case is due in fen."""
    return min(standard_fen, cost_fen) if lower else standard_fen


def day_points4(group4: int, factor: Fraction) -> int:
    """Give the points of a day case, in 1/10,000, rounded half-up."""
    return int(round_half_up(group4 * factor))
