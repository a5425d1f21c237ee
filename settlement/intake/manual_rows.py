"""Rows of ``manual_claims`` (手工报销受理单): typed, or rejected with everything wrong with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import Cell, Parser, choice, choice_or_code
from settlement.intake.columns import MANUAL_CLAIMS
from settlement.intake.moments import parse_day
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.statement_rows import CheckedStatements, rows_of
from settlement.intake.vocabulary import by_word
from settlement.one_stop.layers import Cost
from settlement.one_stop.manual_checks import ManualDraft
from settlement.one_stop.policy import ELSEWHERE, HERE

_AMOUNTS = ("medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt")
_MOST_DOCUMENTS = 9_999
_INPATIENT = "21"


@dataclass(frozen=True, slots=True)
class ManualRow:
    """One manual claim as the file has it; ``draft.person`` must become a token before it is stored."""

    line: int
    draft: ManualDraft

    @property
    def group(self) -> str:
        return self.draft.claim_no

    @property
    def said(self) -> ManualDraft:
        """Give what the row says, wherever it stands."""
        return self.draft


_PARSERS: dict[str, Parser] = {
    "claim_no": read.parse_identifier,
    "psn_no": read.parse_identifier,
    "insutype": choice(by_word(vocabulary.INSUTYPE_WORDS)),
    "date": parse_day,
    "received": parse_day,
    "documents": read.parse_integer,
    **dict.fromkeys(_AMOUNTS, parse_amount),
    "med_type": choice_or_code(by_word(vocabulary.MED_TYPE_WORDS)),
    "hosp_lv": read.parse_integer,
    "psn_type": read.parse_code,
    "maf_psn_type": read.parse_code,
    "elsewhere": read.parse_flag,
    "setl_id": read.parse_identifier,
    "reason": read.parse_text,
}


class _Checker:
    """Checks the rows of one table by themselves."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        self._keys = [column.key for column in MANUAL_CLAIMS]
        self._reader = RowReader(table.head, {key: _PARSERS[key] for key in self._keys})
        self._today = context.today

    def check(self, line: int, cells: Sequence[Cell]) -> ManualRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(self._keys, values, strict=True))
        bad = {rejection.field for rejection in rejections}
        for key, code, facts in _faults(row, self._today):
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        return tuple(rejections) if rejections else ManualRow(line, _draft(row))


def _faults(row: dict[str, Any], today: date) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for key in _AMOUNTS:
        if row[key] is not None and row[key] < 0:
            yield key, "wrong_sign", {"flag": 0}
    if row["setl_id"] is None and row["medfee_sumamt"] is None:
        yield "medfee_sumamt", "required", {}
    if row["documents"] is not None and not 1 <= row["documents"] <= _MOST_DOCUMENTS:
        yield "documents", "number_out_of_range", {"lowest": 1, "highest": _MOST_DOCUMENTS}
    if row["received"] is not None and row["received"] > today:
        yield "received", "date_in_future", {"limit": today.isoformat()}
    day, received = row["date"], row["received"]
    if day is not None and received is not None and day > received:
        yield "received", "end_before_begin", {"begndate": day.isoformat()}


def _draft(row: dict[str, Any]) -> ManualDraft:
    total, own, above, first = (row[key] or 0 for key in _AMOUNTS)
    return ManualDraft(
        claim_no=row["claim_no"],
        person=row["psn_no"],
        insutype=row["insutype"],
        day=row["date"],
        received=row["received"],
        documents=row["documents"],
        cost=Cost(total_fen=total, own_fen=own, above_limit_fen=above, first_share_fen=first),
        med_type=row["med_type"] or _INPATIENT,
        level=row["hosp_lv"],
        person_class=row["psn_type"],
        assistance_class=row["maf_psn_type"],
        place=ELSEWHERE if row["elsewhere"] else HERE,
        setl_id=row["setl_id"],
        reason=row["reason"],
    )


def _conflict(row: ManualRow, first_line: int) -> Rejection:
    facts, kind = {"first_line": first_line}, MANUAL_CLAIMS.name
    return Rejection(row.line, "claim_no", "statement_conflict", row.draft.claim_no, facts, kind)


def check_manual_claims(table: Table, context: CheckContext) -> CheckedStatements[Any]:
    """Check every row of a ``manual_claims`` table."""
    checked: CheckedStatements[Any] = CheckedStatements()
    checker = _Checker(table, context)
    for row in rows_of(table, checker.check, _conflict, checked):
        checked.rows.append(row)
    return checked
