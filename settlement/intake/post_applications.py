"""Applications for clearing (3203) against the books: what is new, what is barred, what is declared.

A row becomes an application and, in the same commit, one ``settlement.declared.v1`` for each leaf
fund that owes a part: personal accounts by ``acct_pay``, the others by ``fund_appy_sum``, split by
what each has booked. The same application again counts as already there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ledger.aggregates.application import application_id, fold_applications
from ledger.aggregates.area import Area
from ledger.application import FundLedger
from ledger.domain.fund import PERSONAL
from ledger.domain.identity import application_stream, settlement_stream
from ledger.domain.posting_rules import RULES_VERSION
from ledger.domain.settlement_entries import declared_entry
from ledger.events.base import Envelope, Source
from ledger.events.clearing import ApplicationReceived, AppliedPart, SettlementDeclared
from settlement.booking import booking_date, books_touched
from settlement.clearing.declaring import declarable, split_declared
from settlement.clearing.owed import BOOKED, Booked, Group, Month, Records
from settlement.intake.application_rows import ApplicationRow
from settlement.intake.columns import CLEARING_APPLICATIONS
from settlement.intake.post_statements import New
from settlement.intake.rejections import Rejection
from settlement.intake.standing import standing

#: Gives the archive, brought up to the log as it stands when it is called.
Ask = Callable[[], Records]


@dataclass(slots=True)
class _Books:
    """What is booked by group, and what of it is still only booked; taken off as rows declare."""

    groups: Mapping[Group, Mapping[str, Booked]]
    left: dict[Month, int] = field(default_factory=dict)
    as_of: int = 0


def new_applications(
    ledger: FundLedger,
    area: Area,
    rows: Sequence[ApplicationRow],
    *,
    intake: str,
    user: str,
    ask: Ask,
    today: date,
) -> New:
    """Give the facts for what the log does not say already, and the rows that it bars."""
    heads = _Heads(ledger)
    found: list[Envelope] = []
    rejections: list[Rejection] = []
    open_rows: list[tuple[ApplicationRow, int, int]] = []
    for row in rows:
        stands = fold_applications(_history(ledger, area.code, row))
        before = stands.standing
        if before is None:
            open_rows.append((row, stands.version + 1, stands.next_number))
        elif before.content != row.content:
            facts = {
                **_named(row),
                "application": application_id(before),
                "position": stands.position,
                "fund_fen": before.fund_fen,
                "acct_fen": before.account_fen,
            }
            rejections.append(_barred(row, "fixmedins_code", "application_twice", facts))
    books = _read(ask(), [row for row, *_ in open_rows]) if open_rows else _Books({})
    new = 0
    for row, version, number in open_rows:
        wrong = list(_excess(row, books))
        if wrong:
            rejections += wrong
            continue
        new += 1
        fact = _received(area.code, row, books, number=number, by=user, intake=intake)
        found.append(Envelope(_stream(area.code, row), version, fact))
        for fund, fen in _by_fund(row, books).items():
            month = Month(fund, row.institution, row.month)
            books.left[month] = books.left.get(month, 0) - fen
            declared = _declared(ledger, area.code, fact, fund, fen, today=today)
            found.append(heads.next(declared))
    return New(found, new, tuple(rejections))


class _Heads:
    """The next version of streams of institutions' months, several of one file counted on."""

    def __init__(self, ledger: FundLedger) -> None:
        self._log = ledger.log
        self._next: dict[bytes, int] = {}

    def next(self, fact: SettlementDeclared) -> Envelope:
        stream = settlement_stream(fact.area, fact.fund, fact.institution, fact.belongs_to)
        if stream.bytes not in self._next:
            head = standing(self._log, [stream.bytes]).get(stream.bytes)
            self._next[stream.bytes] = head.version if head is not None else 0
        self._next[stream.bytes] += 1
        return Envelope(stream, self._next[stream.bytes], fact)


def _stream(area: str, row: ApplicationRow) -> Any:
    return application_stream(area, *row.group)


def _history(ledger: FundLedger, area: str, row: ApplicationRow) -> Iterator[Any]:
    return ((position, one.fact) for position, one in ledger.history(_stream(area, row)))


def _read(records: Records, rows: Sequence[ApplicationRow]) -> _Books:
    months = {row.month for row in rows}
    owed = records.owed(since=min(months))
    left = {month: accounts.get(BOOKED, 0) for month, accounts in owed.items()}
    return _Books(records.booked_by_group(*months), left, records.watermark)


