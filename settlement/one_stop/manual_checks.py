"""What is checked of a manual claim (手工报销) before it is prepared, and what it says when it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ledger.aggregates.area import Area
from ledger.aggregates.manual_claim import ManualClaim
from ledger.domain.money import format_yuan
from ledger.errors import Conflict, InputRejected, RuleRefused
from settlement.intake.owing import Owing
from settlement.one_stop.layers import Cost
from settlement.one_stop.policy import CaseKind


class ManualClaimFaulty(InputRejected):
    """The manual claim is written in a way that cannot be settled."""

    code = "manual_claim_faulty"
    zh = "手工报销的 {field} 不能接受:{reason_zh}。"
    en = "The {field} of the manual claim cannot be taken: {reason_en}."
    hint_zh = "请更正后重新提交。"
    hint_en = "Correct it and prepare the claim again."


class ManualClaimConflict(Conflict):
    """The number of a claim that waits or was settled came with other content."""

    code = "manual_claim_conflict"
    zh = "受理编号 {claim} 已有不同内容的手工报销(状态 {state})。"
    en = "{claim} is already a manual claim ({state}) with other content."
    hint_zh = "请换一个受理编号,或先退回原单。"
    hint_en = "Use another number, or reject the first one."


class ManualClaimStale(RuleRefused):
    """Something of the person's year was settled after the claim was computed."""

    code = "manual_claim_stale"
    zh = "{claim} 计算之后,该人员本年又有结算(日志位置 {position})。"
    en = "Something of this person's year was settled (position {position}) after {claim}."
    hint_zh = "请退回后重新受理计算。"
    hint_en = "Reject it and prepare it again, so that the year so far is right."


class NothingToPay(RuleRefused):
    """By the policy no fund pays anything of the claim."""

    code = "manual_claim_nothing"
    zh = "按政策 {policy},各基金对该费用没有应付金额。"
    en = "By the policy {policy} no fund pays anything of it."
    hint_zh = "请用 layers compute 查看计算过程。"
    hint_en = "See how it comes about with layers compute."


class SettlementMadeUp(Conflict):
    """The assistance of the settlement was made up for already."""

    code = "settlement_made_up"
    zh = "结算 {setl_id} 已补过救助。"
    en = "The assistance of the settlement {setl_id} was made up for already."
    hint_zh = "同一结算只补一次;如有更正,请走追回或新的结算。"
    hint_en = "It is made up for once; a correction is a recovery or a new settlement."


class PartWithoutBook(RuleRefused):
    """A fund that would have to pay has no book here."""

    code = "manual_part_without_book"
    zh = "应付 {part} {amount} 元,但承担的险种未在本账簿建账。"
    en = "{amount} yuan of {part} would be owed by a fund that has no book here."
    hint_zh = "请先用 setup 为该险种建账。"
    hint_en = "Open the fund's book by setup first."


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualDraft:
    """A manual claim as it is handed in; with ``setl_id`` the assistance of a settlement is made up."""

    claim_no: str
    person: str  # psn_no: becomes a token before anything is stored
    insutype: str
    day: date  # of the cost
    received: date
    documents: int
    cost: Cost
    med_type: str
    level: int | None = None
    person_class: str | None = None
    assistance_class: str | None = None
    place: str = "here"
    setl_id: str | None = None
    reason: str

    def kind(self) -> CaseKind:
        return CaseKind(
            insutype=self.insutype,
            level=self.level,
            med_type=self.med_type,
            person_class=self.person_class,
            assistance_class=self.assistance_class,
            place=self.place,
        )


def refuse_faults(draft: ManualDraft, today: date) -> None:
    """Check what is written; dates in order, a number without spaces, some document, some reason."""
    if not draft.claim_no or len(draft.claim_no.split()) != 1:
        raise faulty("claim_no", "须为不含空格的编号", "an identifier without spaces is needed")
    if draft.received > today:
        raise faulty("received", f"{draft.received} 晚于今天", f"{draft.received} is not here yet")
    if draft.day > draft.received:
        raise faulty("date", "费用日期晚于受理日期", "the cost is later than its receipt")
    if draft.documents < 1:
        raise faulty("documents", "至少一张票据", "one document at least is needed")
    if not draft.reason.strip():
        raise faulty("reason", "须写明原因", "a reason is needed")
    if draft.setl_id is None and draft.cost.total_fen <= 0:
        raise faulty("total", "须大于零", "above nil is needed")


def faulty(field: str, reason_zh: str, reason_en: str) -> ManualClaimFaulty:
    return ManualClaimFaulty(field=field, reason_zh=reason_zh, reason_en=reason_en)


def by_fund(area: Area, insutype: str, parts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Say which fund owes which parts; PartWithoutBook where none of this book does."""
    owing = Owing(area)
    found: dict[str, dict[str, int]] = {}
    for part, fen in parts.items():
        if not fen:
            continue
        fund = owing.fund_of(part, insutype)
        if fund is None:
            raise PartWithoutBook(part=part, amount=format_yuan(fen))
        found.setdefault(fund, {})[part] = fen
    return dict(sorted(found.items()))


def refuse_other_content(claim: ManualClaim) -> None:
    raise ManualClaimConflict(claim=claim.id, state=claim.state)
