"""``recover --from-next-payment`` and ``clear offsets``: recoveries taken from payments to come."""

from typing import Any

from ledger.aggregates.offset import WAITING, Offset
from ledger.domain.money import format_yuan
from medfund.cli.app import Session
from medfund.cli.archived import records_up_to_now
from settlement.offsets import offsets_of

_STATES = {
    "waiting": "待复核",
    "approved": "待抵扣",
    "rejected": "已退回",
    "done": "已抵清",
}


def answer_offset(session: Session, offset: Offset) -> None:
    """Answer with a recovery as it stands."""
    output, document = session.output, offset_document(offset)

    def render() -> None:
        state = output.say(_STATES[offset.state], offset.state)
        amounts = f"{format_yuan(document['amount_fen'])} / {format_yuan(document['left_fen'])}"
        output.line(
            f"{document['fund']} {document['institution']}  {offset.id}  {amounts}  {state}"
        )
        if offset.state == WAITING:
            output.line(
                output.say(
                    f"  下一步:由另一人执行 medfund --as USER approve {offset.id}",
                    f"  next: somebody else runs medfund --as USER approve {offset.id}",
                )
            )

    output.answer(document, render)


def list_offsets(session: Session, fund: str | None) -> None:
    """List every recovery that is taken from payments, with what is left of it."""
    with session.house() as house:
        area = session.area(house)
        found = offsets_of(records_up_to_now(session, house, area.code))
    rows = [offset_document(one) for one in found if fund in {None, one.proposed.fund}]
    output = session.output
    heads = output.say(
        "追回|险种|机构|金额|余额|状态", "recovery|fund|institution|amount|left|state"
    )
    output.answer(
        {"offsets": rows},
        lambda: output.table(
            heads.split("|"),
            [
                (
                    row["offset"],
                    row["fund"],
                    row["institution"],
                    format_yuan(row["amount_fen"]),
                    format_yuan(row["left_fen"]),
                    output.say(_STATES[row["state"]], row["state"]),
                )
                for row in rows
            ],
            right=(3, 4),
        ),
    )


def offset_document(offset: Offset) -> dict[str, Any]:
    """Give the JSON document of a recovery."""
    said = offset.proposed
    return {
        "offset": offset.id,
        "doc_no": offset.doc_no,
        "state": offset.state,
        "fund": said.fund,
        "institution": said.institution,
        "date": said.date,
        "amount_fen": said.amount_fen,
        "left_fen": offset.left_fen,
        "original_year": said.original_year,
        "reason": offset.reason,
        "prepared_by": said.by,
        "decided_by": offset.decided_by,
    }
