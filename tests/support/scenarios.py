"""Worked examples (账务实例) that finance staff can read and check: a script of one book, line by line.

A line is cells between ``|``. A line of heads begins a table whose rows are brought in as one file;
every other line begins with one of the words of ``_WORDS``: something is done, or must hold.
``#`` begins a remark. ``拒绝 code`` as the last cell says that the step must be refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from support.office import AREA, Office

from ledger.domain.chart import CHART
from ledger.domain.fund import is_leaf
from ledger.domain.identity import document_stream
from ledger.domain.money import format_yuan
from ledger.domain.period import Period
from ledger.errors import MedfundError
from ledger.events.base import Posted
from projections.queries.obligations import obligations_document
from settlement.intake.columns import CLAIMS, FUND_FLOWS, Kind

_ACCOUNTS = {account.zh: account.key for account in CHART.values()}
_REFUSED = "拒绝 "


def _heads(kind: Kind) -> dict[str, str]:
    return {word: column.key for column in kind for word in (column.zh, *column.aliases)}


def _kind_of(cells: list[str]) -> Kind | None:
    """Tell which file's heads these cells are, if they are heads at all."""
    return next((kind for kind in (FUND_FLOWS, CLAIMS) if set(cells) <= set(_heads(kind))), None)


def _fen(yuan: str) -> int:
    """Read yuan with two decimals; a scenario writes every amount in full."""
    whole, point, rest = yuan.replace(",", "").partition(".")
    assert (point, len(rest)) == (".", 2), f"金额须写到分: {yuan}"
    return int(whole + rest)


def _end(period: str) -> date:
    return Period.parse(period).last_day


