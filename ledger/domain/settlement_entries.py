"""What each step of settling with an institution posts (结算分录): one named function per step.

What an institution is owed passes through the stages of the obligations book::

    claims.incurred → owed.booked → owed.declared → owed.approved → owed.ordered → claims.paid

and leaves on the way to ``claims.refused`` (审核拒付), ``claims.offset`` (抵扣追回款),
``claims.prepaid`` (冲抵预付金) and ``claims.insurer`` (承保机构支付); ``owed.deposit`` holds the quality
deposit (质量保证金) apart. So per institution and fund::

    booked − refused − offset − prepaid − insurer − forfeited + cleared − paid = sum of the stages

What a person is owed for a manual claim (手工报销) begins at ``owed.approved``, from ``claims.manual``;
and an ``owed.approved`` below nil is what is carried forward (结转), with no posting of its own.
Where money or its nature changes, the entry has its posting in the cash book too, after
财会〔2017〕28号; recoveries by offset are posted gross, a deposit is an unpaid obligation. Amounts are
fen and positive unless a docstring says otherwise; ``fund`` is a leaf.
"""

from collections.abc import Iterable, Mapping

from ledger.domain.entry import Entry, Posting, move, red_letter
from ledger.domain.fund import ASSISTANCE


def declared_entry(fund: str, institution: str, fen: int) -> Entry:
    """申报: the institution applies for what was booked (3203 清算申请).

    Below nil, more was refunded than settled: declared as such, it lowers what comes later.
    """
    return (move(fund, debit="owed.booked", credit="owed.declared", fen=fen, party=institution),)


def declaration_withdrawn_entry(declared: Iterable[Posting]) -> Entry:
    """撤销申报 (3204): the application's entry in red, so that it is only booked again."""
    return red_letter(declared)


def refused_entry(fund: str, institution: str, *, declared_fen: int, booked_fen: int) -> Entry:
    """审核拒付: lowers what is owed, of what was declared and of what is only booked; no cash."""
    parts = (("owed.declared", declared_fen), ("owed.booked", booked_fen))
    return tuple(
        Posting(fund, stage, "claims.refused", fen, institution) for stage, fen in parts if fen
    )


def refusal_withdrawn_entry(refused: Iterable[Posting]) -> Entry:
    """撤销拒付 after an appeal: the refusal's entry in red, so every stage is what it was."""
    return red_letter(refused)


def approved_entry(fund: str, institution: str, *, declared_fen: int, deposit_fen: int) -> Entry:
    """审定: declared = approved + deposit; the deposit (质量保证金) is withheld, not lost.

    Below nil, the institution owes: carried forward.
    """
    approved = declared_fen - deposit_fen
    parts = (("owed.approved", approved), ("owed.deposit", deposit_fen))
    return tuple(
        move(fund, debit="owed.declared", credit=stage, fen=fen, party=institution)
        for stage, fen in parts
        if fen
    )


def due_difference_entry(fund: str, institution: str, fen: int) -> Entry:
    """按应付拨付差额: the month is paid by what is provisionally due; due − booked, of either sign."""
    return (move(fund, debit="claims.cleared", credit="owed.approved", fen=fen, party=institution),)


def insurer_entry(fund: str, institution: str, fen: int) -> Entry:
    """承保机构支付: the insurer pays the institution itself (大病保险); the agency owes it no more."""
    return (move(fund, debit="owed.approved", credit="claims.insurer", fen=fen, party=institution),)


def recovery_offset_entry(fund: str, institution: str, fen: int, *, same_year: bool) -> Entry:
    """抵扣追回: gross, the benefit counts as expense in full and the recovery stands beside it.

    The recovery lowers the expense of the same year; of an earlier year it is 其他收入 (1020399).
    """
    credited = "expense.benefit.recovered" if same_year else "income.other.recovery"
    return (
        Posting(fund, "expense.benefit.offset", credited, fen),
        Posting(fund, "owed.approved", "claims.offset", fen, institution),
    )


def prepayment_offset_entry(fund: str, institution: str, fen: int) -> Entry:
    """冲抵预付金: only now the prepaid money becomes benefit expense."""
    return (
        Posting(fund, "expense.benefit.prepaid", "advance.prepayment", fen, institution),
        Posting(fund, "owed.approved", "claims.prepaid", fen, institution),
    )


def ordered_entry(fund: str, institution: str, fen: int) -> Entry:
    """下付款单: approved money is ordered from the bank."""
    return (Posting(fund, "owed.approved", "owed.ordered", fen, institution),)


def paid_entry(fund: str, institution: str, by_kind: Mapping[str, int]) -> Entry:
    """拨付, confirmed by the bank: benefit expense by kind, and the order is settled by their sum.

    Money leaves 支出户; medical assistance is paid from 财政专户 (财社〔2013〕217号).
    """
    place = "fiscal" if fund == ASSISTANCE else "expenditure"
    cash = tuple(
        Posting(fund, f"expense.benefit.{kind}", place, fen) for kind, fen in by_kind.items() if fen
    )
    return (
        *cash,
        Posting(fund, "owed.ordered", "claims.paid", sum(by_kind.values()), institution),
    )


def payment_failed_entry(fund: str, institution: str, fen: int) -> Entry:
    """付款失败: the bank did not carry the order out; no money moved, and it may be ordered again."""
    return (Posting(fund, "owed.ordered", "owed.approved", fen, institution),)


def payment_returned_entry(fund: str, institution: str, fen: int) -> Entry:
    """退汇 of a confirmed payment: lowers the expense until it is paid again, and may be ordered again.

    The money comes back the way it went (财社〔2017〕144号 art. 41); it is no recovery.
    """
    place = "fiscal" if fund == ASSISTANCE else "expenditure"
    return (
        Posting(fund, place, "expense.benefit.returned", fen),
        Posting(fund, "claims.paid", "owed.approved", fen, institution),
    )


def person_owed_entry(fund: str, person: str, fen: int) -> Entry:
    """手工报销核定: a cost settled by hand is owed to the person (a token), approved at once."""
    return (Posting(fund, "claims.manual", "owed.approved", fen, person),)


def deposit_released_entry(fund: str, institution: str, fen: int) -> Entry:
    """返还质量保证金 after the yearly assessment: to be paid like what is approved.

    Below nil, an earlier run of the year released more.
    """
    return (move(fund, debit="owed.deposit", credit="owed.approved", fen=fen, party=institution),)


def deposit_forfeited_entry(fund: str, institution: str, fen: int) -> Entry:
    """不予返还质量保证金: owed no more; the money never left the fund.

    Below nil, an earlier run of the year forfeited more.
    """
    return (
        move(fund, debit="owed.deposit", credit="claims.forfeited", fen=fen, party=institution),
    )


def left_cleared_entry(fund: str, institution: str, fen: int) -> Entry:
    """年度清算冲销预拨余额: what a monthly share left declared; the year's difference covers it."""
    return (move(fund, debit="owed.declared", credit="claims.cleared", fen=fen, party=institution),)


def year_cleared_entry(fund: str, institution: str, fen: int) -> Entry:
    """年度清算差额 = due for the year − settled in its months: above nil it is owed in addition.

    Below nil it is owed back, and is carried forward until it is offset.
    """
    return (move(fund, debit="claims.cleared", credit="owed.approved", fen=fen, party=institution),)
