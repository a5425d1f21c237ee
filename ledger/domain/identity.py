"""Stream identities: uuid5 of the business key, so that a repeated fact collides (design §3.2)."""

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


def month_stream(area: str, fund: str, period: str) -> UUID:
    """One stream per accounting month of a fund's book (账期)."""
    return _stream("month", area, fund, period)


def intake_stream(area: str, kind: str, content: str) -> UUID:
    """One stream per file content that was brought in (导入批次)."""
    return _stream("intake", area, kind, content)
