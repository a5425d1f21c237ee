"""Withdrawing a bank's statement that was brought in by mistake (撤回对账单): another account's, a test.

A line that is matched stays until its match is released. The file may then come again. A line that
a later statement repeats was added once, by the first: withdraw and bring that one in again too.
"""

from hashlib import sha256

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import bank_statement_stream, match_stream
from ledger.errors import RuleRefused
from ledger.events.base import Envelope
from ledger.events.intake import IntakeCompleted, IntakeReversed
from ledger.events.outstanding import MatchRecorded
from ledger.events.reconciliation import StatementBankReceived, StatementBankWithdrawn
from ledger.store.codec import decode_fact
from ledger.store.commit import Commit
from settlement.banking import Place, banks_of
from settlement.reconciliation.money_facts import THEIRS, Line


class StatementMatched(RuleRefused):
    """Lines of the statement are matched with our books (对账单已勾对)."""

    code = "statement_matched"
    zh = "导入批次 {intake} 中有 {count} 笔已勾对(如 {match}),不能撤回。"
    en = "{count} lines of the intake {intake} are matched (such as {match}); it cannot be withdrawn."
    hint_zh = "请先撤销这些勾对:reconcile release 编号 --reason 理由。"
    hint_en = "Release these matches first: reconcile release MATCH --reason TEXT."


def withdraw_statement(
    ledger: FundLedger,
    area: Area,
    completed: Envelope,
    rows: tuple[int, int],
    *,
    reason: str,
    by: str,
) -> tuple[int, int, int]:
    """Withdraw every line that an intake added; give how many, and the first and last position.

    ``completed`` ends the intake, whose lines lie between the positions ``rows``, both included.
    """
    fact = completed.fact
    if not isinstance(fact, IntakeCompleted):
        raise TypeError(type(fact).__name__)
    received = [
        one
        for _, topic, state in ledger.log.read_facts(after=rows[0] - 1, until=rows[1])
        if topic == StatementBankReceived.TOPIC
        and isinstance(one := decode_fact(topic, state), StatementBankReceived)
        and one.source.intake == fact.intake
    ]
    _refuse_matched(ledger, area, fact.intake, received)
    lines: dict[tuple[str, str, str], int] = {}
    for one in received:
        key = one.counterparty, one.account, one.period
        lines[key] = lines.get(key, 0) + len(one.payments)
    envelopes = []
    for (counterparty, account, period), count in lines.items():
        stream = bank_statement_stream(area.code, counterparty, account, period)
        gone = StatementBankWithdrawn(
            area=area.code,
            period=period,
            by=by,
            counterparty=counterparty,
            account=account,
            intake=fact.intake,
            lines=count,
            reason=reason,
        )
        envelopes.append(Envelope(stream, len(ledger.history(stream)) + 1, gone))
    total = sum(lines.values())
    ended = IntakeReversed(
        area=area.code, intake=fact.intake, by=by, reason=reason, reversed_rows=total
    )
    envelopes.append(Envelope(completed.originator_id, completed.originator_version + 1, ended))
    receipt = ledger.append(
        envelopes,
        Commit(
            key=f"reverse-intake:{fact.intake}:end",
            input_hash=sha256(fact.intake.encode()).hexdigest(),
        ),
    )
    return total, receipt.first_position, receipt.last_position


def _refuse_matched(
    ledger: FundLedger, area: Area, intake: str, received: list[StatementBankReceived]
) -> None:
    banks = banks_of(area.options)
    streams = [
        match_stream(
            area.code,
            one.counterparty,
            banks.money_account(Place(one.counterparty, one.account)),
            THEIRS,
            Line(0, one.account, payment, one.by, intake).item,
        )
        for one in received
        for payment in one.payments
    ]
    heads = ledger.log.stream_heads(streams).values()
    matched = [head for head in heads if head.topic == MatchRecorded.TOPIC]
    if matched:
        fact = decode_fact(matched[0].topic, matched[0].state)
        match = fact.match if isinstance(fact, MatchRecorded) else "-"
        raise StatementMatched(intake=intake, count=len(matched), match=match)
