"""Every fact that reaches a view has a place in it."""

from ledger.events import registry
from ledger.events.intake import IntakeFact
from ledger.events.month import MonthFact
from ledger.events.setup import AreaFact
from projections.follow import _APPLY
from projections.tables import VIEW_TABLES
from projections.views import intakes, months, setup


def classes(base: type) -> set[type]:
    return {kind for kind in registry.CATALOGUE.values() if issubclass(kind, base)}


def test_every_view_has_a_writer():
    assert set(_APPLY) == set(VIEW_TABLES)


def test_every_step_of_a_month_leads_to_a_state():
    assert set(months._STATES) == {kind.TOPIC for kind in classes(MonthFact)}


def test_the_setup_view_knows_every_fact_of_an_area():
    placed = set(setup._ROWS) | set(setup.WITHOUT_ROW)
    assert placed == classes(AreaFact)


def test_intakes_know_three_steps():
    assert classes(IntakeFact) == {
        intakes.IntakeStarted,
        intakes.IntakeCompleted,
        intakes.IntakeReversed,
    }
