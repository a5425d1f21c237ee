"""Commands that die at each of their commits and are run again: the books shall not show it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.lengths import LONG, length
from support.mortal import KILLED, LATER, NOON, Commands, Copies, Ended
from support.picture import picture

from ledger.store import schema
from ledger.verify import verify
from medfund.bootstrap import open_house
from medfund.settings import Settings

MOMENTS = ("before", "after")
CLERK, REVIEWER, ADMINISTRATOR = (("--as", name) for name in ("clerk1", "reviewer1", "admin1"))

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390", "610"]
[[users]]
name = "clerk1"
roles = ["clerk"]
[[users]]
name = "reviewer1"
roles = ["reviewer"]
[[users]]
name = "admin1"
roles = ["administrator"]
[[institutions]]
code = "H33060400001"
name = "第一人民医院"
level = 3
[[institutions]]
code = "H33060400002"
name = "中医医院"
level = 2
"""
_HEAD = "doc_no,date,area,fund,item,amount,counterparty_fund\n"
FLOWS = _HEAD + (
    "390-1,2023-11-01,330604,390,opening_balance,5000.00,\n"
    "390-2,2023-11-20,330604,390,subsidy.county,1200.50,\n"
    "390-3,2023-11-21,330604,390,benefit.inpatient,800.25,\n"
    "390-4,2023-12-05,330604,390,benefit.outpatient,99.99,\n"
    "610-1,2023-11-01,330604,610,opening_balance,900.00,\n"
    "610-2,2023-11-30,330604,610,assisted_participation,310.00,390\n"
    "310-1,2023-11-02,330604,310.pooled,opening_balance,7000.00,\n"
    "310-2,2023-11-03,330604,310.personal,opening_balance,3000.00,\n"
    "310-3,2023-11-04,330604,310.pooled,contribution.employer,640.10,\n"
)
MORE_FLOWS = _HEAD + (
    "390-5,2023-12-08,330604,390,subsidy.county,77.00,\n"
    "390-6,2023-12-09,330604,390,no_such_item,1.00,\n"
    "310-4,2023-12-04,330604,310.pooled,contribution.employer,12.34,\n"
)


def claims(count: int) -> str:
    """A file of settlements of two funds at two hospitals."""
    head = (
        "setl_id,psn_no,insutype,fixmedins_code,med_type,clr_type,setl_time,"
        "medfee_sumamt,hifp_pay,fund_pay_sumamt,acct_pay,psn_cash_pay\n"
    )
    return head + "".join(
        f"S{number:05d},P{number % 7},{(390, 310)[number % 2]},H3306040000{1 + number % 2},21,21,"
        f"2023-12-{1 + number % 28:02d} 10:00:00,{100 + number}.00,{80 + number}.00,"
        f"{80 + number}.00,0.00,20.00\n"
        for number in range(count)
    )


@dataclass(frozen=True)
class Work:
    """A command to be killed, what comes before it, and what is done after it."""

    name: str
    words: tuple[str, ...]
    after: tuple[tuple[str, ...], ...] = ()
    then: tuple[tuple[str, ...], ...] = ()
    commits: int = 1  # that it makes at least: else the matrix is not what it was
    repeats: bool = False  # once it is done, asking again means to do it once more
    late: bool = False  # run again when the lease of the killed one has run out
    code: int = 0  # that it ends with
    again: tuple[int, ...] = ()  # other exit codes that running it again may have
    settings: dict[str, str] = field(default_factory=dict)
    answers: bool = False  # with the JSON of the undisturbed run, when it is run again
    shown: tuple[tuple[str, ...], ...] = ()  # asked afterwards: the same answers, too

    def __str__(self) -> str:
        return self.name


