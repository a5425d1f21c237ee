"""Events of settlements made row by row from the product's own classes: what columns must equal."""

from hashlib import sha256

import msgspec

from ledger.domain.fund import PERSONAL, is_leaf
from ledger.domain.identity import claim_stream
from ledger.domain.posting_rules import RULES_VERSION, claim_entry
from ledger.events.base import Envelope, Source
from ledger.events.claim import ClaimAmounts, ClaimRefunded, ClaimSettled
from ledger.store.codec import encode_all
from settlement.booking import booking_date, books_touched
from settlement.intake.owing import BASIC_FUND, PART_FUND
from settlement.intake.places import place_of

_DETAILS = (
    *("mdtrt_id", "clr_way", "begndate", "enddate", "psn_type", "maf_psn_type"),
    *("mdtrt_cert_type", "pay_chnl", "pay_loc", "insuplc_admdvs", "mdtrtarea_admvs"),
    *("dise_code", "days", "dscg_way"),
)


def owed_by_row(row, funds, own_parts):
    """Give what each fund owes for one settlement, in fen."""
    parts = row.fund_parts() | ({"acct_pay": row.acct_pay} if row.acct_pay else {})
    owed = {}
    for part, fen in parts.items():
        if part == "acct_pay":
            fund = PERSONAL
        elif part == "hifp_pay":
            basic = BASIC_FUND.get(row.insutype, row.insutype)
            fund = basic if is_leaf(basic) else ""
        else:
            fund = {**PART_FUND, **own_parts}.get(part, "")
        if fund in funds:
            owed[fund] = owed.get(fund, 0) + fen
    return owed


def content_by_row(row, person):
    """Hash what one row says."""
    said = {name: value for name, value in msgspec.structs.asdict(row).items() if value is not None}
    del said["line"]
    said["psn_no"] = person
    return sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]


def fact_by_row(row, *, area, funds, own_parts, states, person, person_key, intake, user, places):
    """Make the fact of one settlement."""
    role = places.role(row.insuplc_admdvs, row.mdtrtarea_admvs, row.fixmedins_code)
    abroad = place_of(row.mdtrtarea_admvs, row.fixmedins_code)
    party = abroad if role == "remote" else row.fixmedins_code
    entry = claim_entry(owed_by_row(row, funds, own_parts), party, role)
    day = row.setl_time.date()
    booked_on = booking_date(day, books_touched(area, entry), states) if entry else day
    amounts = {name: getattr(row, name) for name in ClaimAmounts.__struct_fields__}
    given = ((name, getattr(row, name)) for name in _DETAILS)
    details = {name: str(value) for name, value in given if value is not None}
    return (ClaimRefunded if row.is_refund else ClaimSettled)(
        area=area,
        setl_id=row.setl_id,
        person=person,
        person_key=person_key,
        insutype=row.insutype,
        institution=row.fixmedins_code,
        med_type=row.med_type,
        clr_type=row.clr_type,
        setl_date=day.isoformat(),
        belongs_to=f"{day:%Y-%m}",
        amounts=ClaimAmounts(**amounts),
        details=details | {"setl_time": row.setl_time.isoformat()},
        content=content_by_row(row, person),
        booked_on=booked_on.isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=user,
        source=Source(intake=intake, line=row.line),
    )


def encoded_by_row(rows, facts):
    """Write facts as the codec does: stream, version, topic, state."""
    area = facts[0].area if facts else ""
    return encode_all(
        Envelope(claim_stream(area, row.setl_id, refund=row.is_refund), 1, fact)
        for row, fact in zip(rows, facts, strict=True)
    )
