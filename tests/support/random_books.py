"""A small random book from a seed: documents, reversals, running, completed and given-up intakes."""

import random
from collections.abc import Callable, Iterator

from support.facts import AREA, H1, H2, Books, flow, settled, stepped

from ledger.domain import settlement_entries as steps
from ledger.domain.entry import Entry, Posting
from ledger.events.base import Posted
from ledger.events.claim import ClaimFact
from ledger.events.month import YearTransferred

LEAVES = ("310.pooled", "310.personal", "390", "610")
_ITEMS = (
    "contribution.individual",
    "contribution.pending",
    "interest",
    "superior_subsidy",
    "remit_up",
    "benefit.inpatient",
    "benefit.outpatient",
    "benefit_returned",
    "prepayment",
    "opening_balance",
    "opening_adjustment",
    "suspense_in",
)


_STEPS: tuple[Callable[[str, str, int], Entry], ...] = (
    steps.declared_entry,
    lambda *to: steps.refused_entry(*to[:2], declared_fen=to[2], booked_fen=3),
    lambda *to: steps.approved_entry(*to[:2], declared_fen=to[2], deposit_fen=5),
    steps.prepayment_offset_entry,
    lambda *to: steps.recovery_offset_entry(*to, same_year=False),
    steps.ordered_entry,
    lambda *to: steps.paid_entry(*to[:2], {"inpatient": to[2], "chronic": 4}),
    steps.payment_failed_entry,
    steps.payment_returned_entry,
    steps.deposit_released_entry,
    steps.deposit_forfeited_entry,
    lambda *to: steps.year_cleared_entry(*to[:2], -to[2]),
)


class RandomBooks:
    """Writes random commits that every rule of the log allows."""

    def __init__(self, books: Books, seed: int, *, settling: bool = False) -> None:
        self.books = books
        self.random = random.Random(seed)
        self._settles = settling
        self._number = 0
        self._standing: list[tuple[Posted, int]] = []
        self._running: list[str] = []
        self._claims: dict[str, list[tuple[ClaimFact, int]]] = {}
        self._counted: list[tuple[ClaimFact, int]] = []

    def write(self, commits: int) -> None:
        """Found the area and write some commits."""
        self.books.found("310", "390", "610")
        steps: tuple[Callable[[], None], ...] = (
            self._documents,
            self._documents,
            self._reversal,
            self._start,
            self._chunk,
            self._chunk,
            self._complete,
            self._claim_reversal,
            self._file,
            self._transfer,
            *((self._settling,) if self._settles else ()),
        )
        for _ in range(commits):
            self.random.choice(steps)()

    def _day(self) -> str:
        return f"{self.random.choice((2022, 2023))}-{self.random.randint(1, 12):02d}-15"

    def _flows(self, intake_id: str | None = None) -> Iterator[Posted]:
        for _ in range(self.random.randint(1, 4)):
            self._number += 1
            on = self._day()
            yield flow(
                self.random.choice(_ITEMS),
                self.random.choice(LEAVES),
                self.random.randint(1, 10_000),
                on,
                doc_no=f"d{self._number}",
                counterparty=self.random.choice((H1, H2, None)),
                belongs_to=self.random.choice((on[:7], "2024-01")),
                intake_id=intake_id,
            )

    def _documents(self) -> None:
        flows = list(self._flows())
        first = self.books.post(*flows).first_position
        self._standing += [(fact, first + number) for number, fact in enumerate(flows)]

    def _file(self) -> None:
        self._number += 1
        name = f"f{self._number}"
        self.books.append([*self._flows(name), self.books.completed(name, "fund_flows")])

    def _reversal(self) -> None:
        if self._standing:
            chosen = self._standing.pop(self.random.randrange(len(self._standing)))
            self.books.reverse(*chosen, day=self._day())

    def _start(self) -> None:
        self._number += 1
        self._running.append(f"c{self._number}")
        self.books.start_claims(self._running[-1], *LEAVES)

    def _chunk(self) -> None:
        if not self._running:
            return
        name = self.random.choice(self._running)
        claims = []
        for _ in range(self.random.randint(1, 4)):
            self._number += 1
            sign = self.random.choice((1, 1, -1))
            owed = {
                leaf: sign * self.random.randint(1, 5_000)
                for leaf in self.random.sample(LEAVES, self.random.randint(1, 2))
            }
            institution = self.random.choice((H1, H2))
            claims.append(
                settled(
                    f"s{self._number:05d}",
                    owed,
                    self._day(),
                    institution=institution,
                    intake_id=name,
                )
            )
        first = self.books.claims(name, *claims).first_position
        posted = [(claim, first + number) for number, claim in enumerate(claims)]
        self._claims.setdefault(name, []).extend(posted)

    def _complete(self) -> None:
        if self._running:
            name = self._running.pop(self.random.randrange(len(self._running)))
            self.books.complete_claims(name)
            self._counted += self._claims.pop(name, [])

    def _claim_reversal(self) -> None:
        if self._counted:
            chosen = self._counted.pop(self.random.randrange(len(self._counted)))
            self.books.reverse_claim(*chosen, day=self._day())

    def _settling(self) -> None:
        """Take any step of settling, and perhaps take it back in red."""
        institution, leaf = self.random.choice((H1, H2)), self.random.choice(LEAVES)
        entry = self.random.choice(_STEPS)(leaf, institution, self.random.randint(10, 5_000))
        parts = [entry, steps.refusal_withdrawn_entry(entry)][: self.random.randint(1, 2)]
        self._number += 1
        self.books.post(
            *(
                stepped(
                    self._number, part, self._day(), institution=institution, belongs_to="2023-01"
                )
                for part in parts
            )
        )

    def _transfer(self) -> None:
        fen = self.random.randint(1, 1_000)
        self.books.post(
            YearTransferred(
                area=AREA,
                booked_on="2022-12-31",
                postings=(Posting("390", "income.interest", "net_assets", fen),),
                rules_version=1,
                prepared_by="clerk1",
                fund="390",
                period="2022-12",
                run="r",
                summary="年终结转",
            )
        )
