"""The paper that comes over the counter (来件): documents and settlements in files, drawn from chance."""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from medfund.simulation import effects
from medfund.simulation.effects import Net

HOSPITALS = ("H33060400001", "H33060400002", "P33060400003")
Row = dict[str, str]
DocKey = tuple[str, str, str]  # area, kind (doc, claim, refund), number


@dataclass(frozen=True, slots=True)
class Paper:
    """One document or settlement and what it has to do to the accounts."""

    key: DocKey
    row: Row
    day: date
    net: Net


@dataclass(slots=True)
class FilePaper:
    """A file and what is in it; ``spoilt`` rows must never be posted."""

    area: str
    kind: str
    path: Path
    papers: list[Paper]
    partial: bool = False
    spoilt: int = 0
    brought: int = 0


@dataclass(slots=True)
class Desk:
    """Writes papers; everything it has issued can come back."""

    chance: random.Random
    tax_collects: Mapping[str, bool]
    issued: dict[DocKey, list[Paper]] = field(default_factory=dict)
    files: list[FilePaper] = field(default_factory=list)
    due: Sequence[date] = ()  # days of the months that are closed next
    due_percent: int = 0
    _number: int = 0

    def flows(
        self, area: str, folder: Path, today: date, again: Iterable[Paper], free: Iterable[str]
    ) -> FilePaper:
        """Write a ``fund_flows`` file: new documents, some that stand, numbers that are free again."""
        papers = [self._document(area, today) for _ in range(self.chance.randint(1, 5))]
        papers += [self._document(area, today, number=number) for number in free]
        papers += again
        self.chance.shuffle(papers)
        rows = [paper.row for paper in papers]
        spoilt = [{**row, "amount": "-1"} for row in rows[:1]] if self._rarely(12) else []
        for number, row in enumerate(spoilt):
            row.update(doc_no=f"X{self._number}-{number}", item="interest")
        return self._write(area, "fund_flows", folder, papers, rows + spoilt, spoilt=len(spoilt))

    def history(self, area: str, folder: Path) -> FilePaper:
        """Write what a fund took in and spent in the year before: it may be prepaid from."""
        said = (
            ("2022-12-15", "subsidy.county", 10**13),
            ("2023-06-15", "subsidy.county", 10**13),
            ("2023-11-15", "benefit.outpatient", 10**7),
        )
        papers = []
        for day, item, fen in said:
            row = {
                "doc_no": self._next("D"),
                "date": day,
                "area": area,
                "fund": effects.RESIDENT,
                "item": item,
                "amount": f"{fen // 100}.{fen % 100:02d}",
            }
            net = effects.net_of(row, fen, tax_collects=self.tax_collects[area])
            key: DocKey = (area, "doc", row["doc_no"])
            papers.append(self._issue(Paper(key, row, date.fromisoformat(day), net)))
        rows = [paper.row for paper in papers]
        return self._write(area, "fund_flows", folder, papers, rows, spoilt=0)

    def claims(self, area: str, folder: Path, today: date, originals: Iterable[Paper]) -> FilePaper:
        """Write a ``claims`` file: new settlements, and refunds of some that stand."""
        papers = [self._settlement(area, today) for _ in range(self.chance.randint(1, 5))]
        papers += [self._refund(original) for original in originals]
        self.chance.shuffle(papers)
        rows = [paper.row for paper in papers]
        spoilt = [{**rows[0], "setl_id": f"X{self._number}", "psn_cash_pay": "7.77"}]
        spoilt = spoilt if self._rarely(12) else []
        return self._write(area, "claims", folder, papers, rows + spoilt, spoilt=len(spoilt))

    def _rarely(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    def _next(self, letter: str) -> str:
        self._number += 1
        return f"{letter}{self._number}"

    def _day(self, today: date) -> date:
        """Draw a day: of these weeks, of a month that is just being closed, or long before."""
        due = [day for day in self.due if day <= today]
        if due and self._rarely(self.due_percent):
            return self.chance.choice(due)
        return today - timedelta(days=self.chance.choice((0, 3, 10, 25, 40, 70, 120)))

    def _amount(self) -> int:
        return self.chance.choice((1, 99, 100, 12_345, 10_000_000, self.chance.randint(1, 10**11)))

    def _document(self, area: str, today: date, number: str | None = None) -> Paper:
        item, fen, day = self.chance.choice(effects.ITEMS), self._amount(), self._day(today)
        row = {
            "doc_no": number or self._next("D"),
            "date": day.isoformat(),
            "area": area,
            "fund": self.chance.choice((effects.POOLED, effects.PERSONAL, "390", "610")),
            "item": item,
            "amount": f"{fen // 100}.{fen % 100:02d}",
        }
        if item == "personal_credit":
            row["fund"] = effects.POOLED
        elif item == "assisted_participation":
            row.update(fund=effects.ASSISTANCE, counterparty_fund=effects.RESIDENT)
        elif item == "recovery":
            row["original_year"] = str(day.year - self.chance.choice((0, 0, 1)))
        elif item in effects.FINES and self._rarely(60):
            row["money_account"] = self.chance.choice(("fiscal", "income"))
        elif item.startswith(("benefit", "prepayment")) and self._rarely(60):
            row["counterparty"] = self.chance.choice(HOSPITALS)
        net = effects.net_of(row, fen, tax_collects=self.tax_collects[area])
        return self._issue(Paper((area, "doc", row["doc_no"]), row, day, net))

    def _settlement(self, area: str, today: date) -> Paper:
        day, employee = self._day(today), self._rarely(50)
        fen = {
            "hifp_pay": self._amount(),
            "maf_pay": self._amount() if self._rarely(30) else 0,
            "acct_pay": self._amount() if employee and self._rarely(50) else 0,
        }
        row = {
            "setl_id": self._next("S"),
            "psn_no": f"P{self.chance.randrange(20):04d}",
            "insutype": "310" if employee else "390",
            "fixmedins_code": self.chance.choice(HOSPITALS),
            "med_type": "21",
            "clr_type": self.chance.choice(("11", "21")),
            "setl_time": f"{day.isoformat()} 10:00:00",
            "refd_setl_flag": "0",
        }
        return self._issue(_settled((area, "claim", row["setl_id"]), row, day, fen))

    def _refund(self, original: Paper) -> Paper:
        row = {**original.row, "refd_setl_flag": "1"}
        fen = {part: -_fen(row[part]) for part in ("hifp_pay", "maf_pay", "acct_pay")}
        area, _, number = original.key
        return self._issue(_settled((area, "refund", number), row, original.day, fen))

    def _issue(self, paper: Paper) -> Paper:
        self.issued.setdefault(paper.key, []).append(paper)
        return paper

    def _write(
        self,
        area: str,
        kind: str,
        folder: Path,
        papers: list[Paper],
        rows: list[Row],
        *,
        spoilt: int,
    ) -> FilePaper:
        path = folder / f"{kind}-{len(self.files) + 1}.csv"
        heads = list(dict.fromkeys(head for row in rows for head in row))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, heads, restval="")
            writer.writeheader()
            writer.writerows(rows)
        made = FilePaper(area, kind, path, papers, partial=self._rarely(50), spoilt=spoilt)
        self.files.append(made)
        return made


def _settled(key: DocKey, row: Row, day: date, fen: Mapping[str, int]) -> Paper:
    fund_pay = fen["hifp_pay"] + fen["maf_pay"]
    amounts = {
        **fen,
        "fund_pay_sumamt": fund_pay,
        "psn_cash_pay": 0,
        "medfee_sumamt": fund_pay + fen["acct_pay"],
    }
    written = {name: _yuan(part) for name, part in amounts.items()}
    return Paper(key, {**row, **written}, day, effects.owed_of(row, fen))


def _yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _fen(yuan: str) -> int:
    return int(yuan.replace(".", ""))
