"""The documents of ``/v1`` as OpenAPI shows them.

Answers are the very documents of the commands; a test holds real answers against these models, so
that neither drifts.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AreaCode = str
FundCode = str


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BalanceRow(_Document):
    """One account of one leaf fund, since inception up to ``as_of``; balance = debit − credit."""

    area: AreaCode
    fund: FundCode
    book: Literal["cash", "obligations"]
    account: str
    account_name: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


class FundRow(_Document):
    """A fund's calendar year up to ``as_of`` (合计, and 小计 as ``*_subtotal``) and 累计结余."""

    area: AreaCode
    fund: FundCode
    income_fen: int
    expense_fen: int
    surplus_fen: int
    accumulated_fen: int
    income_subtotal_fen: int
    expense_subtotal_fen: int
    flag: Literal["negative_accumulated"] | None = None


class Balances(_Document):
    """余额: as ``medfund balances --json``."""

    position: int
    as_of: str
    known_at: int | None
    balances: list[BalanceRow]
    funds: list[FundRow]


class Months(_Document):
    """The months a figure was taken from, both included."""

    first: str = Field(alias="from")
    last: str = Field(alias="to")


class Band(_Document):
    """预警档 of payable months."""

    key: str
    name: str
    effective: str


class IndicatorDefinition(_Document):
    """指标口径: what is divided by what; ``id`` names this version for ever."""

    id: str
    version: int
    effective: str
    zh: str
    en: str
    headline: bool
    scope: list[FundCode]
    basis: str | None = None
    denominator: str | None = None
    adjusted: bool | None = None
    less: list[str] | None = None
    rounding: str | None = None


class Indicator(_Document):
    """One figure. ``value`` is decimal text for ratios, whole for fen and counts, null with a reason."""

    area: AreaCode
    fund: FundCode
    name: str
    value: str | int | None
    unit: Literal["percent", "months", "fen", "count"]
    definition: IndicatorDefinition
    inputs: dict[str, int]
    window: Months | None = None
    base_window: Months | None = None
    target: dict[Literal["at_most", "at_least"], str] | None
    status: Literal["met", "missed", "unknown", "none"]
    reason: str | None = None
    reason_text: str | None = None
    band: Band | None = None


class Indicators(_Document):
    """指标: as ``medfund indicators PERIOD --json``."""

    period: str
    position: int
    indicators: list[Indicator]


class MeasureReason(_Document):
    """Why a measure has no value."""

    code: str
    text: str


class Measure(_Document):
    """The measures of a fund (``institution`` null) or of one of its institutions; rates in percent."""

    fund: FundCode
    institution: str | None
    name: str | None
    institutions: int
    batches: int
    cases: int
    settled_fen: int
    booked_fen: int
    due_fen: int | None
    settlement_rate: str | None
    due_over_booked: str | None
    booked_over_due: str | None
    match_rate: str | None
    even_over_compared: str | None
    grouped_over_cases: str | None
    record_accuracy: str | None
    right_over_listed: str | None
    kept_over_cases: str | None
    error_rate: str | None
    case_mix_index: str | None
    average_cost_fen: int | None
    reasons: dict[str, MeasureReason]


class PointValue(_Document):
    """The value of a point in one month, of its last approved run."""

    fund: FundCode
    period: str
    run: str
    point_value: str


class Measures(_Document):
    """结算考核指标: as ``medfund measures PERIOD --json``."""

    period: str
    position: int
    area: AreaCode
    definition: dict[str, str]
    measures: list[Measure]
    point_values: list[PointValue]
    reconciled_months: list[str]


class JournalLine(_Document):
    """One debit or credit of a voucher."""

    fund: FundCode
    account: str
    account_name: str
    debit_fen: int
    credit_fen: int
    party: str | None


class VoucherReference(_Document):
    """Another voucher, by its position in the log."""

    position: int
    label: str | None


class VoucherSource(_Document):
    """The file and line a voucher came from, where it came from one."""

    intake: str | None
    line: int | None
    file: str | None


class Voucher(_Document):
    """凭证 with all of its lines."""

    number: int
    label: str
    fund: FundCode
    booked_on: str
    date: str | None
    belongs_to: str | None
    doc_no: str | None
    revision: int | None
    summary: str | None
    item: str | None
    counterparty: str | None
    attachments: int | None
    prepared_by: str | None
    reviewed_by: str | None
    booked_by: str | None
    reverses: VoucherReference | None
    reversed_by: VoucherReference | None
    position: int
    lines: list[JournalLine]
    source: VoucherSource


class JournalTotals(_Document):
    """Sums over what is shown; debit equals credit."""

    vouchers: int
    lines: int
    debit_fen: int
    credit_fen: int


class Journal(_Document):
    """序时簿: as ``medfund journal --json``."""

    position: int
    known_at: int | None
    area: AreaCode
    fund: FundCode | None
    period: str | None
    vouchers: list[Voucher]
    totals: JournalTotals


class Periods(_Document):
    """账期 and seals: as ``medfund close list --json``."""

    position: int
    known_at: int | None
    area: AreaCode
    periods: list[dict[str, Any]]


class CloudEvent(_Document):
    """An event of the log (CloudEvents 1.0, JSON). ``id`` is its position; ``time`` that of its seal."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    sequence: str
    streamversion: int
    data: dict[str, Any]


class Events(_Document):
    """A page of the log. Go on with ``after = next`` while ``next`` is below ``position``."""

    position: int
    after: int
    next: int
    events: list[CloudEvent]


class Health(_Document):
    """Whether the service lives, or may be asked."""

    status: Literal["alive", "ready"]


class Problem(BaseModel):
    """RFC 9457 problem details with our stable code, its family and the facts."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    family: Literal[
        "input_rejected", "rule_refused", "conflict", "books_damaged", "unavailable", "unexpected"
    ]
    facts: dict[str, Any]
