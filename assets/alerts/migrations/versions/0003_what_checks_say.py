"""What checks say: rows failed of rows tested, since when, whose it is; and who asked for a run."""

import sqlalchemy as sa
from alembic import op

from assets.alerts.ledger_tables import metadata
from assets.alerts.operation_tables import check_results, run_results

revision = "0003"
down_revision = "0002"

_ADDED = {
    run_results: ("asked_by",),
    check_results: (
        "rows_failed", "rows_tested", "failing_rows", "failing_since", "last_green_at",
    ),
}  # fmt: skip


def upgrade() -> None:
    """Adds what a ledger lacks; one that comes from 0001 was just given these tables as they are.

    The results so far say nothing of when they turned red: what is red counts from the next run.
    """
    inspector = sa.inspect(op.get_bind())
    for table, names in _ADDED.items():
        there = {column["name"] for column in inspector.get_columns(table.name)}
        with op.batch_alter_table(table.name) as batch:
            for name in names:
                if name not in there:
                    batch.add_column(sa.Column(name, table.c[name].type))
    for index in check_results.indexes:
        index.create(op.get_bind(), checkfirst=True)
    metadata.create_all(op.get_bind())
