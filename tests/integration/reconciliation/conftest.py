"""An office with an account at the bank, and its statements."""

from datetime import date

import pytest
from support.office import ADMINISTRATOR, AREA, H1, H2, INSTITUTIONS, USERS, open_office

from settlement.setup import apply_setup
from settlement.setup_file import SetupFile

ACCOUNT, FISCAL = "33001660400001", "33001660400002"
OTHER_REVIEWER = "reviewer2"


def setup_file(**more):
    """The office's setup with its accounts."""
    return SetupFile.model_validate(
        {
            "area": {
                "code": AREA,
                "name": "上虞区",
                "funds": ["310", "390", "610"],
                "tax_collects": True,
            },
            "users": [
                *({"name": name, "roles": [role]} for name, role in USERS.items()),
                {"name": OTHER_REVIEWER, "roles": ["reviewer"]},
                {"name": "clerk2", "roles": ["clerk", "reviewer"]},
            ],
            "institutions": [
                {"code": code, "name": INSTITUTIONS[code], "level": 3} for code in (H1, H2)
            ],
            "bank_accounts": [
                {"account": ACCOUNT, "money_account": "expenditure", "funds": ["310", "390"]},
                {"account": FISCAL, "money_account": "fiscal"},
            ],
            **more,
        }
    )


@pytest.fixture
def banked(store_url, tmp_path):
    """A book whose expenditure account is at the bank and whose fiscal account at the bureau."""
    with open_office(store_url, tmp_path, today=date(2024, 7, 1)) as office:
        apply_setup(office.ledger, setup_file(), user=ADMINISTRATOR)
        yield office


@pytest.fixture
def state(banked):
    """Bring lines of a statement in as a file."""
    count = iter(range(100))

    def stated(*rows, **how):
        path = banked.write_file(f"bank-{next(count)}.csv", list(rows))
        return banked.bring(path, **how)

    return stated


@pytest.fixture
def setup_again(banked):
    """Run the setup again with more in it."""

    def again(**more):
        return apply_setup(banked.ledger, setup_file(**more), user=ADMINISTRATOR)

    return again