def _booked(row: ApplicationRow, books: _Books) -> tuple[dict[str, int], int]:
    """Give what the funds have booked for it, and personal accounts apart."""
    booked = {fund: one.fen for fund, one in books.groups.get(row.group, {}).items()}
    account = booked.pop(PERSONAL, 0)
    return booked, account


def _by_fund(row: ApplicationRow, books: _Books) -> dict[str, int]:
    booked, _ = _booked(row, books)
    own = {PERSONAL: row.account_fen} if row.account_fen else {}
    return split_declared(row.fund_fen, booked) | own


def _excess(row: ApplicationRow, books: _Books) -> Iterator[Rejection]:
    """Refuse more than is booked for the group, or than is still only booked of a fund's month."""
    booked, account = _booked(row, books)
    asked = (
        ("fund_appy_sum", row.fund_fen, sum(booked.values())),
        ("acct_pay", row.account_fen, account),
    )
    wrong = {key: fen for key, applied, fen in asked if not declarable(applied, fen)}
    applied = {key: fen for key, fen, _ in asked}
    if not wrong:
        possible = _possible(row, books)
        wrong = {key: fen for key, fen in possible.items() if fen != applied[key]}
    for key, fen in wrong.items():
        facts = {**_named(row), "applied_fen": applied[key], "booked_fen": fen}
        yield _barred(row, key, "application_above_booked", facts)


def _possible(row: ApplicationRow, books: _Books) -> dict[str, int]:
    """Give what of the row's amounts is still there to be declared."""
    possible: dict[str, int] = {}
    for fund, fen in _by_fund(row, books).items():
        key = "acct_pay" if fund == PERSONAL else "fund_appy_sum"
        left = max(books.left.get(Month(fund, row.institution, row.month), 0), 0)
        possible[key] = possible.get(key, 0) + min(fen, left)
    return possible


def _named(row: ApplicationRow) -> dict[str, Any]:
    return {"month": row.month, "insutype": row.insutype, "clr_type": row.clr_type}


def _barred(row: ApplicationRow, key: str, code: str, facts: Mapping[str, Any]) -> Rejection:
    return Rejection(row.line, key, code, row.institution, facts, CLEARING_APPLICATIONS.name)


def _received(
    area: str, row: ApplicationRow, books: _Books, *, number: int, by: str, intake: str
) -> ApplicationReceived:
    return ApplicationReceived(
        area=area,
        institution=row.institution,
        insutype=row.insutype,
        clr_type=row.clr_type,
        belongs_to=row.month,
        number=number,
        by=by,
        clr_way=row.clr_way,
        persons=row.persons,
        medfee_fen=row.medfee_fen,
        agreed_fen=row.agreed_fen,
        fund_fen=row.fund_fen,
        cash_fen=row.cash_fen,
        account_fen=row.account_fen,
        hospital_fen=row.hospital_fen,
        parts=tuple(_parts(row, books)),
        as_of=books.as_of,
        content=row.content,
        source=Source(intake=intake, line=row.line),
    )


def _parts(row: ApplicationRow, books: _Books) -> Iterator[AppliedPart]:
    """Say for each fund what it has booked, what is applied for, and what stays booked."""
    applied = _by_fund(row, books)
    booked = {fund: one.fen for fund, one in books.groups.get(row.group, {}).items()}
    for fund in sorted({*booked, *applied}):
        fen = applied.get(fund, 0)
        left = books.left.get(Month(fund, row.institution, row.month), 0)
        stays = max(min(booked.get(fund, 0), left) - fen, 0)
        yield AppliedPart(fund, booked.get(fund, 0), fen, stays)


def _declared(
    ledger: FundLedger, area: str, fact: ApplicationReceived, fund: str, fen: int, *, today: date
) -> SettlementDeclared:
    entry = declared_entry(fund, fact.institution, fen)
    day = booking_date(today, books_touched(area, entry), ledger.log.books(area))
    return SettlementDeclared(
        area=area,
        booked_on=day.isoformat(),
        postings=entry,
        rules_version=RULES_VERSION,
        prepared_by=fact.by,
        fund=fund,
        institution=fact.institution,
        belongs_to=fact.belongs_to,
        date=today.isoformat(),
        summary=f"清算申请 {fact.insutype} {fact.clr_type} {fact.belongs_to}",
        source=fact.source,
        application=application_id(fact),
        amount_fen=fen,
    )
