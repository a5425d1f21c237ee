"""What of its prepayment an institution holds (预付金余额), and how much of it may be taken back (收回)."""

from collections.abc import Mapping

from ledger.domain.money import format_yuan
from ledger.errors import RuleRefused
from settlement.clearing.owed import Records
from settlement.clearing.returns import open_returns
from settlement.payout.ordering import Ask
from settlement.payout.owing import prepaid_by_institution


class ReturnedTooMuch(RuleRefused):
    """More is returned than the institution holds (收回超过余额)."""

    code = "prepayment_returned_too_much"
    zh = "收回 {amount} 元超过机构 {institution} 在险种 {fund} 的预付金余额 {balance} 元。"
    en = (
        "{amount} yuan is more than the {balance} of prepayment that {institution} holds of {fund}."
    )
    hint_zh = "请用 payout prepaid 查看余额;已下单待到账的收回先于新的收回,已冲抵的不再收回。"
    hint_en = (
        "See the balances with payout prepaid; returns that are ordered come before new ones, and what"
        " was offset is not returned."
    )


def refuse_beyond_held(records: Records, fund: str, wanted: Mapping[str, int]) -> None:
    """ReturnedTooMuch where more is to be returned than is held and not asked back already."""
    held, asked = prepaid_by_institution(records, fund), open_returns(records, fund)
    for institution, fen in sorted(wanted.items()):
        _refuse(fund, institution, fen, held.get(institution, 0) - asked.get(institution, 0))


class Balances:
    """The balances as the books have them, with what the commit that is prepared adds and takes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._held: dict[str, dict[str, int]] = {}
        self._moved: dict[tuple[str, str], int] = {}

    def add(self, fund: str, institution: str, fen: int) -> None:
        """Note what is prepaid."""
        whom = fund, institution
        self._moved[whom] = self._moved.get(whom, 0) + fen

    def take(self, fund: str, institution: str, fen: int) -> None:
        """Note what comes back; ReturnedTooMuch where it is more than is held."""
        if fund not in self._held:
            self._held[fund] = prepaid_by_institution(self._ask(fund), fund)
        moved = self._moved.get((fund, institution), 0)
        _refuse(fund, institution, fen, self._held[fund].get(institution, 0) + moved)
        self.add(fund, institution, -fen)


def _refuse(fund: str, institution: str, fen: int, balance: int) -> None:
    if fen > balance:
        raise ReturnedTooMuch(
            amount=format_yuan(fen),
            institution=institution,
            fund=fund,
            balance=format_yuan(balance),
        )
