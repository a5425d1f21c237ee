"""Rebuilt equals live; damage of a read table is reported and healed; reads go on meanwhile."""

from typing import Any

import pytest
from sqlalchemy import inspect, text, update
from support.facts import AREA, H1, Books, day, flow, settled

from ledger.errors import Conflict
from projections import rebuild as rebuilding
from projections.compare import compare
from projections.follow import apply_page, begin, bring_up_to, next_page
from projections.page import Remembered
from projections.queries.balances import balances_document
from projections.rebuild import ViewUnknown, drop_retired, rebuild
from projections.store import ProjectionsOutdated, ProjectionsTorn
from projections.tables import STATE, VIEW_TABLES, balance_tables, journal_tables


@pytest.fixture
def filled(books: Books) -> Books:
    books.found("310", "390", "610")
    books.post(
        flow("opening_balance", "390", 1_000_00, "2022-12-31"),
        flow("contribution.individual", "390", 300_00, "2023-02-01"),
        flow("assisted_participation", "610", 20_00, "2023-02-02", counterparty_fund="390"),
    )
    books.start_claims("c1", "390")
    books.claims("c1", settled("s1", {"390": 70_00}, "2023-03-01", intake_id="c1"))
    books.complete_claims("c1")
    books.start_claims("c2", "390")
    books.claims("c2", settled("s2", {"390": 1_00}, "2023-03-01", intake_id="c2"))
    paid = flow("benefit.inpatient", "390", 50_00, "2023-03-31", counterparty=H1)
    receipt = books.post(paid)
    books.reverse(paid, receipt.first_position, day="2023-04-01")
    return books


def up_to_date(ledger, store) -> int:
    return bring_up_to(ledger, store, ledger.log.last_position())


def answer(ledger, store) -> dict[str, Any]:
    return balances_document(store, ledger, area=AREA, as_of=day("2023-12-31"))


def table_names(store) -> set[str]:
    return set(inspect(store.engine).get_table_names())


def test_a_rebuild_gives_the_same_and_leaves_one_generation(ledger, store, filled):
    up_to_date(ledger, store)
    before = answer(ledger, store)
    result = rebuild(ledger, store, page_size=2)
    assert result.document()["equal"] is True
    assert result.generations == dict.fromkeys(VIEW_TABLES, 2)
    assert answer(ledger, store) == before
    ours = {table.name for tables in VIEW_TABLES.values() for table in tables(2).all()}
    assert {name for name in table_names(store) if "_g" in name and name[-1].isdigit()} == ours


def test_only_the_named_views_are_rebuilt(ledger, store, filled):
    up_to_date(ledger, store)
    result = rebuild(ledger, store, ["journal"])
    assert result.generations == {"journal": 2}
    filled.post(flow("interest", "390", 1, "2023-05-01"))
    assert up_to_date(ledger, store) == ledger.log.last_position()
    with pytest.raises(ViewUnknown):
        rebuild(ledger, store, ["ledgers"])


def test_damage_of_a_read_table_is_reported_and_healed(ledger, store, filled):
    up_to_date(ledger, store)
    truth = answer(ledger, store)
    with store.writing() as connection:
        for table in (balance_tables(1).movements, balance_tables(1).month_sums):
            connection.execute(
                update(table)
                .where(table.c.account == "net_assets")
                .values(credit_fen=table.c.credit_fen + 1)
            )
        lines = journal_tables(1).voucher_lines
        connection.execute(lines.delete().where(lines.c.account == "net_assets"))
    assert answer(ledger, store) != truth
    found = compare(ledger, store)
    assert not found["equal"]
    assert {row["what"] for row in found["differences"]} == {
        "balances",
        "journal",
        "month_sums",
    }
    result = rebuild(ledger, store).document()
    assert not result["equal"]
    assert [(row["table"], row["missing"], row["surplus"]) for row in result["differences"]] == [
        ("movements", 1, 1),
        ("month_sums", 1, 1),
        ("voucher_lines", 1, 0),
    ]
    assert result["differences"][0]["keys"][0]["account"] == "net_assets"
    assert answer(ledger, store) == truth
    assert compare(ledger, store)["equal"]
    assert rebuild(ledger, store).document()["equal"]


def test_a_lost_table_and_a_wrong_position_are_healed_too(ledger, store, filled):
    up_to_date(ledger, store)
    truth = answer(ledger, store)
    with store.writing() as connection:
        balance_tables(1).party_movements.drop(connection)
        connection.execute(update(STATE).where(STATE.c.view == "journal").values(position=1))
    with pytest.raises(ProjectionsTorn):
        answer(ledger, store)
    result = rebuild(ledger, store, ["balances"]).document()
    problems = {(row["view"], row["table"], row["problem"]) for row in result["differences"]}
    assert problems == {
        ("balances", "party_movements", "table_missing"),
        ("journal", "projection_state", "position"),
    }
    assert answer(ledger, store) == truth


