"""Settlements for the clearing kernel, laid down as the archive lays them down.

``golden`` is the set on which all engines have to agree: costs at and one fen beside every edge of
deviation and rounding, products near the bound of 64 bits, and every way in which a case can end.
``ordinary`` looks like a month of a city; it is what one would test with if one did not know better.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, gcd
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from settlement.clearing.cases import kernel
from settlement.clearing.cases.scoring import Scope
from settlement.clearing.engine import Parts
from settlement.clearing.policies.policy import Dip, Group

AREA = "330100"
FUND, MONTH = "310.pooled", "2025-01"
COEFFICIENTS4 = {
    "H33010000001": 10_000,
    "H33010000002": 8_500,
    "H33010000003": 12_345,
    "H33010000004": 99_991,
    "H33010000005": 100_000,
    "H33010000006": 1,
}
SCOPE = Scope(
    area=AREA,
    fund=FUND,
    insutypes=frozenset({"310", "510"}),
    months=frozenset({MONTH}),
    kinds=frozenset(
        ("21", med_type, institution)
        for med_type in ("21", "22", "52")
        for institution in (*COEFFICIENTS4, "P33010000001", "P33010000002", "H33019999999")
    ),
)
TOPICS = {name: topic for name, (topic, _) in kernel.ARCHIVE.items()}
_POSTING = [(name, pa.string()) for name in ("fund", "debit", "credit", "party")]
_TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    kernel.POSTINGS: pa.list_(pa.struct([*_POSTING, ("fen", pa.int64())])),
}


@dataclass
class Log:
    """Events in the order of the log, position by position."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def position(self) -> int:
        return len(self.events)

    def settle(
        self,
        group: str | None,
        institution: str,
        cost_fen: int,
        *,
        setl_id: str | None = None,
        **others: Any,
    ) -> int:
        position = self.position + 1
        fact: dict[str, Any] = {
            "position": position,
            "area": AREA,
            "setl_id": setl_id or f"S{position:012d}",
            "insutype": "310",
            "belongs_to": MONTH,
            "clr_type": "21",
            "med_type": "21",
            "institution": institution,
            "dise_code": group,
            "person": f"{position:032x}",
            "person_key": 1,
            "begndate": f"{MONTH}-01",
            "enddate": f"{MONTH}-05",
            "setl_date": f"{MONTH}-06",
            "medfee_sumamt": cost_fen,
            "postings": entry({FUND: cost_fen * 7 // 10, "310.personal": 1_000}, institution),
        }
        self.events.append(("settled", fact | others))
        return position

    def refund(self, original: int) -> int:
        fact = self.events[original - 1][1]
        mirrored = {"medfee_sumamt": -fact["medfee_sumamt"], "position": self.position + 1}
        self.events.append(("refunded", fact | mirrored))
        return self.position

    def refund_before(self, group: str, institution: str, cost_fen: int) -> int:
        """Refund a settlement that follows in the same commit, whose rows lie by stream."""
        original = self.settle(group, institution, cost_fen)
        self.refund(original)
        (kind, settled), (refund, refunded) = self.events[-2:]
        places = settled["position"], refunded["position"]
        self.events[-2:] = [
            (refund, refunded | {"position": places[0]}),
            (kind, settled | {"position": places[1]}),
        ]
        return self.position

    def reverse(self, original: int) -> int:
        kind, fact = self.events[original - 1]
        self.events.append(
            (
                "reversed",
                {
                    "position": self.position + 1,
                    "area": fact["area"],
                    "setl_id": fact["setl_id"],
                    "refund": kind == "refunded",
                    "original_position": original,
                },
            )
        )
        return self.position

    def group(self, original: int, group: str, *, hits: str | None = "") -> int:
        """Record the group of a case after it was settled."""
        fact = self.events[original - 1][1]
        grouped = {name: fact[name] for name in ("area", "setl_id")} | {"dise_code": group}
        others = {"auxiliary": hits, "position": self.position + 1}
        self.events.append(("grouped", grouped | others))
        return self.position

    def review(
        self,
        original: int,
        points4: int | None = None,
        *,
        amount_fen: int | None = None,
        decision: str = "accepted",
    ) -> int:
        """Record what experts decided about a case."""
        fact = self.events[original - 1][1]
        reviewed = {name: fact[name] for name in ("area", "setl_id")} | {"decision": decision}
        numbers = {"points4": points4, "amount_fen": amount_fen, "position": self.position + 1}
        self.events.append(("reviewed", reviewed | numbers))
        return self.position

    def write(self, folder: Path, *, rows_a_part: int = 500) -> dict[str, Parts]:
        """Write the parts of an archive and name them."""
        files: dict[str, tuple[Path, ...]] = {}
        for name, topic in TOPICS.items():
            if topic not in files:
                rows = [fact for kind, fact in self.events if kind == name]
                files[topic] = tuple(
                    _write(folder, topic, rows[first : first + rows_a_part], month % 12 + 1)
                    for month, first in enumerate(range(0, len(rows), rows_a_part))
                )
        return {
            name: Parts(columns, files[topic]) for name, (topic, columns) in kernel.ARCHIVE.items()
        }


def entry(owed: dict[str, int], institution: str) -> list[dict[str, Any]]:
    return [
        {
            "fund": fund,
            "debit": "claims.incurred",
            "credit": "owed.booked",
            "fen": fen,
            "party": institution,
        }
        for fund, fen in owed.items()
        if fen
    ]


def _write(folder: Path, topic: str, rows: list[dict[str, Any]], month: int) -> Path:
    within = folder / f"v1/event_type={topic}/area={AREA}/fund=310/period=2025-{month:02d}"
    within.mkdir(parents=True, exist_ok=True)
    path = within / f"part-{rows[0]['position']:012d}-{rows[-1]['position']:012d}.parquet"
    own = [columns for other, columns in kernel.ARCHIVE.values() if other == topic]
    columns = {column: _TYPES[kind] for many in own for column, kind in many}
    schema = pa.schema([*columns.items()])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")
    return path


# --- the golden set


def golden(
    low: Fraction = Fraction(1, 2), high: Fraction = Fraction(2), *, seed: int = 7
) -> tuple[Log, Dip]:
    """Make the set for one pair of deviation edges."""
    chance = random.Random(seed)
    log, groups = Log(), dict[str, Group]()
    rules = Dip(
        groups=groups,
        coefficients4=COEFFICIENTS4,
        low=low,
        high=high,
        primary=frozenset({"病种010", "病种011"}),
        primary_coefficient4=9_001,
        auxiliary4={"CCI3": 9_999, "年龄": 9_998, "肿瘤": 8_000},
    )
    for number in range(120):
        group = hard_group(chance, number)
        code = f"病种{number:03d}"
        groups[code] = group
        for cost in _hard_costs(group, rules):
            log.settle(code, chance.choice([*COEFFICIENTS4]), cost)
    for code, group, institution, cost in _hard_coefficients(rules):
        groups[code] = group
        log.settle(code, institution, cost)
    every_ending(log)
    every_amendment(log)
    return log, rules


def hard_group(chance: random.Random, number: int) -> Group:
    """Small, middle and largest numbers; base and average prime to each other, so ties exist."""
    sizes = (
        (kernel.MAX_BASE4, kernel.MAX_AVERAGE_FEN),
        (kernel.MAX_BASE4, kernel.MAX_COST_FEN // 8),
        (10_000_000, 2_000_000),
        (kernel.MAX_BASE4, kernel.MIN_AVERAGE_FEN),
    )
    base, average = sizes[number % len(sizes)]
    while True:
        average = max(kernel.MIN_AVERAGE_FEN, average - chance.randrange(average // 10))
        points4 = base - chance.randrange(base // 10)
        if gcd(points4, average) == 1:
            return Group(points4=points4, average_fen=average)


def _hard_costs(group: Group, rules: Dip) -> Iterator[int]:
    average = group.average_fen
    for edge in (rules.low * average, rules.high * average, Fraction(average)):
        for cost in {floor(edge), ceil(edge)}:
            yield from (cost - 1, cost, cost + 1)
    yield from (0, 1, kernel.MAX_COST_FEN)
    # Where the quotient's numerator 2a + b is k·2b (a tie) or just below or above it.
    for beside in (-1, 0, 1):
        yield from _costs_beside_a_tie(group, rules, beside)


def _costs_beside_a_tie(group: Group, rules: Dip, beside: int) -> Iterator[int]:
    base, average = group.points4, group.average_fen
    cost = (average // 2 + beside) * pow(base, -1, average) % average
    if cost < rules.low * average:
        yield cost
    parts, times = rules.high.denominator, rules.high.numerator
    divisor = average * parts
    if gcd(base * parts, average) != 1 or gcd(base, divisor) != 1:
        return
    # base x (cost x parts - (times - parts) x average) = target, modulo the divisor
    target = divisor // 2 + beside
    wanted = (target * pow(base, -1, divisor) + (times - parts) * average) % divisor
    if wanted % parts == 0:
        first = wanted // parts
        steps = (kernel.MAX_COST_FEN - first) // average
        yield from (first + step * average for step in (steps, steps - 1) if step >= 0)


def _hard_coefficients(rules: Dip) -> Iterator[tuple[str, Group, str, int]]:
    """Points far above 2^53 ÷ coefficient whose second rounding is a tie or one beside it."""
    parts, times = rules.high.denominator, rules.high.numerator
    institution, coefficient = "H33010000004", COEFFICIENTS4["H33010000004"]
    group = Group(points4=57_777_777, average_fen=kernel.MIN_AVERAGE_FEN)
    wanted = {4_999, 5_000, 5_001}
    for cost in range(kernel.MAX_COST_FEN, 0, -1):
        above = cost * parts - (times - parts) * group.average_fen
        divisor = group.average_fen * parts
        case4 = (group.points4 * above + divisor // 2) // divisor
        if (rest := case4 * coefficient % kernel.ONE) in wanted:
            wanted.discard(rest)
            yield "放大", group, institution, cost
        if not wanted:
            break
    most = Group(points4=kernel.MAX_BASE4, average_fen=kernel.MIN_AVERAGE_FEN)
    yield "极限", most, "H33010000005", kernel.MAX_COST_FEN


def every_ending(log: Log) -> None:
    """Refunds, reversals and what is held back, each at least twice."""
    for institution in ("H33010000001", "H33010000002"):
        stays = log.settle("病种001", institution, 300_000)
        refunded = log.settle("病种001", institution, 400_000)
        log.refund(refunded)
        log.refund_before("病种001", institution, 450_000)
        undone = log.settle("病种001", institution, 500_000)
        log.reverse(log.refund(undone))
        again = log.settle("病种001", institution, 600_000, setl_id=f"AGAIN-{stays}")
        log.reverse(again)
        log.settle("病种001", institution, 600_001, setl_id=f"AGAIN-{stays}")
        twice = log.settle("病种001", institution, 700_000, setl_id=f"TWICE-{stays}")
        log.reverse(log.refund(twice))
        log.reverse(twice)
        log.refund(log.settle("病种001", institution, 700_001, setl_id=f"TWICE-{stays}"))
        log.settle(None, institution, 100_000)
        log.settle("", institution, 100_001)
        log.settle("病种001 ", institution, 100_002)
        log.settle("没有的病种", institution, 100_003)
        log.settle("病种001", f"P{institution[1:]}", 100_004)
        for cost in (-1, kernel.MAX_COST_FEN + 1, 4 * 10**18):
            log.settle("病种001", f"{institution[:-1]}3", cost, postings=[])
        log.settle("病种001", institution, 100_005, med_type="11")
        log.settle("病种001", institution, 100_005, clr_type="11")
        log.settle("病种001", institution, 100_005, belongs_to="2025-02")
        log.settle("病种001", institution, 100_005, postings=None, hosp_part_amt=5)
        log.settle("病种001", institution, 100_006, insutype="390")
        elsewhere = log.settle("病种001", institution, 100_007, area="330200")
        log.settle("病种001", institution, 100_008, setl_id=f"S{elsewhere:012d}")
        log.refund(elsewhere)


def every_amendment(log: Log) -> None:
    """Groupings and reviews: the latest counts, and only of what had been settled before it."""
    for institution in ("H33010000002", "H33010000003", "P33010000001"):
        log.group(log.settle(None, institution, 300_001), "病种001")
        twice = log.settle("没有的病种", institution, 300_002)
        log.group(twice, "病种002")
        log.group(twice, "病种003")
        log.group(log.settle("病种001", institution, 300_003), "也没有的病种")
        log.group(log.settle("病种001", institution, 300_004), "")
        before = log.settle("病种001", institution, 300_005, setl_id=f"NEW-{log.position}")
        log.group(before, "病种004")
        log.review(before, 7)
        log.reverse(before)
        again = {"setl_id": log.events[before - 1][1]["setl_id"]}
        log.settle(None, institution, 300_006, **again)
        given_back = log.settle(None, institution, 300_007)
        log.group(given_back, "病种005")
        log.reverse(log.refund(given_back))
        for hits in (None, "", "CCI3", "CCI3+年龄", "年龄+肿瘤", "CCI3+没有的", "没有的"):
            log.group(log.settle(None, institution, 300_008), "病种010", hits=hits)
            reviewed = log.settle(None, institution, 300_009)
            log.group(reviewed, "病种012", hits=hits)
            log.review(reviewed, 55_555)
        for points4 in (0, 10_001, kernel.MAX_REVIEW4, kernel.MAX_REVIEW4 + 1, -1, None):
            for group, cost in (("病种001", 1), (None, 2), ("病种001", kernel.MAX_COST_FEN + 1)):
                log.review(log.settle(group, institution, cost), points4)
        changed = log.settle("病种001", institution, 1)
        log.review(changed, None)
        log.review(changed, 5, decision="rejected")
        log.review(log.settle("病种001", institution, 2), None, decision="rejected")
        elsewhere = log.settle("病种001", institution, 3, area="330200")
        log.settle("病种001", institution, 3, setl_id=f"S{elsewhere:012d}")
        log.group(elsewhere, "病种006")
        log.review(elsewhere, 8)


def ordinary(cases: int = 20_000, *, seed: int = 1) -> tuple[Log, Dip]:
    """Make cases of a usual size at random."""
    chance = random.Random(seed)
    log = Log()
    groups = {
        f"G{number:03d}": Group(
            points4=chance.randrange(1_000_000, 30_000_000),
            average_fen=chance.randrange(300_000, 6_000_000),
        )
        for number in range(100)
    }
    rules = Dip(groups=groups, coefficients4=COEFFICIENTS4)
    codes: Sequence[str] = [*rules.groups]
    for _ in range(cases):
        code = chance.choice(codes)
        cost = int(rules.groups[code].average_fen * chance.lognormvariate(0, 0.5))
        log.settle(code, chance.choice([*COEFFICIENTS4]), cost)
        if chance.random() < 0.02:
            log.refund(log.position)
    return log, rules
