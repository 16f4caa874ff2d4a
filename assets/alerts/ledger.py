"""Opens the ledger: SQLite, or PostgreSQL by a URL. An older one is brought up to date first."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy as sa

# Importing them puts their tables into the metadata.
from assets.alerts import operation_tables, workflow_tables  # noqa: F401
from assets.alerts.ledger_tables import REVISION, evaluations, metadata
from assets.alerts.migrating import migrate, note_revision, versions

_WAIT_SECONDS = 60
_WRITING = "csw_writing"


class LedgerError(RuntimeError):
    """The ledger can't be opened; the message says why and never shows its address."""


def create_ledger(url: str) -> sa.Engine:
    """Opens the ledger and makes the tables that it does not have yet.

    Args:
        url: `sqlite:///<path>` or `postgresql://…`.

    Raises:
        LedgerError: the address is wrong, its driver isn't installed, or nobody answers there.
    """
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise LedgerError(
            "The ledger's address is not one; give sqlite:///<path> or postgresql://…"
        ) from None
    is_sqlite = address.get_backend_name() == "sqlite"
    try:
        engine = _sqlite(address) if is_sqlite else _server(address)
        if _reached_revision(engine) != REVISION:
            # SQLite changes a table by making it anew, which its foreign keys would not survive.
            keyless = _sqlite(address, keys="off") if is_sqlite else engine
            with write_transaction(keyless) as connection:
                _bring_up_to_date(connection)
    except (sa.exc.DatabaseError, OSError):
        # What the driver says holds host and user.
        raise LedgerError(
            f"The ledger ({address.get_backend_name()}) can't be opened; look at CSW_LEDGER_URL "
            "and whether its server or disk is there, is a ledger, and may be written."
        ) from None
    return engine


def _reached_revision(engine: sa.Engine) -> str | None:
    """Which tables the ledger has; none where there are none, or none that say it."""
    with engine.connect() as connection:
        return _revision_of(connection)


def _revision_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(versions.name):
        return None
    found: str | None = connection.scalar(sa.select(versions.c.version_num))
    return found


def _bring_up_to_date(connection: sa.Connection) -> None:
    """Makes a new ledger's tables, or changes an older one's; asked again under the lock."""
    revision = _revision_of(connection)
    if revision == REVISION:
        return
    if revision is None and not sa.inspect(connection).has_table(evaluations.name):
        metadata.create_all(connection)
        note_revision(connection)
    else:
        migrate(connection, revision)


@contextmanager
def write_transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that no other writer of the ledger overlaps: all of it commits, or nothing.

    SQLite takes its write lock at the start, so that what is read first is still true when it is
    written; PostgreSQL takes an advisory lock for the same reason.
    """
    with engine.connect().execution_options(**{_WRITING: True}) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("csw"))))
        yield connection


def _sqlite(address: sa.URL, keys: str = "on") -> sa.Engine:
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(address, connect_args={"timeout": _WAIT_SECONDS})
    sa.event.listen(engine, "connect", partial(_leave_transactions_to_us, keys=keys))
    sa.event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_to_us(connection: object, _record: object, *, keys: str) -> None:
    """Without this the driver begins late, and a reader that writes later can find itself stale."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    connection.execute(f"pragma foreign_keys = {keys}")  # type: ignore[attr-defined]


def _begin(connection: sa.Connection) -> None:
    is_writing = connection.get_execution_options().get(_WRITING, False)
    connection.exec_driver_sql("begin immediate" if is_writing else "begin")


def _server(address: sa.URL) -> sa.Engine:
    if address.drivername == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    try:
        return sa.create_engine(address)
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError):
        raise LedgerError(
            f"The ledger's address is of {address.get_backend_name()}, and its driver is not"
            " installed; run pip install 'psycopg[binary]', or use sqlite:///<path>."
        ) from None
