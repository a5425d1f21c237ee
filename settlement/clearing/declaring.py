"""What an application declares of each leaf fund (申报按基金分解): pure, in whole fen."""

from collections.abc import Mapping

from ledger.domain.money import allocate


def declarable(applied_fen: int, booked_fen: int) -> bool:
    """Tell whether so much can be declared: up to what is booked; a negative month only whole."""
    return min(booked_fen, 0) <= applied_fen <= booked_fen


def split_declared(applied_fen: int, booked: Mapping[str, int]) -> dict[str, int]:
    """Split what was applied for over the leaf funds that owe it, by largest remainder.

    A fund that is owed back by refunds is declared whole, so the others bear what is not applied
    for. Applying for all that is booked declares every fund's own amount.
    """
    below = {fund: fen for fund, fen in booked.items() if fen < 0}
    above = {fund: fen for fund, fen in booked.items() if fen > 0}
    shares = allocate(applied_fen - sum(below.values()), above) if above else {}
    return {fund: fen for fund, fen in sorted({**below, **shares}.items()) if fen}
