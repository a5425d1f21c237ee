"""The schema of the books, as Alembic migrations. ``ledger.store.schema`` runs them."""
