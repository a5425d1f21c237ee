"""Releasing a recorded match (撤销勾对): its payments are open again, and the trace stays."""

from hashlib import sha256
from typing import Any

import msgspec

from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.identity import match_stream
from ledger.errors import InputRejected
from ledger.events.base import Envelope
from ledger.events.outstanding import MatchRecorded, MatchReleased
from ledger.store.commit import Commit

_PAGE = 20_000
_match = msgspec.json.Decoder(MatchRecorded).decode


class UnknownMatch(InputRejected):
    """No match of that number stands."""

    code = "unknown_match"
    zh = "没有登记在册的勾对 {match}。"
    en = "No recorded match {match} stands."
    hint_zh = "勾对编号见 reconcile … --json 的 matched。"
    hint_en = "Its number is under matched of reconcile … --json."


def release_match(
    ledger: FundLedger, area: Area, match: str, *, reason: str, user: str | None
) -> dict[str, Any]:
    """Undo a match on all of its payments in one commit; StreamConflict if somebody did meanwhile."""
    by = area.allow(user, "reconcile")
    standing = _standing(ledger, area.code, match)
    if not standing:
        raise UnknownMatch(match=match)
    envelopes = [
        Envelope(
            match_stream(area.code, one.counterparty, one.money_account, one.side, one.item),
            version + 1,
            MatchReleased(
                area=area.code,
                period=one.period,
                by=by,
                counterparty=one.counterparty,
                money_account=one.money_account,
                side=one.side,
                item=one.item,
                match=match,
                reason=reason,
            ),
        )
        for version, one in standing
    ]
    content = msgspec.json.encode([one.fact for one in envelopes])
    receipt = ledger.append(
        envelopes,
        Commit(
            key=f"release:{area.code}:{match}:{standing[0][0]}",
            input_hash=sha256(content).hexdigest(),
        ),
    )
    return {
        "match": match,
        "counterparty": standing[0][1].counterparty,
        "payments": len(standing),
        "items": [f"{one.side}:{one.item}" for _, one in standing],
        "position": receipt.last_position,
    }


def _standing(ledger: FundLedger, area: str, match: str) -> list[tuple[int, MatchRecorded]]:
    """Find the payments whose last word is this match, with the version of their streams."""
    named = f'"match":"{match}"'.encode()
    position = ledger.log.last_position()
    facts: dict[tuple[str, str, str, str], MatchRecorded] = {}
    for after in range(0, position, _PAGE):
        for _, topic, state in ledger.log.read_facts(
            after=after, until=min(after + _PAGE, position)
        ):
            if topic == MatchRecorded.TOPIC and named in state:
                one = _match(state)
                if one.area == area and one.match == match:
                    facts[one.counterparty, one.money_account, one.side, one.item] = one
    streams = {match_stream(area, *key): fact for key, fact in facts.items()}
    heads = ledger.log.stream_heads(list(streams))
    return [
        (heads[stream].originator_version, fact)
        for stream, fact in streams.items()
        if heads[stream].topic == MatchRecorded.TOPIC
    ]
