"""Rows of ``clearing_applications`` (3203 清算申请): typed, or rejected with every fault.

What a row says is checked here by itself; what is booked for it, and whether somebody has applied
before, is for ``post_applications``.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ledger.domain.period import Period
from settlement.clearing.owed import Group
from settlement.intake import cells as read
from settlement.intake import vocabulary
from settlement.intake.amounts import parse_amount
from settlement.intake.cells import Cell, Parser, choice, choice_or_code
from settlement.intake.columns import CLEARING_APPLICATIONS, Form
from settlement.intake.moments import parse_day, parse_month
from settlement.intake.readers import Table
from settlement.intake.rejections import Rejection
from settlement.intake.row_reader import CheckContext, RowReader
from settlement.intake.statement_rows import CheckedStatements, known_institution, rows_of
from settlement.intake.vocabulary import by_word

_Row = dict[str, Any]
_Fault = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRow:
    """What an institution applies for, by 险种, 清算类别 and month; amounts in fen."""

    line: int
    institution: str
    insutype: str
    clr_type: str
    month: str
    clr_way: str | None
    persons: int | None
    medfee_fen: int
    agreed_fen: int | None
    fund_fen: int
    cash_fen: int
    account_fen: int
    hospital_fen: int

    @property
    def group(self) -> Group:
        """Say what the application is for: that, once a file."""
        return Group(self.institution, self.insutype, self.clr_type, self.month)

    @property
    def said(self) -> tuple[Any, ...]:
        """Give what the row says, wherever it stands."""
        amounts = self.medfee_fen, self.agreed_fen, self.fund_fen, self.cash_fen, self.account_fen
        return *self.group, self.clr_way, self.persons, *amounts, self.hospital_fen

    @property
    def content(self) -> str:
        """Hash what the row says: the same application again is no second one."""
        return sha256(json.dumps(self.said, ensure_ascii=False).encode()).hexdigest()[:32]


def check_applications(table: Table, context: CheckContext) -> CheckedStatements[ApplicationRow]:
    """Check every row of a ``clearing_applications`` table."""
    checked: CheckedStatements[ApplicationRow] = CheckedStatements()
    checker = _Checker(table, context)
    for row in rows_of(table, checker.check, _twice, checked):
        if isinstance(row, ApplicationRow):
            checked.rows.append(row)
    return checked


def _parsers(context: CheckContext) -> dict[str, Parser]:
    amounts = [one.key for one in CLEARING_APPLICATIONS if one.form is Form.AMOUNT]
    return {
        "fixmedins_code": known_institution(context.institutions),
        "fixmedins_name": read.parse_text,
        "insutype": choice(by_word(vocabulary.INSUTYPE_WORDS)),
        "clr_type": choice_or_code(by_word(vocabulary.CLR_TYPE_WORDS)),
        "clr_way": choice_or_code(by_word(vocabulary.CLR_WAY_WORDS)),
        "setlym": parse_month,
        "begndate": parse_day,
        "enddate": parse_day,
        "psntime": read.parse_integer,
        "note": read.parse_text,
        **dict.fromkeys(amounts, parse_amount),
    }


class _Checker:
    """Checks the rows of one table by themselves."""

    def __init__(self, table: Table, context: CheckContext) -> None:
        self._keys = [column.key for column in CLEARING_APPLICATIONS]
        self._today = context.today
        parsers = _parsers(context)
        self._reader = RowReader(table.head, {key: parsers[key] for key in self._keys})

    def check(self, line: int, cells: Sequence[Cell]) -> ApplicationRow | tuple[Rejection, ...]:
        """Give the typed row, or everything that is wrong with it at once."""
        values, rejections = self._reader.examine(line, cells)
        row = dict(zip(self._keys, values, strict=True))
        bad = {rejection.field for rejection in rejections}
        for key, code, facts in (*_month_faults(row, self._today), *_sum_faults(row, bad)):
            if key not in bad:
                rejections.append(self._reader.rejection(line, cells, key, code, facts))
        return tuple(rejections) if rejections else _row(line, row)


def _month_faults(row: _Row, today: dt.date) -> Iterator[_Fault]:
    month: Period | None = row["setlym"]
    if month is None:
        return
    if month >= Period.of(today):
        yield "setlym", "application_month_not_over", {"today": today.isoformat()}
    for key in ("begndate", "enddate"):
        if row[key] is not None and Period.of(row[key]) != month:
            yield key, "application_of_another_month", {"month": str(month)}


def _sum_faults(row: _Row, bad: set[str]) -> Iterator[_Fault]:
    keys = ("fund_appy_sum", "acct_pay", "cash_payamt", "hosp_part_amt")
    if bad & {"medfee_sumamt", *keys}:
        return
    fund, account, cash, hospital = (row[key] or 0 for key in keys)
    difference = row["medfee_sumamt"] - fund - account - cash - hospital
    if difference:
        facts = {
            "medfee_fen": row["medfee_sumamt"],
            "fund_fen": fund,
            "acct_fen": account,
            "cash_fen": cash,
            "hosp_fen": hospital,
            "difference_fen": difference,
        }
        yield "medfee_sumamt", "application_does_not_add_up", facts


def _row(line: int, row: _Row) -> ApplicationRow:
    return ApplicationRow(
        line=line,
        institution=row["fixmedins_code"],
        insutype=row["insutype"],
        clr_type=row["clr_type"],
        month=str(row["setlym"]),
        clr_way=row["clr_way"],
        persons=row["psntime"],
        medfee_fen=row["medfee_sumamt"],
        agreed_fen=row["med_sumfee"],
        fund_fen=row["fund_appy_sum"],
        cash_fen=row["cash_payamt"],
        account_fen=row["acct_pay"],
        hospital_fen=row["hosp_part_amt"] or 0,
    )


def _twice(row: ApplicationRow, first_line: int) -> Rejection:
    kind = CLEARING_APPLICATIONS
    facts = {"first_line": first_line}
    value = row.institution
    return Rejection(row.line, kind.key_column, "statement_conflict", value, facts, kind.name)
