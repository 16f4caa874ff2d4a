"""The ledger as it was before migrations: evaluations, memory, alerts, events and the outbox."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing to do: a ledger without a revision has these tables."""
