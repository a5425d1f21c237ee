"""A one-stop policy of a small area, as its author writes it."""

from pathlib import Path

POLICY = """
[policy]
kind = "one_stop"
name = "{name}"
title = "2024年度居民一站式待遇"
fund = "390"
effective = {effective}
basis = "(样例)"

[[basic]]
name = "住院三级"
levels = [3]
med_types = ["21"]
deductible = "1200.00"
later_deductibles = ["600.00"]
segments = [{{ share = "{share}" }}]
ceiling = "200000.00"
pool = "住院"

[[basic]]
name = "住院异地"
places = ["elsewhere"]
med_types = ["21"]
deductible = "2000.00"
segments = [{{ share = "50%" }}]
ceiling = "200000.00"
pool = "住院"

[[basic]]
name = "门诊"
med_types = ["11"]
per = "year"
deductible = "100.00"
segments = [{{ share = "50%" }}]
ceiling = "800.00"

[[catastrophic]]
name = "大病救助对象"
assistance_classes = ["01"]
deductible = "7500.00"
segments = [{{ upto = "30000.00", share = "65%" }}, {{ share = "70%" }}]

[[catastrophic]]
name = "大病"
deductible = "15000.00"
segments = [{{ upto = "30000.00", share = "60%" }}, {{ upto = "100000.00", share = "65%" }}, {{ share = "75%" }}]
ceiling = "400000.00"

[[assistance]]
name = "特困"
assistance_classes = ["01"]
segments = [{{ share = "70%" }}]
ceiling = "50000.00"

[[tilted]]
name = "倾斜"
assistance_classes = ["01"]
deductible = "20000.00"
segments = [{{ upto = "60000.00", share = "50%" }}, {{ share = "2/3" }}]
ceiling = "30000.00"

[[others]]
name = "残疾军人"
person_classes = ["31"]
part = "hifdm_pay"
share = "1/2"

[[others]]
name = "其他"
person_classes = ["31"]
part = "oth_pay"
share = "1/3"
"""


def policy_text(
    *, name: str = "resident", effective: str = "2024-01-01", share: str = "65%"
) -> str:
    """Write the policy with its own name, date and first share."""
    return POLICY.format(name=name, effective=effective, share=share)


def write_policy(folder: Path, **own: str) -> Path:
    """Write the policy as a file."""
    path = folder / "layers.toml"
    path.write_text(policy_text(**own), encoding="utf-8")
    return path
