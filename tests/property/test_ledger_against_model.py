"""Whatever a bureau does, in whatever order: the books say what a bookkeeper's paper says."""

import calendar
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.examples import examples
from support.model import EXPENSE, INCOME, Model
from support.office import CLERK, H1, open_office

from ledger.aggregates.month import AlreadyClosed, NotSealed, SamePerson
from ledger.domain.chart import CHART
from ledger.domain.identity import document_stream
from ledger.domain.period import Period
from settlement import closing
from settlement.close_refusals import EarlierMonthOpen
from settlement.corrections import AlreadyReversed, NothingToReverse

FIRST = 12  # December 2023: the first close already is a year's end
TODAY = date(2026, 1, 1)
FUNDS = ("390", "610")
FUND_OF = {"390": "390", "310": "310.pooled"}

Fresh = Callable[[], tuple[str, Path]]
funds = st.sampled_from(FUNDS)
months = st.integers(FIRST - 2, FIRST + 5)
amounts = st.integers(1, 10**9)
items = st.sampled_from([*INCOME, *EXPENSE, "资助参保支出", "罚款"])
documents = st.tuples(items, funds, amounts, months, st.integers(1, 28))


def period(month: int) -> str:
    return str(Period(2023, 1).plus(month - 1))


def number(day: str) -> int:
    return Period.parse(day[:7]).ordinal - Period(2023, 1).ordinal + 1


