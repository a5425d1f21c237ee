"""参保地与就医地: the role of an area in a settlement, row by row and by the column."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from settlement.intake.claim_columns import ClaimColumns
from settlement.intake.owing import Owing
from settlement.intake.place_columns import roles_of
from settlement.intake.places import Places, home_digits

OURS = "H33060400001"
ABROAD, NEARBY = "H31010400009", "H33060200003"
DISTRICT = Places("330604", (), frozenset({OURS}))
CITY = Places("330600", (), frozenset({OURS}))
#: 参保地, 就医地, 机构: role in the district's book, in the city's book
CASES = [
    (None, None, OURS, "own", "own"),
    ("330604", "330604", OURS, "own", "own"),
    ("330602", "330604", OURS, "passthrough", "own"),
    ("310104", None, OURS, "passthrough", "passthrough"),
    (None, None, ABROAD, "remote", "remote"),
    ("330604", "310104", ABROAD, "remote", "remote"),
    ("330604", "330602", NEARBY, "remote", "own"),
    (None, None, NEARBY, "remote", "own"),
    ("330604", "310104", OURS, "own", "own"),  # registered here: it treats here
    ("310104", "310104", ABROAD, None, None),
    ("320500", None, NEARBY, None, "passthrough"),
]


@pytest.mark.parametrize(("insured", "treated", "institution", "district", "city"), CASES)
def test_the_role_of_an_area(insured, treated, institution, district, city):
    assert DISTRICT.role(insured, treated, institution) == district
    assert CITY.role(insured, treated, institution) == city


def test_columns_say_the_same():
    columns = zip(*(case[:3] for case in CASES), strict=True)
    keys = ("insuplc_admdvs", "mdtrtarea_admvs", "fixmedins_code")
    values = {key: pa.array(column, pa.string()) for key, column in zip(keys, columns, strict=True)}
    lines = pa.array(range(len(CASES)), pa.int64())
    for places in (DISTRICT, CITY):
        insured, treated = roles_of(places, ClaimColumns(lines, values))
        names = {(True, True): "own", (True, False): "remote", (False, True): "passthrough"}
        told = zip(insured.to_pylist(), treated.to_pylist(), strict=True)
        assert [names.get(one) for one in told] == [places.role(*case[:3]) for case in CASES]


def test_further_places_are_ours():
    wider = Places("330604", ("330602",), frozenset({OURS}))
    assert wider.role("330602", None, OURS) == "own"
    assert home_digits("330000") == "33"


def test_without_any_registered_institution_only_the_place_of_care_decides():
    nobody = Places("330604")
    assert nobody.role(None, None, ABROAD) == "own"
    assert nobody.role(None, "310104", ABROAD) == "remote"


def test_what_is_owed_to_whom():
    area = SimpleNamespace(
        code="330604",
        leaf_funds=frozenset({"310.pooled", "310.personal"}),
        options={},
        institutions={OURS: ("第一人民医院", 3)},
    )
    rows = [
        ("330604", "310104", ABROAD, 700),
        ("310104", "330604", OURS, 800),
        (None, None, OURS, 900),
        (None, None, ABROAD, 50),
    ]
    text = [pa.array([row[at] for row in rows], pa.string()) for at in range(3)]
    claims = ClaimColumns(
        pa.array([2, 3, 4, 5], pa.int64()),
        {
            "insuplc_admdvs": text[0],
            "mdtrtarea_admvs": text[1],
            "fixmedins_code": text[2],
            "insutype": pa.array(["310"] * 4, pa.string()),
            "fund_pay_sumamt": pa.array([row[3] for row in rows], pa.int64()),
        },
    )
    found = {
        owed.role: (owed.parties.to_pylist(), owed.funds["310.pooled"].to_pylist())
        for owed in Owing(area).owed(claims)
    }
    assert found == {
        "remote": (["310104", "310104"], [700, 50]),
        "passthrough": ([OURS], [800]),
        "own": ([OURS], [900]),
    }
