"""Quality deposit (质量保证金): at most 5 % of a month, paid out by the yearly assessment (考核).

管理规程(2025版) art. 26 allows "不超过5%"; what it is taken from and the scores are the area's policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from ledger.domain.money import fen_share
from ledger.errors import RuleRefused

CEILING = Fraction(5, 100)


class DepositOrder(StrEnum):
    """What the deposit is a share of: both orders are in use, and they differ to the fen."""

    OF_DECLARED = "declared"  # 按申报额预留,再扣审核扣款
    AFTER_DEDUCTION = "after_deduction"  # 先扣审核扣款,按余额预留


class Withheld(NamedTuple):
    """The split of a month's declared amount, in fen; the three add up to what was declared."""

    deduction_fen: int
    deposit_fen: int
    payable_fen: int


def withhold(
    declared_fen: int, deduction_fen: int, *, share: Fraction, order: DepositOrder
) -> Withheld:
    """Split a declared amount into deduction, deposit and what remains payable.

    The deposit is rounded half-up to the fen; the payable part is the rest, so nothing is lost. From
    a month that is negative in itself nothing is withheld.
    """
    if not 0 <= share <= CEILING:
        raise ValueError("the deposit is between nil and 5 %")
    base = declared_fen
    if order is DepositOrder.AFTER_DEDUCTION:
        base -= deduction_fen
    deposit = fen_share(base, share) if base > 0 else 0
    return Withheld(deduction_fen, deposit, declared_fen - deduction_fen - deposit)


class ScoreWithoutRule(RuleRefused):
    """The release policy says nothing about a score (考核分数无对应规则)."""

    code = "score_without_rule"
    zh = "考核得分 {score} 在返还政策中没有对应规则。"
    en = "The release policy has no rule for an assessment score of {score}."
    hint_zh = "请补充政策后重新清算;系统不会代为推断。"
    hint_en = "Complete the policy and clear again; nothing is guessed."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRule:
    """From a score upwards: this share comes back, or the score itself as a percentage."""

    from_score: Fraction
    below: Fraction | None = None  # None: up to the highest score
    share: Fraction | None = None  # None: score %


def release(deposit_fen: int, score: Fraction, rules: Sequence[ReleaseRule]) -> int:
    """Give what of a deposit is released for a score, in fen; the rest is forfeited (扣减).

    A score that no rule covers is a policy gap: ScoreWithoutRule.
    """
    for rule in rules:
        if rule.from_score <= score and (rule.below is None or score < rule.below):
            share = score / 100 if rule.share is None else rule.share
            return fen_share(deposit_fen, share)
    raise ScoreWithoutRule(score=str(score))
