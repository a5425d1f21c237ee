import pytest
from architecture.rules import FUNCTION_LINES, MODULE_LINES, findings, modules

LONG = "\n".join(f"    x{line} = {line}" for line in range(FUNCTION_LINES))

BAD = [
    ("a long function", "ledger.x", f"def f():\n{LONG}\n", "at most 70"),
    ("a long method", "medfund.x", f"class A:\n    def f(self):\n{LONG}\n".replace("    x", "        x"), "at most 70"),
    ("a long module", "ledger.x", "x = 1\n" * (MODULE_LINES + 1), "at most 400"),
    ("a float literal", "ledger.x", "rate = 0.05\n", "float literal"),
    ("a float beside a waiting time", "ledger.x", "PAUSE_SECONDS = 1\nRATE = 0.5\n", "literal 0.5"),
    ("float()", "settlement.x", "y = float(z)\n", "float()"),
    ("now()", "ledger.x", "from datetime import datetime as d\nx = d.now()\n", "datetime.datetime.now"),
    ("now passed on", "ledger.x", "import datetime\nclock = datetime.datetime.now\n", "datetime.now"),
    ("today()", "projections.x", "import datetime as dt\nx = dt.date.today()\n", "date.today"),
    ("time()", "ledger.x", "import time\nx = time.time()\n", "time.time"),
    ("uuid4", "settlement.x", "from uuid import uuid4\nx = uuid4()\n", "uuid.uuid4"),
    ("random", "ledger.x", "import random\nx = random.Random(1).random()\n", "random"),
    ("choice", "ledger.x", "from random import choice\nx = choice([1])\n", "random.choice"),
    ("secrets", "migrations.x", "import secrets\nx = secrets.token_hex()\n", "secrets"),
    ("environ", "ledger.x", "import os\nx = os.environ['A']\n", "os.environ"),
    ("getenv at a door", "medfund.cli", "from os import getenv\nx = getenv('A')\n", "os.getenv"),
    ("bare except", "workers.x", "try:\n    f()\nexcept:\n    pass\n", "bare except"),
    ("broad except", "ledger.x", "try:\n    f()\nexcept (ValueError, Exception):\n    pass\n", "except Exc"),
    ("raised as another", "ledger.x", "try:\n    f()\nexcept Exception:\n    raise A from None\n", "except"),
    ("print", "medfund.web.x", "print(1)\n", "print"),
    ("click inside", "settlement.x", "import click\n", "click belongs to medfund.cli"),
    ("dramatiq inside", "settlement.x", "def f():\n    from dramatiq import actor\n", "belongs to work"),
    ("a test library", "medfund.x", "import openpyxl.styles\n", "belongs to the tests"),
    ("a library in the domain", "ledger.domain.x", "import msgspec\n", "neither"),
    ("a store in the domain", "ledger.domain.x", "from ledger.store import books\n", "neither"),
]  # fmt: skip

GOOD = [
    ("ledger.x", "import uuid\nx = uuid.uuid5(uuid.NAMESPACE_URL, 'a')\n"),
    ("ledger.x", "from datetime import date\nx = date(2023, 10, 1)\n"),
    ("ledger.x", "def f(value):\n    return isinstance(value, float)\n"),
    ("ledger.x", "def f(row):\n    return row.random, row.time.time\n"),
    (
        "ledger.domain.x",
        "from ledger.domain.money import Money\nfrom ledger.errors import Conflict\n",
    ),
    ("medfund.cli.x", "import time\nprint(time.time())\n"),
    ("ledger.x", "TRIES, PAUSE_SECONDS = 3, 0.05\n"),
    ("ledger.x", "try:\n    f()\nexcept BaseException:\n    undo()\n    raise\n"),
    ("medfund.settings", "import os\nx = os.environ\n"),
    ("workers.x", "try:\n    f()\nexcept Exception:\n    raise\n"),
    ("ledger.x", "x = 1\n" * MODULE_LINES),
    ("ledger.x", f"def f():\n{LONG}\n".replace("    x0 = 0\n", "")),
]


@pytest.mark.parametrize(
    ("module", "source", "words"), [row[1:] for row in BAD], ids=[r[0] for r in BAD]
)
def test_a_bad_snippet_is_found(module, source, words):
    found = findings(source, module)
    assert len(found) >= 1
    assert any(words in finding for finding in found)


@pytest.mark.parametrize(("module", "source"), GOOD)
def test_a_good_snippet_is_left_alone(module, source):
    assert findings(source, module) == []


def test_the_house_is_tidy():
    read = [(module, path.read_text(encoding="utf-8")) for module, path in modules()]
    assert len(read) > 20
    assert [one for module, source in read for one in findings(source, module)] == []