def test_another_versions_tables_are_refused_until_they_are_rebuilt(ledger, store, filled):
    """Caught: a fingerprint that is stored and never compared (the reading would go on)."""
    up_to_date(ledger, store)
    truth = answer(ledger, store)
    with store.writing() as connection:
        whose = (STATE.c.view == "journal", STATE.c.status == "live")
        connection.execute(update(STATE).where(*whose).values(shape="older"))
    for work in (lambda: answer(ledger, store), lambda: up_to_date(ledger, store)):
        with pytest.raises(ProjectionsOutdated) as refused:
            work()
        assert refused.value.facts["views"] == "journal"
        assert "medfund rebuild" in refused.value.hint_en
    result = rebuild(ledger, store, ["setup"]).document()
    assert {row["view"] for row in result["views"]} == {"setup", "journal"}
    assert [(row["view"], row["problem"]) for row in result["differences"]] == [
        ("journal", "shape")
    ]
    assert answer(ledger, store) == truth


def test_a_table_of_generations_without_shapes_is_another_versions(ledger, store, filled):
    up_to_date(ledger, store)
    truth = answer(ledger, store)
    with store.writing() as connection:
        connection.execute(text(f"ALTER TABLE {STATE.name} DROP COLUMN shape"))
    with pytest.raises(ProjectionsOutdated):
        answer(ledger, store)
    assert set(rebuild(ledger, store, ["setup"]).generations) == set(VIEW_TABLES)
    assert answer(ledger, store) == truth


def test_a_killed_rebuild_can_be_run_again(ledger, store, filled, monkeypatch):
    up_to_date(ledger, store)
    truth = answer(ledger, store)

    class Killed(Exception):
        pass

    def die(*_: Any) -> None:
        raise Killed

    for step in ("_catch_up", "_compare", "_switch", "drop_retired"):
        with monkeypatch.context() as patched:
            calls = iter([drop_retired]) if step == "drop_retired" else iter(())
            patched.setattr(rebuilding, step, lambda *a, _calls=calls, **_k: next(_calls, die)(*a))
            with pytest.raises(Killed):
                rebuild(ledger, store)
        assert answer(ledger, store) == truth
    rebuild(ledger, store)
    assert answer(ledger, store) == truth
    with store.snapshot() as connection:
        left = connection.execute(text("SELECT DISTINCT status FROM projection_state")).all()
    assert [row[0] for row in left] == ["live"]


def test_appends_during_a_rebuild_are_not_lost(ledger, store, filled):
    up_to_date(ledger, store)
    extra = iter(range(3))

    def busy(_position: int) -> None:
        for number in extra:
            filled.post(flow("interest", "390", 100 + number, "2023-05-01"))
            up_to_date(ledger, store)
            break

    result = rebuild(ledger, store, progress=busy, page_size=3)
    assert result.document()["equal"]
    assert result.position == ledger.log.last_position()
    assert next(extra, None) is None
    assert compare(ledger, store)["equal"]


def test_what_is_projected_between_comparison_and_switch_is_not_lost(
    ledger, store, filled, monkeypatch
):
    up_to_date(ledger, store)
    compare_tables = rebuilding._compare

    def busy(*args: Any) -> Any:
        compared = compare_tables(*args)
        filled.post(flow("interest", "390", 7, "2023-05-01"))
        up_to_date(ledger, store)
        return compared

    monkeypatch.setattr(rebuilding, "_compare", busy)
    result = rebuild(ledger, store, ["journal"])
    assert result.position == result.compared_at + 1 == ledger.log.last_position()
    assert answer(ledger, store)["position"] == result.position
    assert compare(ledger, store)["equal"]


def test_a_reading_keeps_its_generation_while_another_is_switched_in(ledger, store, filled):
    up_to_date(ledger, store)
    with store.reading() as reading:
        rebuild(ledger, store)
        assert reading.rows(reading.balances.movements.select())
    assert drop_retired(store)
    with store.reading() as reading:
        assert set(reading.generations.values()) == {2}


def test_of_two_rebuilds_at_once_the_later_one_wins(ledger, store, filled):
    """Caught: a rebuild that fills tables which another one has dropped and made anew."""
    up_to_date(ledger, store)
    truth = answer(ledger, store)
    others = iter(range(1))

    def meanwhile(_position: int) -> None:
        for _ in others:
            assert rebuild(ledger, store).document()["equal"]

    with pytest.raises(Conflict):
        rebuild(ledger, store, progress=meanwhile, page_size=2)
    assert answer(ledger, store) == truth
    assert compare(ledger, store)["equal"]
    assert rebuild(ledger, store).document()["equal"]


def test_a_page_is_written_once(ledger, store, filled):
    begin(store)
    page = next_page(ledger.log, after=0, remembered=Remembered())
    generations = dict.fromkeys(VIEW_TABLES, 1)
    with store.writing() as connection:
        apply_page(connection, generations, page)
    truth = answer(ledger, store)
    with pytest.raises(Conflict), store.writing() as connection:
        apply_page(connection, generations, page)
    assert answer(ledger, store) == truth
