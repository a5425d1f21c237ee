"""DIP 按病种分值: what the points of a group are made of, where the area publishes averages and no points.

``RW = m ÷ M``, ``病种分值 = RW x 1000`` (DIP技术规范): m is the average cost of the group, M that of all cases
of the area. How the averages were made (three years by 1:2:7 is usual) is the matter of whoever
publishes them. What becomes of the points of a group in a case (deviation, 辅助目录, coefficient) is said
in ``settlement/clearing/cases/scoring.py`` and computed by the kernel.
"""

from fractions import Fraction

from ledger.domain.money import round_half_up

POINT = 10_000
OF_THE_AVERAGE = 1_000  # points of a case that costs the average of all cases


def group_points4(group_average_fen: int, area_average_fen: int) -> int:
    """病种分值: relative weight x 1000, in 1/10,000 of a point, rounded half-up."""
    exact = Fraction(group_average_fen * OF_THE_AVERAGE * POINT, area_average_fen)
    return int(round_half_up(exact))
