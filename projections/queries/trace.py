"""From a figure, voucher, document or event down to file and line, and up to the reports that used it.

References: a log position (``1234``), a document number, a settlement id, a refusal, a voucher
(``310-2023-01-0001``), an intake (``I0123456789ab``), a close run, a clearing run, an application
for clearing, a recovery by offset, a batch of payment orders or one order, a line of a bank's
statement (``account/date/reference/fen/nth``, or ``bank:REFERENCE``), a match, a break, a balance
(``390:expense.benefit.inpatient:2023-10``) or an indicator
(``indicator:expenditure_growth_ytd:390:2023-10``).
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from ledger.aggregates.refusal import doc_no_of
from ledger.application import FundLedger
from ledger.domain.chart import CHART, account_name
from ledger.domain.fund import parent
from ledger.domain.identity import (
    case_stream,
    claim_stream,
    document_stream,
    refusal_stream,
    settlement_stream,
)
from ledger.domain.period import Period
from ledger.errors import InputRejected
from ledger.events.settlement import RefusalProposed
from ledger.store.codec import StoredRow, decode_all
from ledger.store.reading import moment_of
from projections.queries.indicators import indicators_document
from projections.queries.intakes import IntakeUnknown, intakes_document
from projections.queries.journal import journal_document
from projections.queries.monthly import monthly_figures
from projections.queries.periods import periods_document
from projections.queries.trace_path import months_in, path_of
from projections.queries.trace_paying import paying_rows
from projections.queries.trace_settling import settling_rows
from projections.store import ReadStore

_VOUCHER = re.compile(r"(\d{3})-(\d{4}-\d{2})-(\d+)")
_SHOWN = 200
#: Of how many months of institutions the stations are shown: a run of a city has hundreds.
_MONTHS = 12


class NothingFound(InputRejected):
    """The reference names nothing in this book."""

    code = "nothing_found"
    zh = "账簿中找不到 {ref}。"
    en = "The book has nothing under {ref}."
    hint_zh = (
        "可用:日志位置、单据号、结算号、凭证字号、导入批次、月结编号、清算批次、拨付单与付款单号、对账单行、"
        "bank:银行流水号、勾对与差异编号、险种:科目:账期、indicator:名称:险种:账期。"
    )
    hint_en = (
        "Use a position, document, settlement, voucher, intake, run, payout or order, statement line,"
        " bank:REFERENCE, match, break, FUND:ACCOUNT:PERIOD or indicator:NAME:FUND:PERIOD."
    )


class Tracer:
    """Traces references in one area of a book whose read models are up to date."""

    def __init__(self, ledger: FundLedger, reads: ReadStore, *, area: str, lang: str) -> None:
        self._ledger = ledger
        self._reads = reads
        self._area = area
        self._lang = lang

    def trace(self, ref: str) -> dict[str, Any]:
        """Answer ``trace REF``; NothingFound where the reference names nothing."""
        for look in (self._figure, self._voucher, self._events, self._intake, self._run):
            found = look(ref)
            if found is not None:
                return {"ref": ref, "position": self._ledger.log.last_position(), **found}
        raise NothingFound(ref=ref)

    def _events(self, ref: str) -> dict[str, Any] | None:
        """Trace a position, a document or a settlement: its whole life, and what stands for it."""
        rows: list[StoredRow] = []
        if ref.isascii() and ref.isdigit() and (row := self._ledger.log.event_at(int(ref))):
            rows = [row]
        for stream in (
            document_stream(self._area, ref),
            claim_stream(self._area, ref, refund=False),
            claim_stream(self._area, ref, refund=True),
            case_stream(self._area, ref),
        ):
            rows += self._ledger.log.stream(stream)
        rows += self._refusal(doc_no_of(ref, self._area) or ref)
        rows += settling_rows(self._ledger.log, self._area, ref)
        rows += paying_rows(self._ledger, self._area, ref)
        if not rows:
            return None
        events = [self._event(row) for row in rows]
        months = months_in(events)
        path = path_of(self._ledger, self._reads, self._area, months[:_MONTHS])
        return {
            "kind": "event",
            "events": events,
            "path": list(path),
            "path_months": len(months),
            "used_by": self._used_by(events),
        }

    def _refusal(self, doc_no: str) -> list[StoredRow]:
        """Give every step of a refusal; its decisions lie on the stream of the month they are of."""
        log = self._ledger.log
        rows = log.stream(refusal_stream(self._area, doc_no))
        months = {
            settlement_stream(fact.area, fact.fund, fact.institution, fact.belongs_to)
            for _, one in decode_all(rows)
            if isinstance(fact := one.fact, RefusalProposed)
        }
        decided = [
            row
            for month in months
            for row in log.stream(month)
            if msgspec.json.decode(row.state).get("doc_no") == doc_no
        ]
        return sorted([*rows, *decided], key=lambda row: row.position)

    def _event(self, row: StoredRow) -> dict[str, Any]:
        """Show one event with its seal, its file and line."""
        seal = self._ledger.log.seal_covering(row.position)
        state: dict[str, Any] = msgspec.json.decode(row.state)
        source = state.get("source") or {}
        return {
            "position": row.position,
            "topic": row.topic,
            "stream": str(row.originator_id),
            "version": row.originator_version,
            "source": self._source(source),
            "seal": {
                "no": seal.no,
                "digest": seal.digest.hex(),
                "at": moment_of(seal.at_us).isoformat(),
            }
            if seal
            else None,
            "state": state,
        }

    def _source(self, source: dict[str, Any]) -> dict[str, Any]:
        intake = source.get("intake")
        if intake is None:
            return {"intake": None, "file": None, "line": None}
        try:
            found = intakes_document(self._reads, area=self._area, intake=intake)["intakes"][0]
        except IntakeUnknown:
            found = {}
        return {
            "intake": intake,
            "file": found.get("file"),
            "by": found.get("by"),
            "line": source.get("line"),
        }

    def _used_by(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """List the sealed months whose reports an event went into: its booking month, then later ones."""
        touched = {
            (parent(posting["fund"]), event["state"]["booked_on"][:7], event["position"])
            for event in events
            for posting in event["state"].get("postings", ())
        }
        months = periods_document(self._reads, area=self._area)["periods"]
        return [
            {
                "run": month["run"],
                "fund": month["fund"],
                "period": month["period"],
                "plan_hash": month["plan_hash"],
                "sealed_position": month["sealed_position"],
                "sealed_digest": month["sealed_digest"],
            }
            for month in sorted(months, key=lambda one: (one["fund"], one["period"]))
            if month["state"] == "sealed"
            and any(
                month["fund"] == fund
                and month["period"] >= booked
                and position <= (month["sealed_position"] or 0)
                for fund, booked, position in touched
            )
        ]

    def _voucher(self, ref: str) -> dict[str, Any] | None:
        """Trace a voucher (凭证字号) to its event."""
        found = _VOUCHER.fullmatch(ref)
        if not found or parent(found[1]) != found[1]:
            return None
        document = journal_document(
            self._reads, area=self._area, fund=found[1], period=found[2], lang=self._lang
        )
        vouchers = [one for one in document["vouchers"] if one["number"] == int(found[3])]
        if not vouchers:
            return None
        traced = self._events(str(vouchers[0]["position"])) or {}
        return {**traced, "kind": "voucher", "voucher": vouchers[0]}

    def _intake(self, ref: str) -> dict[str, Any] | None:
        """Trace an intake: what it was and where its rows lie in the log."""
        try:
            found = intakes_document(self._reads, area=self._area, intake=ref)["intakes"][0]
        except IntakeUnknown:
            return None
        return {"kind": "intake", "intake": found}

    def _run(self, ref: str) -> dict[str, Any] | None:
        """Trace a close run: its month and every step."""
        months = periods_document(self._reads, area=self._area)["periods"]
        for month in months:
            if any(step["run"] == ref for step in month["steps"]):
                return {"kind": "run", "month": month}
        return None

    def _figure(self, ref: str) -> dict[str, Any] | None:
        """Trace a balance or an indicator."""
        parts = ref.split(":")
        if len(parts) == 4 and parts[0] == "indicator":
            return self._indicator(parts[1], parts[2], parts[3])
        if len(parts) in {2, 3} and parts[1] in CHART:
            return self._balance(parts[0], parts[1], parts[2] if len(parts) == 3 else None)
        return None

    def _balance(self, fund: str, account: str, period: str | None) -> dict[str, Any]:
        """Trace a balance to the vouchers whose lines make it up, each with file and line."""
        document = journal_document(
            self._reads, area=self._area, fund=fund, period=period, lang=self._lang
        )
        entries = [
            {
                "voucher": voucher["label"],
                "position": voucher["position"],
                "booked_on": voucher["booked_on"],
                "doc_no": voucher["doc_no"],
                "summary": voucher["summary"],
                "debit_fen": line["debit_fen"],
                "credit_fen": line["credit_fen"],
                "source": voucher["source"],
            }
            for voucher in document["vouchers"]
            for line in voucher["lines"]
            if line["account"] == account
        ]
        debit = sum(entry["debit_fen"] for entry in entries)
        credit = sum(entry["credit_fen"] for entry in entries)
        return {
            "kind": "balance",
            "figure": {
                "fund": fund,
                "account": account,
                "account_name": account_name(account, self._lang),
                "period": period,
                "debit_fen": debit,
                "credit_fen": credit,
                "balance_fen": debit - credit,
            },
            "entries": entries[:_SHOWN],
            "entries_in_all": len(entries),
        }

    def _indicator(self, name: str, fund: str, period: str) -> dict[str, Any] | None:
        """Trace an indicator to its definition, its inputs, and the balances they are made of."""
        try:
            month = Period.parse(period)
        except ValueError:
            return None
        figures = monthly_figures(self._reads, self._ledger, area=self._area)
        rows = indicators_document(figures, period=month, fund=fund, lang=self._lang)["indicators"]
        found = [row for row in rows if (row["name"], row["fund"]) == (name, fund)]
        if not found:
            return None
        accounts = sorted(
            {
                f"{line['fund']}:{line['account']}"
                for code in (("310", "390") if fund == "basic" else (fund,))
                for voucher in journal_document(self._reads, area=self._area, fund=code)["vouchers"]
                for line in voucher["lines"]
                if line["account"].startswith(("income.", "expense.", "net_assets"))
            }
        )
        return {"kind": "indicator", "indicator": found[0], "made_of": accounts}
