"""What institutions are owed, by stage (应付的环节), summed from the archive at a position of the log.

The read models say the same to whoever looks; whoever decides asks here. Postings of every fact that
names an institution are added up by leaf fund, institution, month of care and account, for all
institutions at once. What a claims intake has posted counts once it is complete.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ledger.archive.read import Archive
from ledger.domain.chart import STAGES
from ledger.domain.claim_roles import REMOTE_ACCOUNTS
from ledger.domain.fund import is_institution
from ledger.events.base import Fact
from ledger.events.cash import CashFact, DocumentReversed
from ledger.events.claim import ClaimRefunded, ClaimReversed, ClaimSettled
from ledger.events.intake import IntakeCompleted, IntakeStarted
from ledger.events.registry import CATALOGUE
from ledger.events.settlement import SettlementFact
from ledger.store.codec import decode_fact
from settlement.clearing.cases.kernel import POSTINGS
from settlement.clearing.engine import Engine, Parts, Table

if TYPE_CHECKING:
    from settlement.clearing.month.question import Question

    Spread = Callable[[Question], Question]

_Fact = TypeVar("_Fact", bound=Fact)
_Answer = TypeVar("_Answer")

BOOKED, DECLARED, APPROVED = "owed.booked", "owed.declared", "owed.approved"
PREPAID_ASSET = "advance.prepayment"

_RUNNING = """
WITH finished AS (
    SELECT c.intake, MAX(c.position) AS through
    FROM completed AS c JOIN bounds AS b ON c.area = b.area
    WHERE c.position <= b.watermark
    GROUP BY c.intake
),
running AS (
    SELECT s.intake, MIN(s.position) AS since
    FROM started AS s JOIN bounds AS b ON s.area = b.area
    LEFT JOIN finished AS f ON f.intake = s.intake
    WHERE s.position <= b.watermark AND s.kind = 'claims' AND s.position > COALESCE(f.through, 0)
    GROUP BY s.intake
)"""

#: Care across areas (异地就医) has accounts of its own: no stage of an institution's month.
_REMOTE = ", ".join(f"'{account}'" for account in sorted(REMOTE_ACCOUNTS))

#: One row for each leaf fund, institution, month of care and account: credits less debits.
OWED = f"""{_RUNNING},
posted AS (
    SELECT c.belongs_to, UNNEST(c.postings) AS p
    FROM claimed AS c JOIN bounds AS b ON c.area = b.area
    LEFT JOIN running AS r ON r.intake = c.source_intake
    WHERE c.position <= b.watermark AND (r.intake IS NULL OR c.position < r.since)
    UNION ALL
    SELECT d.belongs_to, UNNEST(d.postings) AS p
    FROM documents AS d JOIN bounds AS b ON d.area = b.area
    WHERE d.position <= b.watermark
),
named AS (
    SELECT o.belongs_to, o.p.fund AS fund, o.p.party AS party, o.p.debit AS debit,
        o.p.credit AS credit, o.p.fen AS fen
    FROM posted AS o
    WHERE o.p.party IS NOT NULL
        AND o.p.debit NOT IN ({_REMOTE}) AND o.p.credit NOT IN ({_REMOTE})
),
sided AS (
    SELECT n.belongs_to, n.fund, n.party, n.credit AS account, n.fen FROM named AS n
    UNION ALL
    SELECT n.belongs_to, n.fund, n.party, n.debit, -n.fen FROM named AS n
)
SELECT fund, party, belongs_to, account, SUM(fen) AS fen
FROM sided
WHERE (account LIKE 'owed.%' OR account LIKE 'claims.%' OR account = '{PREPAID_ASSET}')
GROUP BY fund, party, belongs_to, account
"""

#: What settlements of some months made each fund owe, by 险种 and 清算类别, refunds taken off.
BOOKED_BY_GROUP = f"""{_RUNNING},
standing AS (
    SELECT s.belongs_to, s.insutype, s.clr_type, UNNEST(s.postings) AS p
    FROM settlements AS s JOIN bounds AS b ON s.area = b.area
    JOIN months AS m ON m.code = s.belongs_to
    LEFT JOIN running AS r ON r.intake = s.source_intake
    LEFT JOIN (
        SELECT u.original_position
        FROM undone AS u JOIN bounds AS b ON u.area = b.area
        WHERE u.position <= b.watermark
    ) AS x ON x.original_position = s.position
    WHERE s.position <= b.watermark AND x.original_position IS NULL
        AND (r.intake IS NULL OR s.position < r.since)
)
SELECT
    o.p.party, o.insutype, o.clr_type, o.belongs_to, o.p.fund, SUM(o.p.fen) AS fen,
    SUM(CASE WHEN o.p.fen < 0 THEN -1 ELSE 1 END) AS cases
