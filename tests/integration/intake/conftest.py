"""A small area of two funds, set up on each store, with a clerk and an administrator."""

from pathlib import Path

import pytest

SETUP = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390"]
[[users]]
name = "clerk1"
roles = ["clerk"]
[[users]]
name = "admin1"
roles = ["administrator"]
[[institutions]]
code = "H33060400001"
name = "第一人民医院"
"""


@pytest.fixture
def book(medfund, tmp_path: Path):
    (tmp_path / "setup.toml").write_text(SETUP, encoding="utf-8")
    assert medfund("setup", tmp_path / "setup.toml", user="admin1").code == 0
    return medfund