@dataclass
class Scenario:
    """One worked example being run in an office."""

    office: Office
    checked: int = 0
    _kind: Kind | None = None
    _columns: list[str] = field(default_factory=list)
    _rows: list[dict[str, str]] = field(default_factory=list)

    def run(self, path: Path) -> None:
        """Run every line; a line that does not hold is named."""
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate([*lines, "文件结束"], start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            try:
                self._line([cell.strip() for cell in text.split("|")])
            except BaseException as error:
                error.add_note(f"{path.name}:{number}: {text}")
                raise
        assert self.checked, f"{path.name} checks nothing"
        self.office.assert_sound()

    def _line(self, cells: list[str]) -> None:
        word, *rest = cells
        if word in _WORDS:
            if word != "拒收":
                self._bring()
            self._step(_WORDS[word], rest)
        elif kind := _kind_of(cells):
            self._bring()
            self._kind, self._columns = kind, cells
        else:
            assert self._kind, f"不认识的行: {word}"
            row = dict(zip(self._columns, cells, strict=True))
            self._rows.append({head: cell for head, cell in row.items() if cell})

    def _step(self, step: "_Step", cells: list[str]) -> None:
        if not cells or not cells[-1].startswith(_REFUSED):
            step(self, *cells)
            return
        with pytest.raises(MedfundError) as refused:
            step(self, *cells[:-1])
        assert refused.value.code == cells[-1].removeprefix(_REFUSED)
        self.checked += 1

    def _bring(self, *, rejected: str | None = None) -> None:
        """Bring the rows above in as one file."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        before = self.office.position
        if self._kind is CLAIMS:
            words = _heads(CLAIMS)
            named = [{words[head]: cell for head, cell in row.items()} for row in rows]
            outcome = self.office.bring_claims(named)
        else:
            outcome = self.office.bring_flows(rows)
        found = outcome.document("zh")
        if rejected is None:
            assert outcome.state == "posted", found
            return
        assert {one["code"] for one in found["rejections"]} == {rejected}, found
        assert self.office.position == before
        self.checked += 1

    # --- what is done -----------------------------------------------------------------------

    def funds(self, *codes: str) -> None:
        """险种: found the area; ``税务征收`` among the codes says that the tax office collects."""
        funds = [code for code in codes if code != "税务征收"]
        self.office.setup(*funds, tax_collects="税务征收" in codes)

    def rejected(self, code: str) -> None:
        """拒收: the table above must be rejected with this code, and nothing posted."""
        self._bring(rejected=code)

    def reverse(self, doc_no: str, reason: str) -> None:
        self.office.reverse(doc_no, reason)

    def close(self, period: str, fund: str) -> None:
        assert self.office.close(fund, period).state == "sealed"

    def close_year(self, year: str, fund: str) -> None:
        """结账至: close every month of a year that is still open, December too."""
        for month in range(1, 13):
            if self.office.month(fund, f"{year}-{month:02d}").state == "open":
                self.close(f"{year}-{month:02d}", fund)

    def request(self, period: str, fund: str) -> None:
        assert self.office.request(fund, period)

    def send_back(self, period: str, fund: str, reason: str) -> None:
        run = self.office.month(fund, period).run or ""
        assert self.office.reject(run, reason).state == "open"

    def reopen(self, period: str, fund: str, reason: str) -> None:
        assert self.office.approve(self.office.ask_to_reopen(fund, period, reason)).state == "open"

    # --- what must hold ---------------------------------------------------------------------

    def balance(self, period: str, fund: str, account: str, amount: str) -> None:
        """余额 of an account at a month's end: 借 or 贷 with an amount, or 平."""
        assert is_leaf(fund), f"余额须写到子基金: {fund}"
        fen = self.office.balances(_end(period)).get((fund, _ACCOUNTS[account]), 0)
        side = "平" if not fen else f"{'借' if fen > 0 else '贷'} {format_yuan(abs(fen))}"
        assert side == amount
        self.checked += 1

    def obligation(self, period: str, fund: str, account: str, amount: str) -> None:
        """台账余额: an account of the obligations book at a month's end."""
        balances = self.office.balances(_end(period), book="obligations")
        fen = balances.get((fund, _ACCOUNTS[account]), 0)
        side = "平" if not fen else f"{'借' if fen > 0 else '贷'} {format_yuan(abs(fen))}"
        assert side == amount
        self.checked += 1

    def accumulated(self, period: str, fund: str, amount: str) -> None:
        """累计结余 of a fund or sub-fund at a month's end."""
        self._fund_figures(period, fund, accumulated_fen=amount)

    def of_the_year(self, period: str, fund: str, income: str, expense: str) -> None:
        """本年: 收入 and 支出 (合计) of the calendar year up to a month."""
        self._fund_figures(
            period,
            fund,
            income_fen=income.removeprefix("收入 "),
            expense_fen=expense.removeprefix("支出 "),
        )

    def subtotals(self, period: str, fund: str, income: str, expense: str) -> None:
        """小计: without what passes between levels (上解、补助)."""
        self._fund_figures(
            period,
            fund,
            income_subtotal_fen=income.removeprefix("收入 "),
            expense_subtotal_fen=expense.removeprefix("支出 "),
        )

    def _fund_figures(self, period: str, fund: str, **amounts: str) -> None:
        rows = {row["fund"]: row for row in self.office.figures(_end(period))["funds"]}
        found = {name: format_yuan(rows[fund][name]) for name in amounts}
        assert found == {name: format_yuan(_fen(amount)) for name, amount in amounts.items()}
        self.checked += 1

    def owed(self, fund: str, institution: str, amount: str) -> None:
        """应付: what an institution is owed by a fund as everything recorded says."""
        self.office.figures(self.office.today)
        document = obligations_document(
            self.office.reads, area=AREA, fund=fund, institution=institution
        )
        fen = sum(row["owed_fen"] for row in document["institutions"])
        assert format_yuan(fen) == format_yuan(_fen(amount))
        self.checked += 1

    def booked(self, doc_no: str, day: str) -> None:
        """记账日期 of the last fact of a document, its reversal included."""
        _, last = self.office.ledger.history(document_stream(AREA, doc_no))[-1]
        assert isinstance(last.fact, Posted)
        assert last.fact.booked_on == day
        self.checked += 1

    def next_opening(self, period: str, fund: str, amount: str) -> None:
        """次年期初 in December's plan."""
        opening = self._year_end(period, fund)["opening_next_year_fen"]
        assert format_yuan(opening[fund]) == amount
        self.checked += 1

    def age(self, period: str, fund: str, account: str, *bands: str) -> None:
        """账龄 of an account in December's plan: bands in months with their amounts."""
        listed = {
            (row["fund"], row["account"]): row["bands"]
            for row in self._year_end(period, fund)["ageing"]
        }
        found = listed.get((fund, _ACCOUNTS[account]), {})
        assert [f"{band} {format_yuan(fen)}" for band, fen in found.items()] == list(bands)
        self.checked += 1

    def _year_end(self, period: str, fund: str) -> dict[str, object]:
        plan = self.office.month(fund.partition(".")[0], period).plan
        assert plan is not None
        return plan["year_end"]

    def finish(self) -> None:
        """The file ends here."""


_Step = Callable[..., None]
_WORDS: dict[str, _Step] = {
    "险种范围": Scenario.funds,
    "拒收": Scenario.rejected,
    "冲销": Scenario.reverse,
    "月结": Scenario.close,
    "全年月结": Scenario.close_year,
    "申请月结": Scenario.request,
    "退回": Scenario.send_back,
    "反结账": Scenario.reopen,
    "余额": Scenario.balance,
    "台账余额": Scenario.obligation,
    "累计结余": Scenario.accumulated,
    "本年": Scenario.of_the_year,
    "本年小计": Scenario.subtotals,
    "应付": Scenario.owed,
    "记账": Scenario.booked,
    "次年期初": Scenario.next_opening,
    "账龄": Scenario.age,
    "文件结束": Scenario.finish,
}
