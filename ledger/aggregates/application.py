"""Applications for clearing (清算申请) of one institution, 险种, 清算类别 and month: one stands at a time."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ledger.errors import InputRejected, RuleRefused
from ledger.events import clearing as facts
from ledger.events.base import Fact

_ID = re.compile(
    r"([0-9]{6})-application-([HP][0-9A-Z]{11})-([0-9A-Za-z]+)-([0-9A-Za-z]+)-([0-9]{4}-[0-9]{2})-([0-9]+)"
)


class UnknownApplication(InputRejected):
    """No application of that id."""

    code = "unknown_application"
    zh = "没有清算申请 {application}。"
    en = "There is no application {application}."
    hint_zh = (
        "编号写作 统筹区-application-机构-险种-清算类别-清算年月-序号,见 clear application list。"
    )
    hint_en = "It is written AREA-application-INSTITUTION-INSUTYPE-CLR_TYPE-MONTH-NO; see clear application list."


class ApplicationNotStanding(RuleRefused):
    """The application was withdrawn already."""

    code = "application_not_standing"
    zh = "清算申请 {application} 已撤销({reason})。"
    en = "The application {application} was withdrawn ({reason})."
    hint_zh = "如需申请,请重新导入。"
    hint_en = "To apply again, bring a new one in."


class ApplicationUsed(RuleRefused):
    """An approved run has settled it (已清算)."""

    code = "application_used"
    zh = "清算申请 {application} 已由批次 {run} 审定,不能撤销。"
    en = "The run {run} has settled the application {application}; it cannot be withdrawn."
    hint_zh = "多付的请作追回(recover)。"
    hint_en = "Recover what was paid too much."


class ApplicationPartlyRefused(RuleRefused):
    """Part of what it declared was refused meanwhile (已部分拒付)."""

    code = "application_partly_refused"
    zh = "清算申请 {application} 申报险种 {fund} {declared} 元,现仅余已申报 {left} 元:已有拒付。"
    en = "{application} declared {declared} of fund {fund}, of which {left} is left: part was refused."
    hint_zh = "请先撤销相应拒付(refuse --withdraw),再撤销申请。"
    hint_en = "Withdraw the refusal first (refuse --withdraw), then the application."


class ApplicationName(NamedTuple):
    """The parts of an application's id."""

    institution: str
    insutype: str
    clr_type: str
    month: str
    number: int


@dataclass(slots=True)
class Applications:
    """The folded stream: the newest application, and whether it stands."""

    received: facts.ApplicationReceived | None = None
    position: int | None = None  # of the newest application
    reason: str | None = None  # why it was withdrawn
    version: int = 0

    @property
    def standing(self) -> facts.ApplicationReceived | None:
        return self.received if self.reason is None else None

    @property
    def next_number(self) -> int:
        return self.received.number + 1 if self.received is not None else 1


def application_id(fact: facts.ApplicationFact) -> str:
    """Name an application (clr_appy_evt_id): readable and without chance."""
    parts = (fact.institution, fact.insutype, fact.clr_type, fact.belongs_to, fact.number)
    return "-".join([fact.area, "application", *map(str, parts)])


def application_name(application: str, area: str) -> ApplicationName | None:
    """Take an application's id apart; None where it is none of the area's."""
    named = _ID.fullmatch(application)
    if named is None or named[1] != area:
        return None
    return ApplicationName(named[2], named[3], named[4], named[5], int(named[6]))


def fold_applications(stored: Iterable[tuple[int, Fact]]) -> Applications:
    """Fold the stream of what is applied for."""
    folded = Applications()
    for position, fact in stored:
        folded.version += 1
        match fact:
            case facts.ApplicationReceived():
                folded.received, folded.position, folded.reason = fact, position, None
            case facts.ApplicationWithdrawn():
                folded.reason = fact.reason
            case _:
                raise TypeError(f"not a fact of an application: {type(fact).__name__}")
    return folded