class Scene:
    """Prepared books of one store, and the commands that are run on copies of them."""

    def __init__(
        self, commands: Commands, copies: Copies, folder: Path, texts: Mapping[str, str]
    ) -> None:
        self.commands = commands
        self.copies = copies
        self._folder = folder
        self._prepared: dict[tuple[tuple[str, ...], ...], str] = {}
        files = {
            **texts,
            "setup.toml": SETUP,
            "flows.csv": FLOWS,
            "more.csv": MORE_FLOWS,
            "claims.csv": claims(length(11, 40)),
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")

    def words(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Put the folder before the names of files."""
        return tuple(
            str(self._folder / word) if (self._folder / word).is_file() else word for word in words
        )

    def run(self, url: str, words: tuple[str, ...], **how: Any) -> Ended:
        """Run a command on a book, with an archive of the book's own."""
        archive = str(self.copies.archive_of(url))
        return self.commands.run(url, *self.words(words), archive=archive, **how)

    def must(self, url: str, words: tuple[str, ...]) -> str:
        """Run a command that has to succeed; give what it said."""
        ended = self.run(url, words)
        assert ended.code == 0, (words, ended)
        return ended.said

    def book(self, steps: tuple[tuple[str, ...], ...]) -> str:
        """Give a book in which these commands were done; it is made once and copied from."""
        if steps not in self._prepared:
            if steps:
                url = self.copies.copy(self.book(steps[:-1]))
                self.must(url, steps[-1])
            else:
                url = self.copies.empty()
            self._prepared[steps] = url
        return self._prepared[steps]

    def undisturbed(self, work: Work) -> tuple[int, dict[str, Any]]:
        """Run the work without any fault; give its number of commits and the picture of the book."""
        with self.copies.lent(self.book(work.after)) as url:
            ended = self.run(url, work.words, **work.settings)
            assert ended.code == work.code, ended
            assert ended.commits >= work.commits, ended
            return ended.commits, self._finished(url, work, ended)

    def killed(self, work: Work, moment: str, number: int) -> dict[str, Any]:
        """Kill the work at a commit, look at what is left, run it again; give the picture."""
        with self.copies.lent(self.book(work.after)) as url:
            died = self.run(url, work.words, kill=(moment, number), **work.settings)
            assert died.code == KILLED, (moment, number, died)
            assert_sound(url)
            again = self.run(url, work.words, now=LATER if work.late else NOON, **work.settings)
            assert again.code in (work.code, *work.again), (moment, number, again)
            return self._finished(url, work, again)

    def dying_on(self, work: Work) -> tuple[int, dict[str, Any]]:
        """Kill every run one commit further than the last, until one ends; give how many died."""
        with self.copies.lent(self.book(work.after)) as url:
            deaths = 0
            while True:
                ended = self.run(
                    url,
                    work.words,
                    kill=("after", deaths + 1),
                    now=f"2024-03-05 12:{deaths:02d}:00" if work.late else NOON,
                    **work.settings,
                )
                if ended.code != KILLED:
                    assert ended.code in (work.code, *work.again), ended
                    return deaths, self._finished(url, work, ended)
                deaths += 1

    def _finished(self, url: str, work: Work, ended: Ended) -> dict[str, Any]:
        for words in work.then:
            self.must(url, words)
        shown = {" ".join(words): self.must(url, ("--json", *words)) for words in work.shown}
        answer = answer_of(ended) if work.answers else None
        return picture(url, times=not work.late) | {"shown": shown, "answer": answer}


def answer_of(ended: Ended) -> dict[str, Any]:
    """Give the JSON document a command ended with, but for how much of it was new."""
    document: dict[str, Any] = json.loads(ended.said.splitlines()[-1])
    document.pop("recorded", None)
    return document


def assert_sound(url: str) -> None:
    """What a dead command has left is whole: seals, guards and totals agree with the events."""
    if schema.check(url):
        return  # it died while it made the tables; the next one makes them
    with open_house(Settings(database_url=url)) as house:
        found = verify(house.ledger)
        assert found.ok, found.findings


def differences(found: Any, wanted: Any, path: str = "") -> list[str]:
    """Name where two pictures differ, for a message that can be read."""
    if found == wanted:
        return []
    if isinstance(found, dict) and isinstance(wanted, dict) and found.keys() == wanted.keys():
        return [
            line for key in found for line in differences(found[key], wanted[key], f"{path}/{key}")
        ]
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        return [line for number, pair in pairs for line in differences(*pair, f"{path}/{number}")]
    return [f"{path}: {str(found)[:200]} instead of {str(wanted)[:200]}"]


def assert_same(found: dict[str, Any], wanted: dict[str, Any], when: str) -> None:
    """The two books are the same, byte for byte."""
    assert not (told := differences(found, wanted)), (when, told[:5])


def _points(scene: Scene, commits: int) -> list[tuple[int, str]]:
    """List where to kill: in the short form on a server only the last one before its commit."""
    points = [(number, moment) for number in range(1, commits + 1) for moment in MOMENTS]
    if LONG or scene.copies.embedded:
        return points
    return [point for point in points if point[1] == "after" or point[0] == commits]


def assert_survives(scene: Scene, work: Work) -> None:
    """One run per commit point, and one that dies at all of them in turn."""
    commits, truth = scene.undisturbed(work)
    points = _points(scene, commits)
    if work.repeats:
        points.remove((commits, "after"))
    for number, moment in points:
        found = scene.killed(work, moment, number)
        assert_same(found, truth, f"{work} killed {moment} commit {number} of {commits}")
    if work.repeats or (commits == 1 and not LONG):
        return
    deaths, found = scene.dying_on(work)
    assert deaths >= 1
    assert_same(found, truth, f"{work} killed {deaths} times in a row")
