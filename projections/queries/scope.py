"""What a question is about: one area, its funds in their order, and the leaves that are asked for."""

from dataclasses import dataclass

from sqlalchemy import select

from ledger.aggregates.area import AreaNotChosen, AreaUnknown
from ledger.domain.fund import FUNDS, leaves, parent
from ledger.errors import InputRejected
from projections.store import Reading


class FundUnknown(InputRejected):
    """The area has no book for this fund (未建账)."""

    code = "fund_unknown"
    zh = "统筹区 {area} 没有险种 {fund} 的账套,已有:{funds}。"
    en = "Area {area} has no book for fund {fund}; it has: {funds}."
    hint_zh = "请核对险种代码。"
    hint_en = "Check the fund's code."


@dataclass(frozen=True, slots=True)
class Scope:
    """An area and the funds asked for. ``wanted`` is the fund or sub-fund of the question, if any."""

    area: str
    funds: tuple[str, ...]
    wanted: str | None

    @property
    def leaves(self) -> tuple[str, ...]:
        """List the leaves that are asked for: ``310`` means both of its sub-funds."""
        if self.wanted is not None:
            return leaves(self.wanted)
        return tuple(leaf for fund in self.funds for leaf in leaves(fund))

    @property
    def codes(self) -> tuple[str, ...]:
        """List the funds asked for, each followed by its sub-funds."""
        if self.wanted is not None and self.wanted not in self.funds:
            return (self.wanted,)
        found: list[str] = []
        for fund in (self.wanted,) if self.wanted else self.funds:
            found.append(fund)
            found.extend(leaf for leaf in leaves(fund) if leaf != fund)
        return tuple(found)


def scope_of(reading: Reading, *, area: str | None, fund: str | None = None) -> Scope:
    """Check the area and fund of a question; without an area the only one of the book is meant."""
    known = tuple(reading.connection.scalars(select(reading.setup.areas.c.area).order_by("area")))
    chosen = area or (known[0] if len(known) == 1 else None)
    if chosen is None:
        raise AreaNotChosen(areas=", ".join(known) or "-")
    if chosen not in known:
        raise AreaUnknown(area=chosen, areas=", ".join(known) or "-")
    c = reading.setup.funds.c
    opened = set(reading.connection.scalars(select(c.fund).where(c.area == chosen)))
    funds = tuple(code for code in FUNDS if code in opened)
    if fund is not None and (
        parent(fund) not in funds or (fund != parent(fund) and fund not in leaves(parent(fund)))
    ):
        raise FundUnknown(area=chosen, fund=fund, funds=", ".join(funds) or "-")
    return Scope(chosen, funds, fund)
