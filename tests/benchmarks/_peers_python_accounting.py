"""python-accounting at work, in a process and an environment of its own: a line of JSON in, one out.

A journal entry with one line item, posted as its documentation shows, one commit each; it has no
bulk way. Balances: ``Account.closing_balance`` of every account.
"""

import json
import sys
from datetime import datetime
from decimal import Decimal
from time import perf_counter

from python_accounting.database.session import get_session
from python_accounting.models import Account, Base, Currency, Entity, LineItem
from python_accounting.transactions import JournalEntry
from sqlalchemy import create_engine

KINDS = {
    "asset": Account.AccountType.CURRENT_ASSET,
    "liability": Account.AccountType.CURRENT_LIABILITY,
    "equity": Account.AccountType.EQUITY,
    "income": Account.AccountType.OPERATING_REVENUE,
    "expense": Account.AccountType.OPERATING_EXPENSE,
}


def main():
    engine = create_engine(sys.argv[1])
    Base.metadata.create_all(engine)
    accounts = {}
    with get_session(engine) as session:
        entity = Entity(name="medfund")
        session.add(entity)
        session.commit()
        currency = Currency(name="Yuan", code="CNY", entity_id=entity.id)
        session.add(currency)
        session.commit()

        def post(rows):
            for day, debit, credit, fen in rows:
                entry = JournalEntry(
                    narration="-",
                    transaction_date=datetime.fromisoformat(day).replace(hour=12),
                    account_id=accounts[credit].id,
                    entity_id=entity.id,
                )
                session.add(entry)
                session.flush()
                item = LineItem(
                    narration="-",
                    account_id=accounts[debit].id,
                    amount=Decimal(fen) / 100,
                    entity_id=entity.id,
                )
                session.add(item)
                session.flush()
                entry.line_items.add(item)
                session.add(entry)
                entry.post(session)  # commits

        def balances():
            return {
                name: int(Decimal(str(account.closing_balance(session))) * 100)
                for name, account in accounts.items()
            }

        for line in sys.stdin:
            asked = json.loads(line)
            if asked["do"] == "accounts":
                for name, kind in asked["accounts"].items():
                    accounts[name] = Account(
                        name=name,
                        account_type=KINDS[kind],
                        currency_id=currency.id,
                        entity_id=entity.id,
                    )
                    session.add(accounts[name])
                    session.commit()
            start = perf_counter()
            found = balances() if asked["do"] == "balances" else None
            if asked["do"] == "one by one":
                post(asked["rows"])
            print(json.dumps({"seconds": perf_counter() - start, "balances": found}), flush=True)


main()
