import base64

import pytest
from pydantic import ValidationError

from ledger.errors import InputRejected, RuleRefused
from medfund.settings import (
    DbFunctionsRefused,
    SettingsInvalid,
    load_settings,
    refuse_db_functions,
    unknown_variables,
    without_password,
)

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in ("DATABASE_URL", "BROKER_URL", "LANG", "LOG_LEVEL", "PERSON_KEY", "PAGE_SIZE"):
        monkeypatch.delenv(f"MEDFUND_{name}", raising=False)


def test_without_an_environment_the_embedded_book_is_used():
    settings = load_settings()
    assert settings.database_url == "sqlite:///medfund.db"
    assert (settings.broker_url, settings.lang, settings.person_key_bytes()) == (None, "zh", None)


def test_the_command_line_stands_over_the_environment(monkeypatch):
    monkeypatch.setenv("MEDFUND_DATABASE_URL", "postgresql://a@h/db")
    monkeypatch.setenv("MEDFUND_LANG", "")
    monkeypatch.setenv("MEDFUND_LOG_LEVEL", "debug")
    assert load_settings().database_url == "postgresql://a@h/db"
    chosen = load_settings(database_url="sqlite:///x.db", lang=None)
    assert (chosen.database_url, chosen.lang) == ("sqlite:///x.db", "zh")
    assert chosen.log_level_number() == 10


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        load_settings().lang = "en"


def test_every_wrong_value_is_named_at_once_and_none_is_shown(monkeypatch):
    monkeypatch.setenv("MEDFUND_DATABASE_URL", "mysql://u:hidden1@h/db")
    monkeypatch.setenv("MEDFUND_PERSON_KEY", "hidden2")
    monkeypatch.setenv("MEDFUND_PAGE_SIZE", "0")
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(broker_url="kafka://hidden3")
    assert isinstance(refused.value, InputRejected)
    for lang in ("zh", "en"):
        said = refused.value.message(lang)
        assert "hidden" not in said
        for name in ("DATABASE_URL", "PERSON_KEY", "PAGE_SIZE", "BROKER_URL"):
            assert f"MEDFUND_{name}" in said


@pytest.mark.parametrize("key", ["", "AAAA", "not base64 at all!", KEY[:-4]])
def test_a_short_or_broken_person_key_is_refused(key, monkeypatch):
    with pytest.raises(SettingsInvalid):
        load_settings(person_key=key)


def test_no_way_of_printing_shows_a_secret():
    settings = load_settings(
        database_url="postgresql://u:hidden@h:5432/db?password=hidden",
        broker_url="amqp://u:hidden@h/%2F",
        person_key=KEY,
    )
    assert settings.person_key_bytes() == bytes(range(32))
    for shown in (repr(settings), str(settings), str(settings.describe())):
        assert "hidden" not in shown
        assert KEY not in shown
        assert "postgresql://u:***@h:5432/db" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///medfund.db", "sqlite:///medfund.db"),
        ("sqlite:////var/lib/a@b.db", "sqlite:////var/lib/a@b.db"),
        ("postgresql://u@h/db?sslmode=require", "postgresql://u@h/db?sslmode=require"),
        ("postgresql://u:a@b@h/db", "postgresql://u:***@h/db"),
        ("redis://:pw@h:6379/0", "redis://:***@h:6379/0"),
        ("postgresql:///db?password=pw", "postgresql:///db?password=***"),
    ],
)
def test_a_url_is_shown_without_its_password(url, shown):
    assert without_password(url) == shown


@pytest.mark.parametrize(
    "variable", ["POSTGRES_ENABLE_DB_FUNCTIONS", "MEDFUND_POSTGRES_ENABLE_DB_FUNCTIONS"]
)
def test_the_option_that_loses_events_is_refused(variable, monkeypatch):
    monkeypatch.setenv(variable, "n")
    with pytest.raises(DbFunctionsRefused) as refused:
        load_settings()
    assert isinstance(refused.value, RuleRefused)
    assert refused.value.code == "db_functions_refused"
    assert variable in refused.value.message("zh")
    assert variable in refused.value.message("en")
    refuse_db_functions({"POSTGRES_DBNAME": "x"})


def test_misspelt_settings_are_named():
    environ = {"MEDFUND_DATABSE_URL": "x", "MEDFUND_LANG": "zh", "MEDFUND_TEST_REDIS_URL": "y"}
    assert unknown_variables(environ) == ["MEDFUND_DATABSE_URL"]
