"""From checked ``claims`` rows to facts: which fund owes which part, and persons only as tokens.

The owing fund follows the part of the payment, not the insurance type (corrections): ``hifp_pay``
is owed by the insured's basic fund, ``acct_pay`` by personal accounts whoever's they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import cast

import msgspec

from ledger.aggregates.area import Area
from ledger.domain.fund import ASSISTANCE, EMPLOYEE, PERSONAL, POOLED, RESIDENT, is_leaf
from ledger.domain.posting_rules import RULES_VERSION, claim_entry
from ledger.events.base import Source
from ledger.events.claim import ClaimAmounts, ClaimFact, ClaimRefunded, ClaimSettled
from settlement.booking import Books, booking_date, books_touched
from settlement.intake.claim_rows import ClaimRow

#: 险种类型 → the fund that owes 统筹基金支付; 510 生育 is part of the employee fund, 391 and 380 of 390.
BASIC_FUND = {
    EMPLOYEE: POOLED,
    "510": POOLED,
    RESIDENT: RESIDENT,
    "391": RESIDENT,
    "380": RESIDENT,
}
PART_FUND = {"hifmi_pay": "392", "hifob_pay": "330", "cvlserv_pay": "320", "maf_pay": ASSISTANCE}

_COLUMNS = ClaimRow.__struct_fields__[1:]
_AMOUNTS = ClaimAmounts.__struct_fields__
_DETAILS = (
    "mdtrt_id",
    "clr_way",
    "begndate",
    "enddate",
    "psn_type",
    "maf_psn_type",
    "mdtrt_cert_type",
    "pay_chnl",
    "pay_loc",
    "insuplc_admdvs",
    "mdtrtarea_admvs",
    "dise_code",
    "days",
)

Tokens = Callable[[str], str]


@dataclass(slots=True)
class Unbooked:
    """Parts that no fund of this book owes: reported, kept on the claim, not booked."""

    rows: dict[str, int] = field(default_factory=dict)
    fen: dict[str, int] = field(default_factory=dict)

    def add(self, part: str, fen: int) -> None:
        self.rows[part] = self.rows.get(part, 0) + 1
        self.fen[part] = self.fen.get(part, 0) + fen


class Owing:
    """Which fund of one area owes which part of a settlement (corrections: which fund owes)."""

    def __init__(self, area: Area) -> None:
        self._funds = area.leaf_funds
        own = cast("Mapping[str, str]", area.options.get("claim_parts") or {})
        self._parts = {**PART_FUND, **own}

    def owed(self, row: ClaimRow, unbooked: Unbooked | None = None) -> dict[str, int]:
        """Give what each fund owes for a settlement, in fen; the rest goes to ``unbooked``."""
        owed: dict[str, int] = {}
        parts = row.fund_parts()
        if row.acct_pay:
            parts["acct_pay"] = row.acct_pay
        for part, fen in parts.items():
            fund = self._fund_of(part, row.insutype)
            if fund in self._funds:
                owed[fund] = owed.get(fund, 0) + fen
            elif unbooked is not None:
                unbooked.add(part, fen)
        return owed

    def _fund_of(self, part: str, insutype: str) -> str:
        if part == "acct_pay":
            return PERSONAL
        if part == "hifp_pay":
            basic = BASIC_FUND.get(insutype, insutype)
            return basic if is_leaf(basic) else ""
        return self._parts.get(part, "")


def claim_content(row: ClaimRow, person: str) -> str:
    """Hash what a row says with the person's token in place of the number; empty cells say nothing."""
    said = {
        name: value for name, value in zip(_COLUMNS, row.said(), strict=True) if value is not None
    }
    said["psn_no"] = person
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]


def claim_fact(
    row: ClaimRow,
    *,
    area: Area,
    owing: Owing,
    states: Books,
    person: str,
    person_key: int,
    intake: str,
    user: str,
) -> ClaimFact:
    """Make the fact of one settlement, booked on the date that the open months allow."""
    entry = claim_entry(owing.owed(row), row.fixmedins_code)
    day = row.setl_time.date()
    booked_on = booking_date(day, books_touched(area.code, entry), states) if entry else day
    values = {name: getattr(row, name) for name in _AMOUNTS}
    given = ((name, getattr(row, name)) for name in _DETAILS)
    details = {name: str(value) for name, value in given if value is not None}
    details["setl_time"] = row.setl_time.isoformat()
    return (ClaimRefunded if row.is_refund else ClaimSettled)(
        area=area.code,
        setl_id=row.setl_id,
        person=person,
        person_key=person_key,
        insutype=row.insutype,
        institution=row.fixmedins_code,
        med_type=row.med_type,
        clr_type=row.clr_type,
        setl_date=day.isoformat(),
        belongs_to=f"{day:%Y-%m}",
        amounts=ClaimAmounts(**values),
        details=details,
        content=claim_content(row, person),
        booked_on=booked_on.isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=user,
        source=Source(intake=intake, line=row.line),
    )
