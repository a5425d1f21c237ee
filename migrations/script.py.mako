"""${message}."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Write plain SQL here and import none of our code: it has to mean the same in five years."""
    op.execute("")
