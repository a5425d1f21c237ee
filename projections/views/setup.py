"""基础设置: the areas with their funds, institutions, users, targets, policies and tokens as they stand."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, update

from ledger.events import setup as facts
from ledger.events.setup import AreaFact
from projections.page import Page
from projections.tables import SetupTables
from projections.views.writing import put

_ROWS: dict[type[AreaFact], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    facts.AreaConfigured: (
        "areas",
        lambda fact: {"name": fact.name, "options": fact.options},
    ),
    facts.FundOpened: ("funds", lambda fact: {"fund": fact.fund, "first_month": fact.first}),
    facts.InstitutionRegistered: (
        "institutions",
        lambda fact: {"code": fact.code, "name": fact.name, "level": fact.level},
    ),
    facts.UserEnrolled: (
        "users",
        lambda fact: {"user": fact.user, "roles": list(fact.roles)},
    ),
    facts.TargetSet: (
        "targets",
        lambda fact: {
            "indicator": fact.indicator,
            "fund": fact.fund,
            "year": str(fact.year),
            "at_most": fact.at_most,
            "at_least": fact.at_least,
        },
    ),
    facts.PolicyAdopted: (
        "policies",
        lambda fact: {
            "name": fact.name,
            "effective": fact.effective,
            "content": fact.content,
        },
    ),
    facts.TokenIssued: (
        "tokens",
        lambda fact: {
            "name": fact.name,
            "role": fact.role,
            "token_hash": fact.token_hash,
            "revoked": 0,
        },
    ),
}

#: A token that is revoked keeps its row; keys lie outside the log, who changed them is read from it.
WITHOUT_ROW = frozenset({facts.TokenRevoked, facts.KeyRotated, facts.KeyDestroyed})


def apply(connection: Connection, tables: SetupTables, page: Page) -> None:
    """Put the newest state of what the page's setup facts name, in their order."""
    for position, fact in page.setup:
        if isinstance(fact, facts.TokenRevoked):
            c = tables.tokens.c
            whose = (c.area == fact.area, c.name == fact.name)
            connection.execute(update(tables.tokens).where(*whose).values(revoked=1))
            continue
        if type(fact) in WITHOUT_ROW:
            continue
        name, row = _ROWS[type(fact)]
        known = {"area": fact.area, "position": position}
        put(connection, getattr(tables, name), [known | row(fact)])
