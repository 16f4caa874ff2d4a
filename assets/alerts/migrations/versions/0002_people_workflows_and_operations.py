"""People, workflows and operations: snooze, words, the storm guard, tasks, audit log, checks."""

import sqlalchemy as sa
from alembic import op

from assets.alerts.ledger_tables import Instant, metadata

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds columns to the tables that there are, and makes those that there are not."""
    with op.batch_alter_table("rule_states") as table:
        table.add_column(sa.Column("over_days", sa.Integer, nullable=False, server_default="0"))
    with op.batch_alter_table("alerts") as table:
        table.add_column(sa.Column("value_text", sa.Text))
        table.add_column(sa.Column("snoozed_until", sa.Date))
        table.alter_column("threshold", existing_type=sa.Double, nullable=True)
    with op.batch_alter_table("actions") as table:
        table.add_column(sa.Column("kind", sa.Text, nullable=False, server_default="alert"))
        table.add_column(sa.Column("recipient", sa.Text))
        table.add_column(sa.Column("batch", sa.Text))
        table.add_column(sa.Column("dead_at", Instant))
        table.alter_column("alert_id", existing_type=sa.Text, nullable=True)
    metadata.create_all(op.get_bind())
