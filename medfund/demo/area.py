"""The sample area (样例统筹区) as a folder of files: setup, 25 months of flows, three of settlements.

Everything follows from the seed. The amounts are invented; the indicators of 2023-10 that the
product computes from them are those the district published (see ``plan``).
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from medfund.demo.claims import sample_claims
from medfund.demo.files import write_flows
from medfund.demo.flows import sample_flows
from medfund.demo.institutions import AREA_CODE, AREA_NAME, INSTITUTIONS
from medfund.demo.plan import FIRST, LAST, plan_expenditure

_FUNDS = ("310", "390", "392", "330", "320", "610")
_USERS = {
    "clerk1": "clerk",
    "reviewer1": "reviewer",
    "auditor1": "auditor",
    "admin1": "administrator",
}
#: 年度指标: what the district set itself, with the direction in which it binds.
_TARGETS = (
    ("310", "expenditure_growth_ytd", 'at_most = "10.00"'),
    ("390", "expenditure_growth_ytd", 'at_most = "10.00"'),
    ("310.pooled", "payable_months.trailing12", 'at_least = "6.00"'),
    ("390", "payable_months.trailing12", 'at_least = "6.00"'),
)


@dataclass(frozen=True, slots=True)
class SampleArea:
    """What was written, in the order in which it is to be brought in."""

    folder: Path
    seed: int
    setup: Path
    flow_files: tuple[Path, ...]
    claims_files: tuple[Path, ...]
    flows: int
    claims: int
    refunds: int
    first_period: str
    last_period: str


def write_sample_area(folder: Path, *, seed: int, claims: int = 100_000) -> SampleArea:
    """Write the sample area's files into a folder; the same seed gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan_expenditure(_random(seed, "plan"))
    sample = sample_claims(_random(seed, "claims"), count=claims, last=LAST)
    sheet = sample_flows(_random(seed, "flows"), plan=plan, settled=sample.settled)
    setup = folder / "setup.toml"
    setup.write_bytes(_setup().encode())
    flow_files = []
    for style, month in enumerate(sheet.months()):
        stem = folder / f"fund_flows-{month}{'-opening' if month < FIRST else ''}"
        flow_files.append(write_flows(stem, flows=sheet.rows(month), style=style))
    claims_files = []
    for month, lines in sample.lines.items():
        path = folder / f"claims-{month}.csv"
        path.write_bytes(("\n".join(lines) + "\n").encode())
        claims_files.append(path)
    return SampleArea(
        folder=folder,
        seed=seed,
        setup=setup,
        flow_files=tuple(flow_files),
        claims_files=tuple(claims_files),
        flows=sum(len(sheet.rows(month)) for month in sheet.months()),
        claims=claims,
        refunds=sample.refunds,
        first_period=str(FIRST),
        last_period=str(LAST),
    )


def _random(seed: int, part: str) -> Random:
    """Give each part its own stream, so that more claims do not change the flows' plan."""
    return Random(f"{seed}/{part}")  # noqa: S311 - sample rows, nothing to protect


def _setup() -> str:
    """Write the setup; users and institutions do not depend on the seed."""
    funds = ", ".join(f'"{fund}"' for fund in _FUNDS)
    area = f'[area]\ncode = "{AREA_CODE}"\nname = "{AREA_NAME}"\nfunds = [{funds}]\n'
    parts = [area + "tax_collects = true\nmoney_account_control = true\n"]
    parts += [f'[[users]]\nname = "{name}"\nroles = ["{role}"]\n' for name, role in _USERS.items()]
    for one in INSTITUTIONS:
        level = "" if one.is_pharmacy else f"level = {one.level}\n"
        parts.append(f'[[institutions]]\ncode = "{one.code}"\nname = "{one.name}"\n{level}')
    parts += [
        f'[[targets]]\nyear = 2023\nfund = "{fund}"\nindicator = "{name}"\n{bound}\n'
        for fund, name, bound in _TARGETS
    ]
    return "\n".join(parts)
