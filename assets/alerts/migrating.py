"""Brings an older ledger's tables up to date, by Alembic, without losing a row."""

from pathlib import Path

import sqlalchemy as sa

from assets.alerts.ledger_tables import REVISION

# Alembic's own table, made by hand for a new ledger: importing Alembic for it takes too long.
versions = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), primary_key=True),
)
_SCRIPTS = Path(__file__).parent / "migrations"
_FIRST = "0001"


def note_revision(connection: sa.Connection) -> None:
    """Says of a ledger whose tables were just made that it needs no migration."""
    versions.create(connection)
    connection.execute(sa.insert(versions).values(version_num=REVISION))


def migrate(connection: sa.Connection, revision: str | None) -> None:
    """Runs the migrations that an older ledger lacks, in the caller's transaction.

    Args:
        connection: the open transaction.
        revision: what the ledger says of itself; one from before the first migration says nothing.
    """
    # Takes a moment to import, and most openings have nothing to migrate.
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(_SCRIPTS))
    configuration.attributes["connection"] = connection
    if revision is None:
        command.stamp(configuration, _FIRST)
    command.upgrade(configuration, "head")
