"""Which fund owes which part of a settlement (corrections: which fund owes).

The owing fund follows the part of the payment, not the insurance type: ``hifp_pay`` is owed by the
insured's basic fund, ``acct_pay`` by personal accounts whoever's they are. Settlements with the same
insurance type and the same parts that are not nil are owed by the same funds, so the rule is asked
once for all of them. To whom they are owed follows from whose insured they are of, and where these
were treated (``places.py``): to the institution, or to the other place.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc

from ledger.aggregates.area import Area
from ledger.domain.claim_roles import OWN, PASSTHROUGH, REMOTE
from ledger.domain.fund import ASSISTANCE, EMPLOYEE, PERSONAL, POOLED, RESIDENT, is_leaf
from settlement.intake.claim_columns import ClaimColumns, exact_sum
from settlement.intake.claim_rows import FUND_PARTS
from settlement.intake.place_columns import places_of_care, roles_of
from settlement.intake.places import Places

#: 险种类型 → the fund that owes 统筹基金支付; 510 生育 is part of the employee fund, 391 and 380 of 390.
BASIC_FUND = {
    EMPLOYEE: POOLED,
    "510": POOLED,
    RESIDENT: RESIDENT,
    "391": RESIDENT,
    "380": RESIDENT,
}
PART_FUND = {"hifmi_pay": "392", "hifob_pay": "330", "cvlserv_pay": "320", "maf_pay": ASSISTANCE}
#: Every part that some fund may owe, in the order of postings.
PARTS = (*FUND_PARTS, "acct_pay")
_ROLES = (OWN, REMOTE, PASSTHROUGH)


@dataclass(slots=True)
class Unbooked:
    """Parts that no fund of this book owes: reported, kept on the claim, not booked."""

    rows: dict[str, int] = field(default_factory=dict)
    fen: dict[str, int] = field(default_factory=dict)

    def add(self, part: str, fens: pa.Array) -> None:
        self.rows[part] = self.rows.get(part, 0) + len(fens)
        self.fen[part] = self.fen.get(part, 0) + exact_sum(fens)


class Owed(NamedTuple):
    """Settlements that are owed alike: their places, and what each fund owes to whom, in fen."""

    places: pa.Array
    role: str  # of the area: own, remote, passthrough
    parties: pa.Array
    funds: dict[str, pa.Array]
    unbooked: dict[str, pa.Array]  # by part


class Owing:
    """Which fund of one area owes which part of a settlement."""

    def __init__(self, area: Area) -> None:
        self._funds = area.leaf_funds
        self._places = Places.of(area)
        own = cast("Mapping[str, str]", area.options.get("claim_parts") or {})
        self._parts = {**PART_FUND, **own}

    def fund_of(self, part: str, insutype: str) -> str | None:
        """Name the fund that owes a part; None where no fund of this book does."""
        if part == "acct_pay":
            fund = PERSONAL
        elif part == "hifp_pay":
            basic = BASIC_FUND.get(insutype, insutype)
            fund = basic if is_leaf(basic) else ""
        else:
            fund = self._parts.get(part, "")
        return fund if fund in self._funds else None

    def owed(self, claims: ClaimColumns) -> Iterator[Owed]:
        """Group settlements by the funds that owe them."""
        fens = _parts_of(claims)
        insutypes = claims.values["insutype"]
        if not pa.types.is_dictionary(insutypes.type):
            insutypes = insutypes.dictionary_encode()
        names = insutypes.dictionary.to_pylist()
        roles, parties = self._roles(claims)
        kinds = pc.add(pc.multiply(insutypes.indices.cast(pa.int64()), len(_ROLES)), roles)
        patterns = pc.multiply(kinds, 1 << len(PARTS))
        for bit, part in enumerate(PARTS):
            given = pc.not_equal(fens[part], 0).cast(pa.int64())
            patterns = pc.add(patterns, pc.multiply(given, 1 << bit))
        for pattern in pc.unique(patterns).to_pylist():
            places = pc.indices_nonzero(pc.equal(patterns, pattern))
            parts = [part for bit, part in enumerate(PARTS) if pattern >> bit & 1]
            theirs = {part: fens[part].take(places) for part in parts}
            insutype, role = divmod(pattern >> len(PARTS), len(_ROLES))
            funds, unbooked = self._shared_out(names[insutype], parts, theirs)
            yield Owed(places, _ROLES[role], parties[role].take(places), funds, unbooked)

    def _roles(self, claims: ClaimColumns) -> tuple[pa.Array, tuple[pa.Array, ...]]:
        """Give the number of each settlement's role, and the party that each role would owe."""
        insured, treated = roles_of(self._places, claims)
        roles = pc.if_else(insured, pc.if_else(treated, 0, 1), 2).cast(pa.int64())
        institutions = claims.plain("fixmedins_code")
        return roles, (institutions, places_of_care(claims), institutions)

    def _shared_out(
        self, insutype: str, parts: Sequence[str], fens: Mapping[str, pa.Array]
    ) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
        funds: dict[str, pa.Array] = {}
        unbooked: dict[str, pa.Array] = {}
        for part in parts:
            fund = self.fund_of(part, insutype)
            if fund is None:
                unbooked[part] = fens[part]
            else:
                funds[fund] = pc.add(funds[fund], fens[part]) if fund in funds else fens[part]
        return funds, unbooked


def _parts_of(claims: ClaimColumns) -> dict[str, pa.Array]:
    """Give every part in fen, nil where it is empty.

    A row without any part leaves no doubt only about the sum: it is taken as 统筹基金
    (``hifp_pay``), the part that every settlement has.
    """
    fens = {part: claims.fen(part) for part in PARTS}
    given = [claims.values[part].is_valid() for part in FUND_PARTS if part in claims.values]
    if given:
        some = reduce(pc.or_, given)
        fens["hifp_pay"] = pc.if_else(some, fens["hifp_pay"], claims.fen("fund_pay_sumamt"))
    else:
        fens["hifp_pay"] = claims.fen("fund_pay_sumamt")
    return fens
