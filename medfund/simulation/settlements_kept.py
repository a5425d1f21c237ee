"""What the auditor knows of settling with institutions (结算与拨付): runs, orders, and what they come to.

Told by facts alone and held against the fold of the postings: what a run says to the fen, the bridge
from booked to paid of every institution and fund, and that no order is paid twice. Written a second
time on purpose, as ``effects`` is.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from medfund.simulation.effects import Net
from medfund.simulation.findings import Broken, require
from medfund.simulation.papers import DocKey, Paper

Fact = Mapping[str, Any]
#: Who has which roles, by area and user.
Roles = Mapping[tuple[str, str], tuple[str, ...]]

#: The figures of a run's line, in the order in which they are stored.
_LINE = (
    *("institution", "payee", "cases", "booked", "refused", "otherwise", "waiting", "declared"),
    *("on_behalf", "settled", "deposit", "difference", "insurer", "offset", "prepaid"),
    *("carried_in", "carried_out", "payable"),
)
_WAITING, _APPROVED, _REJECTED = "waiting", "approved", "rejected"
_FIRST = ("computed", "prepared", "proposed")
_AGREED = ("approved", "ordered")
_ORDERED, _PAID, _FAILED, _RETURNED = "ordered", "paid", "failed", "returned"


@dataclass(frozen=True, slots=True)
class Moved:
    """One side of a posting that names an institution; fen are credits, below nil debits."""

    position: int
    area: str
    fund: str
    institution: str
    month: str
    account: str
    fen: int


@dataclass(slots=True)
class Decided:
    """A run, a batch of orders or of prepayments, and where it stands."""

    said: Fact
    state: str = _WAITING
    decided_at: int = 0  # position


@dataclass(slots=True)
class SettlementsKept:
    """The settlements of all areas; every step is held against the steps before it."""

    roles: Roles
    issue: Callable[[Paper], object]
    runs: dict[str, Decided] = field(default_factory=dict)
    payouts: dict[str, Decided] = field(default_factory=dict)
    prepayments: dict[str, Decided] = field(default_factory=dict)
    orders: dict[tuple[str, int, str], str] = field(default_factory=dict)  # payout, line, month
    _moved: list[Moved] = field(default_factory=list)
    _settled: dict[str, list[tuple[int, Fact]]] = field(default_factory=dict)  # by run
    _said: dict[tuple[str, str, str], int] = field(default_factory=dict)  # approved, not ordered

    def told(self, topic: str, position: int, fact: Fact) -> None:
        """Take a step that posts nothing."""
        kind, _, step = topic.partition(".")
        if kind == "clearing":
            self._run(step, position, fact)
        elif kind == "payout":
            number = f"{fact['area']}-payout-{fact['fund']}-{fact['period']}-{fact['no']}"
            self._step(self.payouts, number, step, position, fact)
            if step == "approved":
                self._ordered_whole(number, fact)
        elif kind == "prepayment":
            number = f"{fact['area']}-prepay-{fact['fund']}-{fact['period']}-{fact['no']}"
            self._prepayment(number, step, position, fact)

    def moved(self, position: int, fact: Fact) -> None:
        """Add up what a fact moves of an institution's."""
        for posting in fact["postings"]:
            if posting.get("party") is None:
                continue
            for account, fen in (
                (posting["credit"], posting["fen"]),
                (posting["debit"], -posting["fen"]),
            ):
                place = fact["area"], posting["fund"], posting["party"], fact.get("belongs_to", "")
                self._moved.append(Moved(position, *place, account, fen))

    def posted(self, topic: str, position: int, fact: Fact, net: Net) -> None:
        """Take a step with postings: what it moves is what its figures say."""
        kind, _, step = topic.partition(".")
        wanted = (
            _net_of_settlement(step, fact) if kind == "settlement" else _net_of_payment(step, fact)
        )
        require(
            net == wanted, "a settlement moves what it says", topic=topic, net=net, wanted=wanted
        )
        if kind == "payment":
            self._payment(step, fact)
        if step == "approved":
            self._settled.setdefault(fact["run"], []).append((position, fact))
            self._say(fact, _left_of(fact))
        self._require_bridge(fact)

    def standing(self, *accounts: str) -> dict[tuple[str, str, str, str], int]:
        """Add up accounts that are not nil by area, fund, institution and month."""
        found: dict[tuple[str, str, str, str], int] = {}
        for one in self._moved:
            if one.account in accounts:
                place = (one.area, one.fund, one.institution, one.month)
                found[place] = found.get(place, 0) + one.fen
        return {place: fen for place, fen in found.items() if fen}

    # --- runs ---------------------------------------------------------------------------------

    def _run(self, step: str, position: int, fact: Fact) -> None:
        number = fact["run"]
        if step == "computed":
            others = [run for run, one in self._beside(fact) if one.state == _WAITING]
            require(not others, "one run of a month waits", run=number, others=others)
            overtaken = any(one.decided_at > fact["watermark"] for _, one in self._beside(fact))
            for line in _lines(fact):
                _require_adds_up(number, line)
                if not overtaken:  # else it cannot be approved any more
                    self._require_booked(fact, line)
        self._step(self.runs, number, step, position, fact)
        if step == "approved":
            computed = self.runs[number].said
            require(
                fact["plan_hash"] == computed["plan_hash"],
                "what is approved was computed",
                run=number,
            )
            for line in _lines(computed):
                self._require_line(fact, line)

    def _require_line(self, approved: Fact, line: dict[str, Any]) -> None:
        """A run's line says what the log says: up to where it was computed, and what it posted itself."""
        run, watermark, institution = approved["run"], approved["watermark"], line["institution"]
        own = [one for one in self._settled.get(run, []) if one[1]["institution"] == institution]
        require(len(own) <= 1, "an institution is settled once by a run", run=run, of=institution)
        mine = {position for position, _ in own}
        posted = own[0][1] if own else {}
        for name in ("deposit", "difference", "insurer", "offset", "prepaid"):
            same = posted.get(f"{name}_fen", 0) == line[name]
            require(same, "what is posted was computed", run=run, of=institution, figure=name)

        at = _place_of(approved, institution)
        about = {"run": run, "institution": institution, "line": line}
        left = self._sum(*at, "owed.approved", until=watermark, mine=mine)
        require(left == line["payable"] + line["carried_out"], "payable = fold", fold=left, **about)
        self._require_booked(approved, line)
        held = -self._sum(*at, "advance.prepayment", until=watermark, mine=mine)
        require(not line["prepaid"] or held >= 0, "no more is offset than was prepaid", **about)

    def _require_booked(self, fact: Fact, line: dict[str, Any]) -> None:
        """A run takes what was booked and settled by no approved run before."""
        before = sum(
            other["booked"]
            for _, one in self._beside(fact)
            if one.state == _APPROVED
            for other in _lines(one.said)
            if other["institution"] == line["institution"]
        )
        at = _place_of(fact, line["institution"])
        incurred = -self._sum(*at, "claims.incurred", month=fact["period"], until=fact["watermark"])
        same = before + line["booked"] == incurred
        require(same, "a run settles what is new", fold=incurred, before=before, line=line)

    def _beside(self, fact: Fact) -> list[tuple[str, Decided]]:
        """Give the other runs of a run's fund and month."""
        named = ("area", "fund", "period")
        return [
            (run, one)
            for run, one in self.runs.items()
            if run != fact["run"] and all(one.said[name] == fact[name] for name in named)
        ]

    # --- orders and prepayments ---------------------------------------------------------------

    def _payment(self, step: str, fact: Fact) -> None:
        order = (fact["payout"], fact["line"], fact["belongs_to"])
        before = self.orders.get(order)
        wanted = {"ordered": None, "confirmed": _ORDERED, "failed": _ORDERED, "returned": _PAID}[
            step
        ]
        require(before == wanted, "nobody is paid twice", order=order, before=before, step=step)
        self.orders[order] = {"confirmed": _PAID}.get(step, step)
        if step == _ORDERED:
            left = self._fold(fact, "owed.approved", fact["belongs_to"])
            require(left >= 0, "no more is ordered than is approved", order=order, left=left)
        change = {"ordered": -1, "failed": 1, "returned": 1}.get(step, 0)
        self._say(fact, change * fact["amount_fen"])

    def _ordered_whole(self, number: str, approved: Fact) -> None:
        ordered = {order for order in self.orders if order[0] == number}
        wanted = {
            (number, line["line"], part["month"])
            for line in self.payouts[number].said["lines"]
            for part in line["parts"]
        }
        require(ordered == wanted, "what is approved is ordered, whole", payout=number)
        total = sum(line["fen"] for line in self.payouts[number].said["lines"])
        require(total == approved["total_fen"], "what is ordered was prepared", payout=number)

    def _prepayment(self, number: str, step: str, position: int, fact: Fact) -> None:
        if step in {_PAID, _FAILED}:
            order = (number, fact["line"], "")
            before = self.orders.get(order)
            require(before == _ORDERED, "nobody is prepaid twice", order=order, before=before)
            self.orders[order] = step
            return
        self._step(self.prepayments, number, step, position, fact)
        if step == "proposed":
            self._issue_documents(number, fact)
        elif step == _ORDERED:
            lines = self.prepayments[number].said["lines"]
            self.orders |= {(number, at, ""): _ORDERED for at in range(1, len(lines) + 1)}

    def _issue_documents(self, number: str, fact: Fact) -> None:
        """What the bank pays is posted as a document for each institution: these are their papers."""
        for line in fact["lines"]:
            key: DocKey = (fact["area"], "doc", f"{number}-{line['institution']}")
            fund, fen = fact["fund"], line["fen"]
            net = {(fund, "advance.prepayment"): fen, (fund, "expenditure"): -fen}
            self.issue(Paper(key, {}, date.fromisoformat(fact["date"]), net))

    # --- what all have in common --------------------------------------------------------------

    def _step(
        self, kept: dict[str, Decided], number: str, step: str, position: int, fact: Fact
    ) -> None:
        """Prepared by one, decided once by another who may."""
        if step in _FIRST:
            require(number not in kept, "a number is given once", number=number)
            kept[number] = Decided(fact)
            return
        one = kept.get(number)
        if one is None or one.state != _WAITING:
            raise Broken("only what waits is decided", number=number, step=step)
        by, prepared_by = fact["by"], one.said["by"]
        if step in _AGREED or by != prepared_by:
            require(by != prepared_by, "four eyes", number=number, by=by)
            has = self.roles.get((fact["area"], by), ())
            require("reviewer" in has, "who acts has the role for it", by=by, has=has)
        one.state = _APPROVED if step in _AGREED else _REJECTED
        one.decided_at = position

    def _say(self, fact: Fact, fen: int) -> None:
        place = (fact["area"], fact["fund"], fact["institution"])
        self._said[place] = self._said.get(place, 0) + fen

    def _fold(self, fact: Fact, account: str, month: str | None = None) -> int:
        return self._sum(*_place_of(fact, fact["institution"]), account, month=month)

    def _sum(
        self,
        area: str,
        fund: str,
        institution: str,
        account: str,
        *,
        month: str | None = None,
        until: int | None = None,
        mine: Collection[int] = (),
    ) -> int:
        """Fold an account, perhaps of one month, up to a position and at positions beyond it."""
        place = (area, fund, institution, account)
        return sum(
            one.fen
            for one in self._moved
            if (one.area, one.fund, one.institution, one.account) == place
            and month in {None, one.month}
            and (until is None or one.position <= until or one.position in mine)
        )

    def _require_bridge(self, fact: Fact) -> None:
        """Settled − deposit + difference − insurer − offset − prepaid − ordered = approved, by the fold."""
        said = self._said.get((fact["area"], fact["fund"], fact["institution"]), 0)
        left = self._fold(fact, "owed.approved")
        require(
            left == said,
            "the bridge from booked to paid",
            of=fact["institution"],
            said=said,
            fold=left,
        )


