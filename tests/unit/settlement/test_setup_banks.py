"""Accounts and layouts of banks in the setup file: all mistakes at once."""

import pytest

from settlement.banking import banks_of
from settlement.setup_file import SetupRejected, read_setup

HEAD = '[area]\ncode = "330604"\nname = "上虞区"\nfunds = ["310"]\n'


@pytest.fixture
def read(tmp_path):
    def written(text):
        path = tmp_path / "setup.toml"
        path.write_text(HEAD + text, encoding="utf-8")
        return read_setup(path)

    return written


def test_accounts_and_layouts(read):
    file = read(
        '[[bank_accounts]]\naccount = "3300 1660-01"\nmoney_account = "expenditure"\n'
        'funds = ["310"]\nbranch = "x"\n'
        '[[bank_profiles]]\nname = "gs"\nsign = "out_positive"\ndate_format = "YY.MM.DD"\n'
        'heads = { amount = "发生额" }\n'
    )
    assert file.unknown_keys() == ["bank_accounts.branch"]
    options = {
        name: [one.model_dump(exclude_defaults=True) for one in getattr(file, name)]
        for name in ("bank_accounts", "bank_profiles")
    }
    banks = banks_of(options)
    assert banks.accounts["3300166001"].funds == ("310",)
    layout = banks.layouts["gs"]
    assert (layout.reversed_sign, layout.heads) == (True, {"amount": "发生额"})


def test_everything_wrong_is_said_at_once(read):
    with pytest.raises(SetupRejected) as refused:
        read(
            '[[bank_accounts]]\naccount = "1"\nmoney_account = "savings"\nfunds = ["999"]\n'
            '[[bank_profiles]]\nname = "a"\ndate_format = "D/M/Y"\nheads = { balanse = "x" }\n'
            '[[bank_profiles]]\nname = "b"\nheads = { paid_in = "收" }\n'
            '[[bank_profiles]]\nname = "c"\nin_words = ["1"]\nout_words = ["1"]\n'
        )
    assert refused.value.facts["count"] == 6
    for word in ("money_account", "no such fund: 999", "date_format", "balanse", "go together"):
        assert word in refused.value.message("zh")


def test_an_account_is_named_once(read):
    account = '[[bank_accounts]]\naccount = "1"\nmoney_account = "fiscal"\n'
    with pytest.raises(SetupRejected, match="1"):
        read(account + account)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{ days_apart = 5 }", None),
        ("{ days_apart = 0 }", None),
        ('{ days_apart = "5" }', "days_apart"),
        ("{ days_apart = true }", "days_apart"),
        ("{ days_apart = 90 }", "31"),
        ("{ days = 5 }", "no such keys: days"),
    ],
)
def test_the_days_that_payments_may_be_apart(read, content, words):
    policy = f'[[policies]]\nname = "reconciliation"\neffective = 2024-01-01\ncontent = {content}\n'
    if words is None:
        assert read(policy).policies
    else:
        with pytest.raises(SetupRejected, match=words):
            read(policy)
