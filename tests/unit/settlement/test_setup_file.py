"""The setup file: read as it stands, or refused with all its mistakes at once."""

import pytest

from settlement.setup_file import SetupRejected, read_setup

GOOD = """
[area]
code = "330604"
name = "上虞区"
funds = ["310", "390", "610"]

[[funds]]
code = "392"
first_month = "2022-01"

[[users]]
name = "clerk1"
roles = ["clerk"]

[[users]]
name = "boss"
roles = ["admin", "auditor"]

[[institutions]]
code = "H33060400001"
name = "第一人民医院"
level = 3

[chart]
fiscal = "100301"

[claims.parts]
hifes_pay = "330"
"""


@pytest.fixture
def read(tmp_path):
    def write_and_read(text):
        path = tmp_path / "area.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_setup(path)

    return write_and_read


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_good_file_is_read(read, start):
    file = read(start + GOOD)
    assert (file.area.code, file.area.funds) == ("330604", ["310", "390", "610"])
    assert (file.area.tax_collects, file.area.money_account_control) == (False, False)
    assert [(fund.code, fund.first_month) for fund in file.funds] == [("392", "2022-01")]
    assert file.institutions[0].level == 3
    assert (file.chart, file.claims.parts) == ({"fiscal": "100301"}, {"hifes_pay": "330"})
    assert file.unknown_keys() == []


def test_admin_is_another_word_for_administrator(read):
    assert read(GOOD).users[1].roles == ["administrator", "auditor"]


def test_keys_that_we_do_not_know_are_named_and_read_over(read):
    text = GOOD.replace('name = "上虞区"', 'name = "上虞区"\ncolour = "red"')
    text = text.replace('name = "clerk1"', 'name = "clerk1"\nphone = "110"') + "\n[extra]\nx = 1\n"
    assert read(text).unknown_keys() == ["area.colour", "extra", "users.phone"]


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ('"330604"', '"33060"', "area.code", "six digits"),
        ('"330604"', '"３３０６０４"', "area.code", "six digits"),
        ('"390", "610"', '"391"', "area.funds.1", "no such fund: 391"),
        ('["310", "390", "610"]', "[]", "area.funds", "at least 1"),
        ('name = "上虞区"', 'name = ""', "area.name", "at least 1 character"),
        ('name = "上虞区"', "", "area.name", "Field required"),
        ('"2022-01"', '"2022-13"', "funds.0.first_month", "no such month"),
        ('["clerk"]', '["chief"]', "users.0.roles.0", "clerk"),
        ('["clerk"]', "[]", "users.0.roles", "at least 1"),
        ('"H33060400001"', '"H330604"', "institutions.0.code", "11 characters"),
        ("fiscal =", "no_such =", "", "no such accounts: no_such"),
        ('hifes_pay = "330"', 'hifes_pay = "310"', "claims", "no such fund: 310"),
        ('hifes_pay = "330"', 'hifp_pay = "390"', "claims.parts.hifp_pay.[key]", "hifes_pay"),
        ("fiscal =", 'income = "100301"\nfiscal =', "", "codes used twice: 100301"),
    ],
)
def test_a_mistake_is_named_with_its_place(read, old, new, where, what):
    assert old in GOOD
    with pytest.raises(SetupRejected) as refused:
        read(GOOD.replace(old, new))
    assert refused.value.facts["count"] == 1
    problem = refused.value.facts["problems"]
    assert problem.startswith(f"{where}: ")
    assert what in problem


def test_all_mistakes_are_named_at_once(read):
    text = GOOD.replace('"330604"', '"1"').replace('["clerk"]', '["chief"]')
    text = text.replace('"2022-01"', '"soon"').replace('"H33060400001"', '"X"')
    with pytest.raises(SetupRejected) as refused:
        read(text)
    assert refused.value.facts["count"] == 4
    for place in ("area.code", "users.0.roles.0", "funds.0.first_month", "institutions.0.code"):
        assert place in refused.value.message("en")
    assert "area.toml" in refused.value.message("zh")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[area", "TOML"),
        ("名 = 1".encode("gb18030"), "UTF-8"),
        ("", "area: Field required"),
    ],
)
def test_what_is_no_setup_file_at_all_is_refused(read, text, what):
    with pytest.raises(SetupRejected, match=what):
        read(text)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SetupRejected, match="cannot be read"):
        read_setup(tmp_path / "nowhere.toml")
