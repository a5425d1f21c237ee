"""Stream identities: uuid5 of the business key, so that a repeated fact collides (design §3.2)."""

from collections.abc import Iterable
from hashlib import sha1
from uuid import NAMESPACE_URL, UUID, uuid5

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:medfund:streams")


def _stream(kind: str, *parts: str) -> UUID:
    return uuid5(_NAMESPACE, "\x1f".join((kind, *parts)))


def area_stream(area: str) -> UUID:
    """One stream per pooling area (统筹区): its setup."""
    return _stream("area", area)


def document_stream(area: str, doc_no: str) -> UUID:
    """One stream per document (单据): posted, reversed, posted again as the next revision."""
    return _stream("document", area, doc_no)


def claim_stream(area: str, setl_id: str, *, refund: bool) -> UUID:
    """One stream per settlement (结算) and refund flag."""
    return _stream("claim", area, setl_id, "1" if refund else "0")


#: What makes 16 bytes of a hash a uuid5 (RFC 9562): version 5 in byte 6, the variant in byte 8.
_VERSION_5 = bytes(0x50 | byte & 0x0F for byte in range(256))
_VARIANT = bytes(0x80 | byte & 0x3F for byte in range(256))


def claim_streams(area: str, setl_ids: Iterable[bytes], *, refund: bool) -> list[bytes]:
    """Name the streams of many settlements at once: the bytes of ``claim_stream``, in order."""
    start = _NAMESPACE.bytes + f"claim\x1f{area}\x1f".encode()
    end = b"\x1f1" if refund else b"\x1f0"
    hashes = [
        sha1(start + setl_id + end, usedforsecurity=False).digest()[:16] for setl_id in setl_ids
    ]
    names = bytearray(b"".join(hashes))
    names[6::16] = names[6::16].translate(_VERSION_5)
    names[8::16] = names[8::16].translate(_VARIANT)
    return [bytes(names[at : at + 16]) for at in range(0, len(names), 16)]


def month_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per accounting month of a fund's book (账期)."""
    return _stream("month", area, fund, period)


def policies_stream(area: str) -> UUID:
    """One stream per pooling area: its clearing policies (结算政策)."""
    return _stream("policies", area)


def settlement_stream(area: str, fund: str, institution: str, month: str) -> UUID:
    """One stream per leaf fund, institution and 清算年月: what was settled of its month (结算)."""
    return _stream("settlement", area, fund, institution, month)


def payouts_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per leaf fund and month of payment: its batches of payment orders (拨付单)."""
    return _stream("payouts", area, fund, period)


def plan_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per fund and month of payment: its plan of payments (用款计划)."""
    return _stream("plan", area, fund, period)


def prepayments_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per leaf fund and month: its batches of prepayments (预付单)."""
    return _stream("prepayments", area, fund, period)


def persons_stream(area: str, batch: str) -> UUID:
    """One stream per file of payments to persons: its batch (个人拨付单)."""
    return _stream("persons", area, batch)


def person_payment_stream(area: str, payment: str) -> UUID:
    """One stream per payment to a person, by its leaf fund and reference (受理号)."""
    return _stream("person-payment", area, payment)


def institution_stream(area: str, code: str) -> UUID:
    """One stream per institution: how it stands (定点机构状态)."""
    return _stream("institution", area, code)


def application_stream(
    area: str, institution: str, insutype: str, clr_type: str, month: str
) -> UUID:
    """One stream per institution, 险种, 清算类别 and 清算年月: its applications (3203 清算申请)."""
    return _stream("application", area, institution, insutype, clr_type, month)


def clearing_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per leaf fund and month (or year) that is cleared: its runs (清算批次)."""
    return _stream("clearing", area, fund, period)


def offset_stream(area: str, doc_no: str) -> UUID:
    """One stream per recovery that is taken from payments to come (从拨付中抵扣的追回款)."""
    return _stream("offset", area, doc_no)


def refusal_stream(area: str, doc_no: str) -> UUID:
    """One stream per refusal document (审核拒付单)."""
    return _stream("refusal", area, doc_no)


def proposal_stream(area: str, doc_no: str) -> UUID:
    """One stream per document entered by hand: until it is approved, beside the document's own."""
    return _stream("proposal", area, doc_no)


def intake_stream(area: str, kind: str, content: str) -> UUID:
    """One stream per file content that was brought in (导入批次)."""
    return _stream("intake", area, kind, content)


def case_stream(area: str, setl_id: str) -> UUID:
    """One stream per settlement: what was found about its case afterwards (入组、特例单议)."""
    return _stream("case", area, setl_id)


def assessment_stream(area: str, institution: str, year: str) -> UUID:
    """One stream per institution and year: its assessment (年度考核)."""
    return _stream("assessment", area, institution, year)


def put_up_stream(area: str, institution: str, year: str) -> UUID:
    """One stream per institution and year: which of its cases were put up for review (特例单议计数)."""
    return _stream("put-up", area, institution, year)


def statement_totals_stream(area: str, group: tuple[str, str, str, str, str]) -> UUID:
    """One stream per institution, 险种, 清算类别, month and part of an institution's totals (总账)."""
    return _stream("statement-totals", area, *group)


def statement_details_stream(area: str, institution: str, period: str) -> UUID:
    """One stream per institution and month of an institution's settlements (明细账)."""
    return _stream("statement-details", area, institution, period)


def bank_statement_stream(area: str, source: str, account: str, period: str) -> UUID:
    """One stream per account and month of what bank, treasury, fiscal bureau or tax office stated."""
    return _stream("bank-statement", area, source, account, period)


def allocation_stream(area: str, period: str) -> UUID:
    """One stream per month of allocations of care across areas (异地清分)."""
    return _stream("allocation", area, period)


def layers_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per leaf fund and month: the recorded checks of its one-stop layers (一站式核查)."""
    return _stream("layers", area, fund, period)


def manual_claim_stream(area: str, claim_no: str) -> UUID:
    """One stream per manual claim: from its receipt to its decision (手工报销受理)."""
    return _stream("manual-claim", area, claim_no)


def reconciliation_stream(area: str, counterparty: str, period: str) -> UUID:
    """One stream per kind of counterparty and month: the recorded results (对账结果)."""
    return _stream("reconciliation", area, counterparty, period)


def match_stream(area: str, counterparty: str, account: str, side: str, item: str) -> UUID:
    """One stream per payment of one side (勾对): used once, for the second first event is refused."""
    return _stream("match", area, counterparty, account, side, item)


def break_stream(area: str, break_id: str) -> UUID:
    """One stream per break (差异): what is done about it."""
    return _stream("break", area, break_id)
