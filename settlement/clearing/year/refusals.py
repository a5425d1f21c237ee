"""Why a year is not cleared (年度清算的拒绝理由): everything that stands in the way, at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.domain.money import format_yuan
from ledger.errors import RuleRefused

#: Problems that a message spells out; the document lists them all.
_SPELLED_OUT = 20


class PolicyChangesWithinYear(RuleRefused):
    """Two policies speak for days of one year, and none of them says that it clears the year."""

    code = "policy_changes_within_year"
    zh = "{year} 年内政策变更:{first} 之后自 {day} 起为 {second}。"
    en = "The policy changes within {year}: {first}, then {second} from {day} on."
    hint_zh = "请提交并批准一版写明 [yearly] year = {year} 的政策,作为该年清算依据。"
    hint_en = "Propose and approve a policy with [yearly] year = {year}: it clears the year."


class YearNotOver(RuleRefused):
    """A year is cleared when it is over."""

    code = "clearing_year_not_over"
    zh = "{year} 年度尚未结束(今天 {today}),不能清算。"
    en = "The year {year} is not over (today is {today}): it cannot be cleared."
    hint_zh = "可先试算:clear {year} --fund F --dry-run。"
    hint_en = "Compute it: clear {year} --fund F --dry-run."


class YearRefused(RuleRefused):
    """The year cannot be cleared yet: months that are not settled, assessments or rules missing."""

    code = "year_refused"
    zh = "险种 {fund} 的 {year} 年度不能清算,共 {count} 项:{problems_zh}。"
    en = "The year {year} of fund {fund} cannot be cleared, {count} things are missing: {problems_en}."
    hint_zh = "请逐项办理后重新清算;--dry-run 可先行试算。"
    hint_en = "Settle them and clear again; --dry-run computes the year as it stands."


@dataclass(frozen=True, slots=True, kw_only=True)
class YearProblem:
    """One thing that stands in the way of clearing a year."""

    code: str
    institution: str
    month: str | None = None
    score: str | None = None
    fen: int = 0

    def said(self, lang: str) -> str:
        """Say what it is, in one sentence."""
        zh, en = _TEXTS[self.code]
        facts = {
            "institution": self.institution,
            "month": self.month,
            "score": self.score,
            "yuan": format_yuan(self.fen),
        }
        return (zh if lang == "zh" else en).format(**facts)

    def document(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {
            "code": self.code,
            "institution": self.institution,
            "month": self.month,
            "score": self.score,
            "amount_fen": self.fen,
        }


_TEXTS = {
    "month_not_settled": (
        "{institution} 的 {month} 尚有 {yuan} 元未按月清算",
        "{institution} has {yuan} of {month} that no monthly run settled",
    ),
    "no_assessment": (
        "{institution} 有质量保证金 {yuan} 元,但没有年度考核结果",
        "{institution} has a deposit of {yuan} and no assessment of the year",
    ),
    "score_without_rule": (
        "{institution} 考核得分 {score} 在返还政策中没有对应规则(保证金 {yuan} 元)",
        "{institution} scored {score}, for which [deposit] has no rule (deposit {yuan})",
    ),
    "no_method": (
        "{institution} 有 {yuan} 元结算不属于政策的任何支付方式",
        "{institution} was booked {yuan} for cases that no method of the policy takes",
    ),
}


def refuse_year(fund: str, year: str, problems: Sequence[YearProblem]) -> None:
    """YearRefused where anything stands in the way."""
    if not problems:
        return
    named = problems[:_SPELLED_OUT]
    more = [f"… +{len(problems) - len(named)}"] if len(problems) > len(named) else []
    raise YearRefused(
        fund=fund,
        year=year,
        count=len(problems),
        problems_zh=";".join([one.said("zh") for one in named] + more),
        problems_en="; ".join([one.said("en") for one in named] + more),
    )
