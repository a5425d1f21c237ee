"""Whose insured, and where treated (参保地、就医地): the role of one area in a settlement (异地就医).

A code of a district, city or province belongs to the area that keeps the book if it begins with the
digits that the area's own code has before its zeros, or with those of a further place of the setup.
An empty 参保地 means insured here. An institution that is registered here treats here, whatever
就医地 says; of any other, 就医地 says where, else the institution's own code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from ledger.aggregates.area import Area
from ledger.domain.claim_roles import OWN, PASSTHROUGH, REMOTE


def home_digits(area: str) -> str:
    """Give the digits that places of a pooling area share: district, city or province."""
    return area[:2] if area.endswith("0000") else area[:4] if area.endswith("00") else area


def own_places(area: Area) -> tuple[str, ...]:
    """Give the further places of an area's setup (``[claims] places``)."""
    return tuple(cast("Iterable[str]", area.options.get("own_places") or ()))


@dataclass(frozen=True, slots=True)
class Places:
    """The places and institutions of one area."""

    area: str
    further: tuple[str, ...] = ()
    institutions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, area: Area) -> "Places":
        return cls(area.code, own_places(area), frozenset(area.institutions))

    def ours(self, place: str) -> bool:
        """Tell whether a place is one of the area."""
        return place.startswith(tuple(map(home_digits, (self.area, *self.further))))

    def insured_here(self, insuplc: str | None) -> bool:
        return insuplc is None or self.ours(insuplc)

    def treated_here(self, mdtrtarea: str | None, institution: str) -> bool:
        if institution in self.institutions:
            return True
        return self.ours(mdtrtarea) if mdtrtarea else self.code_is_ours(institution)

    def code_is_ours(self, institution: str) -> bool:
        """Tell by an institution's code; where none is registered, all are taken to be ours."""
        return not self.institutions or self.ours(place_of(None, institution))

    def role(self, insuplc: str | None, mdtrtarea: str | None, institution: str) -> str | None:
        """Name the area's role in a settlement; None where it has none."""
        treated = self.treated_here(mdtrtarea, institution)
        if self.insured_here(insuplc):
            return OWN if treated else REMOTE
        return PASSTHROUGH if treated else None


def place_of(mdtrtarea: str | None, institution: str) -> str:
    """Give the place of care: as the row says, else as the institution's code does."""
    return mdtrtarea or institution[1:7]