class Bureau(RuleBasedStateMachine):
    """The real ledger through its use-cases, beside the model."""

    def __init__(self, fresh: Fresh) -> None:
        super().__init__()
        self.held = ExitStack()
        url, folder = fresh()
        self.office = self.held.enter_context(open_office(url, folder, today=TODAY))
        self.model = Model(*FUNDS, "310.pooled", first=FIRST)
        self.used = 0
        self.gone: list[str] = []  # reversed, and free to be posted again
        self.last_file: tuple[Path, str] | None = None

    # --- documents and settlements ----------------------------------------------------------

    @initialize(rows=st.lists(documents, min_size=4, max_size=8))
    def begin_with_documents(self, rows):
        self.bring_documents(rows)

    @rule(rows=st.lists(documents, min_size=1, max_size=4))
    def bring_documents(self, rows):
        lines, booked = [], {}
        for item, fund, fen, month, day in rows:
            owner = "610" if item == "资助参保支出" else fund
            doc_no = self._new_number()
            lines.append(
                {
                    "单据号": doc_no,
                    "日期": f"{period(month)}-{day:02d}",
                    "险种": owner,
                    "项目": item,
                    "金额": f"{fen // 100}.{fen % 100:02d}",
                    "对方险种": "390" if item == "资助参保支出" else "",
                }
            )
            booked[doc_no] = self.model.post(doc_no, item, owner, fen, month)
        outcome = self.office.bring_flows([{"area": "330604", **line} for line in lines])
        assert (outcome.state, outcome.posted) == ("posted", len(rows))
        self.last_file = outcome.path, "fund_flows"
        for doc_no, month in booked.items():
            assert self._booked_month(doc_no) == month

    def _new_number(self) -> str:
        if self.gone:
            return self.gone.pop()
        self.used += 1
        return f"D{self.used}"

    def _booked_month(self, doc_no: str) -> int:
        _, last = self.office.ledger.history(document_stream("330604", doc_no))[-1]
        return number(last.fact.booked_on)

    @precondition(lambda self: self.model.documents)
    @rule(data=st.data())
    def reverse_a_document(self, data):
        doc_no = data.draw(st.sampled_from(sorted(self.model.documents)))
        touched = self.model.documents[doc_no][1]
        self.office.reverse(doc_no)
        month = self.model.reverse(doc_no)
        if touched:  # a fine that was only registered is in nobody's month
            assert self._booked_month(doc_no) == month
        with pytest.raises(AlreadyReversed):
            self.office.reverse(doc_no)
        self.gone.append(doc_no)

    @rule(
        rows=st.lists(
            st.tuples(st.sampled_from(sorted(FUND_OF)), amounts, months), min_size=1, max_size=3
        )
    )
    def bring_settlements(self, rows):
        lines = []
        for insutype, fen, month in rows:
            self.used += 1
            yuan = f"{fen // 100}.{fen % 100:02d}"
            lines.append(
                {
                    "setl_id": f"S{self.used}",
                    "insutype": insutype,
                    "fixmedins_code": H1,
                    "setl_time": f"{period(month)}-05 10:00:00",
                    **dict.fromkeys(("medfee_sumamt", "fund_pay_sumamt"), yuan),
                    **dict.fromkeys(("acct_pay", "psn_cash_pay"), "0"),
                }
            )
            self.model.claims[f"S{self.used}"] = FUND_OF[insutype], fen
        outcome = self.office.bring_claims(lines)
        assert (outcome.state, outcome.posted) == ("posted", len(rows))
        self.last_file = outcome.path, "claims"

    @precondition(lambda self: self.model.claims)
    @rule(data=st.data())
    def reverse_a_settlement(self, data):
        setl_id = data.draw(st.sampled_from(sorted(self.model.claims)))
        self.office.reverse(setl_id)
        del self.model.claims[setl_id]
        with pytest.raises(NothingToReverse):
            self.office.reverse(f"{setl_id}-")

    @precondition(lambda self: self.last_file)
    @rule()
    def bring_the_last_file_again(self):
        before = self.office.position
        path, kind = self.last_file
        assert self.office.bring(path, kind=kind).state == "duplicate"
        assert self.office.position == before

    # --- months -----------------------------------------------------------------------------

    @rule(fund=funds)
    def request_a_close(self, fund):
        book = self.model.funds[fund]
        month = book.sealed + 1
        if book.frozen:
            with pytest.raises(AlreadyClosed):
                self.office.request(fund, period(month))
            return
        with pytest.raises(EarlierMonthOpen):
            self.office.request(fund, period(month + 1))
        plan = closing.dry_run_close(
            self.office.ledger, self.office.area, fund=fund, period=Period.parse(period(month))
        ).month
        self.office.request(fund, period(month))
        frozen = self.office.month(fund, period(month))
        assert (frozen.plan_hash, frozen.plan) == (plan.plan_hash, plan.plan)
        book.frozen = True

    @precondition(lambda self: any(book.frozen for book in self.model.funds.values()))
    @rule(fund=funds)
    def approve_a_close(self, fund):
        book = self.model.funds[fund]
        month = self.office.month(fund, period(book.sealed + 1))
        if not book.frozen:
            return
        with pytest.raises(SamePerson):
            month.refuse_decision(run=month.run, user=CLERK)
        assert self.office.approve(month.run).state == "sealed"
        self.model.seal(fund)

    @rule(fund=funds, regretted=st.booleans())
    def close_a_month(self, fund, regretted):
        book = self.model.funds[fund]
        if book.frozen:
            return
        assert self.office.close(fund, period(book.sealed + 1)).state == "sealed"
        self.model.seal(fund)
        if regretted:
            assert self.office.reopen(fund, period(book.sealed)).state == "open"
            self.model.reopen(fund)

    @precondition(lambda self: any(book.frozen for book in self.model.funds.values()))
    @rule(fund=funds)
    def reject_a_close(self, fund):
        book = self.model.funds[fund]
        if book.frozen:
            run = self.office.month(fund, period(book.sealed + 1)).run
            assert self.office.reject(run).state == "open"
            book.frozen = False

    @precondition(lambda self: any(book.sealed >= FIRST for book in self.model.funds.values()))
    @rule(fund=funds, decided=st.booleans())
    def ask_to_reopen(self, fund, decided):
        book = self.model.funds[fund]
        if book.frozen:
            with pytest.raises(NotSealed):
                self.office.ask_to_reopen(fund, period(book.sealed + 1))
        elif book.sealed >= FIRST:
            run = self.office.ask_to_reopen(fund, period(book.sealed))
            if decided:
                assert self.office.approve(run).state == "open"
                self.model.reopen(fund)
            else:
                assert self.office.reject(run).state == "sealed"

    # --- what must hold after each step -----------------------------------------------------

    @invariant()
    def the_books_say_what_the_paper_says(self):
        last = max(book.sealed for book in self.model.funds.values())
        for month in {last, FIRST + 40}:
            assert self._balances(month) == self.model.balances(month)

    @invariant()
    def institutions_are_owed_what_they_settled(self):
        owed = self.office.balances(TODAY.replace(year=2030), book="obligations")
        for fund in FUND_OF.values():
            assert -owed.get((fund, "owed.booked"), 0) == self.model.owed(fund)

    def _balances(self, month: int) -> dict[tuple[str, str], int]:
        last = Period.parse(period(month))
        day = date(last.year, last.month, calendar.monthrange(last.year, last.month)[1])
        return {
            (fund, CHART[account].zh): fen
            for (fund, account), fen in self.office.balances(day).items()
        }

    def teardown(self):
        try:
            self.office.assert_sound()
        finally:
            self.held.close()


def founded(url: str, folder: Path) -> None:
    """Found the area in a fresh store."""
    with open_office(url, folder, today=TODAY) as office:
        office.setup("390", "610", "310", first_month=period(FIRST))
        office.figures(TODAY)


def test_on_sqlite(fresh_sqlite, memory):
    template, _ = fresh_sqlite()
    founded(template, memory)

    def fresh() -> tuple[str, Path]:
        url, folder = fresh_sqlite()
        shutil.copy(template.removeprefix("sqlite:///"), folder / "books.db")
        return url, folder

    run_state_machine_as_test(lambda: Bureau(fresh), settings=examples(30, steps=25))


def test_on_postgresql(emptied_postgres, memory):
    def fresh() -> tuple[str, Path]:
        url = emptied_postgres()
        founded(url, memory)
        return url, memory

    run_state_machine_as_test(lambda: Bureau(fresh), settings=examples(4, steps=15))
