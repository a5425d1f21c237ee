"""Claim settlements (医保结算): what an institution is owed for one settlement, by owing fund."""

import msgspec

from ledger.events.base import Posted, Source

#: What a settlement says beside its amounts, none of it naming a person: the keys of ``details``, in
#: the order in which they are stored. The archive has a column for each.
DETAILS = (
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
    "dscg_way",
    "setl_time",
)


class ClaimAmounts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The amounts of one settlement in fen; a part that the file left empty is absent (None)."""

    medfee_sumamt: int
    fund_pay_sumamt: int
    acct_pay: int
    psn_cash_pay: int
    hosp_part_amt: int | None = None
    fulamt_ownpay_amt: int | None = None
    overlmt_selfpay: int | None = None
    preselfpay_amt: int | None = None
    inscp_scp_amt: int | None = None
    act_pay_dedc: int | None = None
    hifp_pay: int | None = None
    cvlserv_pay: int | None = None
    hifes_pay: int | None = None
    hifmi_pay: int | None = None
    hifob_pay: int | None = None
    hifdm_pay: int | None = None
    maf_pay: int | None = None
    oth_pay: int | None = None
    acct_mulaid_pay: int | None = None


class ClaimFact(Posted, frozen=True, kw_only=True):
    """One settlement at the counter; persons appear only as a keyed token (条例 art. 32)."""

    setl_id: str
    person: str  # keyed token of psn_no
    person_key: int  # version of the key that made the token
    insutype: str
    institution: str  # fixmedins_code
    med_type: str
    clr_type: str
    setl_date: str
    belongs_to: str  # month of care: that of the settlement
    amounts: ClaimAmounts
    details: dict[str, str]  # the other columns as given, none of them naming a person
    content: str
    source: Source


class ClaimSettled(ClaimFact, frozen=True, kw_only=True):
    """医保结算: books what the institution is owed, by owing fund; no cash moves."""

    TOPIC = "claim.settled.v1"


class ClaimRefunded(ClaimFact, frozen=True, kw_only=True):
    """退费结算: mirrors its original, negative, once."""

    TOPIC = "claim.refunded.v1"


class ClaimReversed(Posted, frozen=True, kw_only=True):
    """红字冲销 of a settlement that was brought in by mistake."""

    TOPIC = "claim.reversed.v1"

    setl_id: str
    refund: bool
    institution: str
    clr_type: str
    belongs_to: str
    original_position: int
    reason: str
    source: Source
