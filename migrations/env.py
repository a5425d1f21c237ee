"""Run the migrations on the connection that was handed over, inside its transaction."""

from alembic import context

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("Run migrations through `medfund db upgrade`, which locks the store first.")
context.configure(connection=connection)
context.run_migrations()
