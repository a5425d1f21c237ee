"""Policies are dated data in the setup file, adopted once."""

from pathlib import Path

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["390"]
[[users]]
name = "admin1"
roles = ["administrator"]
[[policies]]
name = "prepayment_gate"
effective = {day}
content = {{ resident_months = "{months}" }}
"""


def adopt(medfund, folder: Path, *, day: str, months: str) -> dict[str, int]:
    path = folder / "setup.toml"
    path.write_text(SETUP.format(day=day, months=months), encoding="utf-8")
    return medfund("setup", path, "--json", user="admin1").json["changes"]


def test_a_policy_is_adopted_once_and_a_later_one_stands_beside_it(medfund, tmp_path: Path):
    assert adopt(medfund, tmp_path, day="2024-11-01", months="6")["policy.adopted.v1"] == 1
    assert adopt(medfund, tmp_path, day="2024-11-01", months="6") == {}
    assert adopt(medfund, tmp_path, day="2026-01-01", months="7") == {"policy.adopted.v1": 1}