def _place_of(fact: Fact, institution: str) -> tuple[str, str, str]:
    return fact["area"], fact["fund"], institution


def _lines(fact: Fact) -> list[dict[str, Any]]:
    return [dict(zip(_LINE, line, strict=False)) for line in fact["lines"]]


def _require_adds_up(run: str, line: dict[str, Any]) -> None:
    settled = line["booked"] - line["refused"] - line["otherwise"] - line["waiting"]
    require(settled == line["settled"], "booked − refused = settled", run=run, line=line)
    payable = settled - line["deposit"] + line["difference"] - line["insurer"] - line["offset"]
    payable += line["carried_in"] - line["carried_out"] - line["prepaid"]
    require(payable == line["payable"], "settled − deposit − … = payable", run=run, line=line)
    signs = line["payable"] >= 0 >= line["carried_out"]
    require(signs and not (line["payable"] and line["carried_out"]), "paid or carried", line=line)


def _left_of(fact: Fact) -> int:
    """What a settlement adds to what may be paid."""
    less = fact["deposit_fen"] + fact["insurer_fen"] + fact["offset_fen"] + fact["prepaid_fen"]
    left: int = fact["declared_fen"] + fact["difference_fen"] - less
    return left


def _net_of_settlement(step: str, fact: Fact) -> Net:
    fund = fact["fund"]
    if step == "declared":
        fen = fact["amount_fen"]
        return _net({(fund, "owed.booked"): fen, (fund, "owed.declared"): -fen})
    if step != "approved":
        raise Broken("a settlement that the auditor knows", step=step)
    return _net(
        {
            (fund, "owed.declared"): fact["declared_fen"],
            (fund, "owed.deposit"): -fact["deposit_fen"],
            (fund, "owed.approved"): -_left_of(fact),
            (fund, "claims.cleared"): fact["difference_fen"],
            (fund, "claims.insurer"): -fact["insurer_fen"],
            (fund, "claims.offset"): -fact["offset_fen"],
            (fund, "claims.prepaid"): -fact["prepaid_fen"],
            (fund, "expense.benefit.prepaid"): fact["prepaid_fen"],
            (fund, "advance.prepayment"): -fact["prepaid_fen"],
        }
    )


def _net_of_payment(step: str, fact: Fact) -> Net:
    fund, fen = fact["fund"], fact["amount_fen"]
    place = "fiscal" if fund == "610" else "expenditure"
    if step == "ordered":
        return _net({(fund, "owed.approved"): fen, (fund, "owed.ordered"): -fen})
    if step == "failed":
        return _net({(fund, "owed.ordered"): fen, (fund, "owed.approved"): -fen})
    if step == "returned":
        back = {(fund, place): fen, (fund, "expense.benefit.returned"): -fen}
        return _net(back | {(fund, "claims.paid"): fen, (fund, "owed.approved"): -fen})
    kinds = [
        (posting["debit"], posting["fen"])
        for posting in fact["postings"]
        if posting["debit"].startswith("expense.benefit.")
    ]
    paid = {(fund, "owed.ordered"): fen, (fund, "claims.paid"): -fen, (fund, place): -fen}
    for account, part in kinds:
        paid[fund, account] = paid.get((fund, account), 0) + part
    return _net(paid)


def _net(moved: Net) -> Net:
    return {place: fen for place, fen in moved.items() if fen}