FROM standing AS o
WHERE o.p.credit = '{BOOKED}'
GROUP BY o.p.party, o.insutype, o.clr_type, o.belongs_to, o.p.fund
"""

FACTS = """
SELECT f.position, f.topic, f.state
FROM facts AS f JOIN bounds AS b ON f.area = b.area
WHERE f.position <= b.watermark
"""

_PLACE = (("position", "BIGINT"), ("area", "VARCHAR"))
_POSTED = (*_PLACE, ("belongs_to", "VARCHAR"), ("source_intake", "VARCHAR"), ("postings", POSTINGS))
_GROUPED = (*_POSTED, ("insutype", "VARCHAR"), ("clr_type", "VARCHAR"))


class Month(NamedTuple):
    """A month of one institution at one leaf fund."""

    fund: str
    institution: str
    month: str


class Group(NamedTuple):
    """What one application is for (清算申请的口径)."""

    institution: str
    insutype: str
    clr_type: str
    month: str


class Booked(NamedTuple):
    """What a leaf fund owes for settlements, refunds taken off."""

    fen: int
    cases: int


def _topics(*bases: type[Fact]) -> frozenset[str]:
    return frozenset(topic for topic, kind in CATALOGUE.items() if issubclass(kind, bases))


_DOCUMENTS = _topics(CashFact, DocumentReversed, SettlementFact)
_CLAIMS = _topics(ClaimSettled, ClaimRefunded)


@dataclass(frozen=True)
class Records:
    """The archive of an area up to a position of the log, and who answers from it."""

    archive: Archive
    engine: Engine
    area: str
    watermark: int
    spread: "Spread | None" = None  # lets the methods' cases be counted by other hands
    # The same question again has the same answer: nothing here changes behind the position.
    _answered: dict[object, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def owed(self, *, since: str | None = None) -> dict[Month, dict[str, int]]:
        """Give every account's amount in fen; ``since`` leaves out settlements booked before.

        What moves from stage to stage is there whole in any case: a month's settlements are booked
        in it or later, so the sums of that month and all later ones are complete.
        """
        return self._once(("owed", since), lambda: self._owed(since))

    def _owed(self, since: str | None) -> dict[Month, dict[str, int]]:
        parts = {
            "claimed": self._parts({*_CLAIMS, ClaimReversed.TOPIC}, _POSTED, since),
            "documents": self._parts(_DOCUMENTS, _POSTED),
            **self._intakes,
        }
        found: dict[Month, dict[str, int]] = {}
        for fund, party, month, account, fen in self.engine.answer(OWED, parts, self._bounds):
            if fen and is_institution(party):  # persons are owed too, by their tokens (手工报销)
                found.setdefault(Month(fund, party, month), {})[account] = int(fen)
        return found

    def booked_by_group(self, *months: str) -> dict[Group, dict[str, Booked]]:
        """Give what each leaf fund owes for the settlements of a group."""
        asked = frozenset(months)
        return self._once(("booked", asked), lambda: self._booked_by_group(asked))

    def _booked_by_group(self, months: frozenset[str]) -> dict[Group, dict[str, Booked]]:
        since = min(months)
        parts = {
            "settlements": self._parts(_CLAIMS, _GROUPED, since),
            "undone": self._parts(
                {ClaimReversed.TOPIC}, (*_PLACE, ("original_position", "BIGINT")), since
            ),
            **self._intakes,
        }
        told = {
            **self._bounds,
            "months": Table((("code", "VARCHAR"),), [(one,) for one in sorted(months)]),
        }
        found: dict[Group, dict[str, Booked]] = {}
        for *group, fund, fen, cases in self.engine.answer(BOOKED_BY_GROUP, parts, told):
            found.setdefault(Group(*group), {})[fund] = Booked(int(fen), int(cases))
        return found

    def facts(self, kind: type[_Fact]) -> list[tuple[int, _Fact]]:
        """Read facts of a class and those below it, in order: few ones, such as applications."""
        return self._once(("facts", kind), lambda: self._facts(kind))

    def _facts(self, kind: type[_Fact]) -> list[tuple[int, _Fact]]:
        columns = (*_PLACE, ("topic", "VARCHAR"), ("state", "VARCHAR"))
        parts = {"facts": self._parts(_topics(kind), columns)}
        rows = self.engine.answer(FACTS, parts, self._bounds)
        found = []
        for position, topic, state in sorted(rows):
            fact = decode_fact(topic, state.encode(), position=position)
            if not isinstance(fact, kind):
                raise TypeError(f"{topic} is not a {kind.__name__}")
            found.append((position, fact))
        return found

    def unfinished_intakes(self) -> Iterator[IntakeStarted]:
        """Give the claims intakes that had begun and were not complete at the position."""
        through: dict[str, int] = {}
        for position, fact in self.facts(IntakeCompleted):
            through[fact.intake] = position
        for position, started in self.facts(IntakeStarted):
            if started.kind == "claims" and position > through.get(started.intake, 0):
                yield started

    def by_stage(self, fund: str, institution: str, month: str) -> Mapping[str, int]:
        """Give what a leaf fund owes one institution for a month, in fen by stage."""
        by_account = self.owed(since=month).get(Month(fund, institution, month), {})
        return {stage: by_account.get(stage, 0) for stage in STAGES}

    def _once(self, question: object, ask: Callable[[], _Answer]) -> _Answer:
        if question not in self._answered:
            self._answered[question] = ask()
        answer: _Answer = self._answered[question]
        return answer

    @cached_property
    def _intakes(self) -> dict[str, Parts]:
        named = (*_PLACE, ("intake", "VARCHAR"))
        return {
            "started": self._parts({IntakeStarted.TOPIC}, (*named, ("kind", "VARCHAR"))),
            "completed": self._parts({IntakeCompleted.TOPIC}, named),
        }

    @property
    def _bounds(self) -> dict[str, Table]:
        columns = (("area", "VARCHAR"), ("watermark", "BIGINT"))
        return {"bounds": Table(columns, [(self.area, self.watermark)])}

    def _parts(
        self,
        topics: set[str] | frozenset[str],
        columns: tuple[tuple[str, str], ...],
        since: str | None = None,
    ) -> Parts:
        files = self.archive.parts(topic=topics, area=self.area, since=since, until=self.watermark)
        return Parts(columns, tuple(files))
