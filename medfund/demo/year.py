"""The sample city's year as a folder of files: setup, flows, catalogue, policies, twelve months of claims.

Everything follows from the seed and the number of claims; files that are there already are kept.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from medfund.demo.city import (
    CITY_CODE,
    YEAR,
    assessments_text,
    flows_text,
    groups_text,
    policy_text,
    setup_text,
)
from medfund.demo.city_claims import CityClaims, write_city_claims

CLEARED_FUNDS = ("310.pooled", "390")
_MADE = "made.json"
_FORM = 3  # raised when the files of the same seed change


@dataclass(frozen=True, slots=True)
class SampleYear:
    """What was written, in the order in which it is to be brought in."""

    area: str
    year: int
    setup: Path
    flows: Path
    policies: tuple[Path, ...]
    claims_files: tuple[Path, ...]
    assessments: Path
    claims: int


def is_made(folder: Path, *, seed: int, claims: int) -> bool:
    """Tell whether the folder holds the whole year of this seed and number of claims."""
    made = folder / _MADE
    return made.is_file() and json.loads(made.read_text(encoding="utf-8")) == _made(seed, claims)


def write_sample_year(
    folder: Path, *, seed: int, claims: int, progress: Callable[[int, int], None]
) -> SampleYear:
    """Write the year's files into a folder; the same seed gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    year = SampleYear(
        area=CITY_CODE,
        year=YEAR,
        setup=folder / "setup.toml",
        flows=folder / f"fund_flows-{YEAR}.csv",
        policies=tuple(folder / f"policy-{fund}.toml" for fund in CLEARED_FUNDS),
        claims_files=tuple(folder / f"claims-{YEAR}-{month:02d}.csv" for month in range(1, 13)),
        assessments=folder / f"assessments-{YEAR}.csv",
        claims=claims,
    )
    if is_made(folder, seed=seed, claims=claims):
        return year
    (folder / _MADE).unlink(missing_ok=True)
    written = CityClaims()
    for written in write_city_claims(folder, seed=seed, claims=claims):
        progress(written.rows, claims)
    year.setup.write_text(setup_text(), encoding="utf-8")
    year.flows.write_text(flows_text(written.owed_fen), encoding="utf-8")
    year.assessments.write_text(assessments_text(), encoding="utf-8")
    (folder / "groups.csv").write_text(groups_text(), encoding="utf-8")
    for fund, path in zip(CLEARED_FUNDS, year.policies, strict=True):
        text = policy_text(fund, points_fen=written.points_fen[fund])
        path.write_text(text, encoding="utf-8")
    (folder / _MADE).write_text(json.dumps(_made(seed, claims)), encoding="utf-8")
    return year


def _made(seed: int, claims: int) -> dict[str, int]:
    return {"seed": seed, "claims": claims, "form": _FORM}
