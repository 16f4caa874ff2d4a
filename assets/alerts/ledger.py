"""The ledger: what was found, what became of it and who is told. SQLite, or PostgreSQL by a URL.

Everything in it but `recorded_at` is a pure function of rules and releases.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

NO_DIMENSIONS = "{}"

_WAIT_SECONDS = 60
_WRITING = "csw_writing"


class LedgerError(RuntimeError):
    """The ledger can't be opened; the message says why and never shows its address."""


class Instant(sa.types.TypeDecorator[datetime]):
    """An instant in UTC, on databases without time zones too."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses a local time without a zone, which would mean another instant elsewhere."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the instant {value} has no time zone; give it in UTC")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


metadata = sa.MetaData()

evaluations = sa.Table(
    "evaluations",
    metadata,
    sa.Column("release_id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False, unique=True),
    sa.Column("as_of", Instant, nullable=False),
    sa.Column("from_day", sa.Date),
    sa.Column("to_day", sa.Date),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("rules", sa.Integer, nullable=False),
    sa.Column("judged", sa.BigInteger, nullable=False),
    sa.Column("opened", sa.Integer, nullable=False),
    sa.Column("resolved", sa.Integer, nullable=False),
    sa.Column("suppressed", sa.Integer, nullable=False),
    sa.Column("unjudged", sa.BigInteger, nullable=False),
    sa.Column("attribute_missing", sa.BigInteger, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    comment="One row per evaluated release; days is 0 and the days are NULL if it had no new day.",
)

rule_activations = sa.Table(
    "rule_activations",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.Column("activated_on", sa.Date, nullable=False),
    sa.Column("release_id", sa.Text, nullable=False),
    comment="One row per rule that is judged now, with the first day on which it was.",
)

rule_states = sa.Table(
    "rule_states",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("dimensions", sa.Text, primary_key=True),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("held_days", sa.Integer, nullable=False),
    sa.Column("held_since", sa.Date),
    sa.Column("last_triggered_on", sa.Date),
    sa.Column("suppressed_by", sa.Text),
    sa.CheckConstraint("phase in ('quiet', 'open', 'muted')", name="phase_is_known"),
    comment="One row per rule and account of which the rule remembers anything.",
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("rule_version", sa.Text, nullable=False),
    sa.Column("family", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("account_name", sa.Text),
    sa.Column("dimensions", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("held_since", sa.Date),
    sa.Column("opened_on", sa.Date, nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("threshold", sa.Double, nullable=False),
    sa.Column("last_value", sa.Double),
    sa.Column("last_judged_on", sa.Date, nullable=False),
    sa.Column("resolved_on", sa.Date),
    sa.Column("resolved_how", sa.Text),
    sa.Column("resolved_at", Instant),
    sa.Column("release_id", sa.Text, nullable=False),
    sa.CheckConstraint(
        "status in ('open', 'acknowledged', 'snoozed', 'resolved')", name="status_is_known"
    ),
    comment="One row per alert: the values that fired it, the release, and what became of it.",
)

sa.Index(
    "alerts_open_once",
    alerts.c.rule,
    alerts.c.account_id,
    alerts.c.dimensions,
    unique=True,
    sqlite_where=alerts.c.status != "resolved",
    postgresql_where=alerts.c.status != "resolved",
)

alert_events = sa.Table(
    "alert_events",
    metadata,
    sa.Column("alert_id", sa.Text, sa.ForeignKey("alerts.alert_id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True),
    sa.Column("on_day", sa.Date, nullable=False),
    sa.Column("transition", sa.Text, nullable=False),
    sa.Column("from_status", sa.Text),
    sa.Column("to_status", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("release_id", sa.Text),
    sa.Column("detail", sa.JSON, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    comment="One row per transition of an alert, in order; ordinal 1 is its opening.",
)

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("dimensions", sa.Text, primary_key=True),
    sa.Column("on_day", sa.Date, primary_key=True),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("release_id", sa.Text, nullable=False),
    comment="One row per rule, account and first day on which an alert was held back, with why.",
)

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("action_key", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("release_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("next_attempt_at", Instant),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.CheckConstraint("state in ('pending', 'sent', 'dead')", name="state_is_known"),
    sa.Index("actions_by_state", "state", "number"),
    comment="The outbox: one row per thing to be told; action_key is its idempotency key.",
)


def create_ledger(url: str) -> sa.Engine:
    """Opens the ledger and makes the tables that it does not have yet.

    Args:
        url: `sqlite:///<path>` or `postgresql://…`.

    Raises:
        LedgerError: the address is wrong, or its driver isn't installed.
    """
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise LedgerError(
            "The ledger's address is not one; give sqlite:///<path> or postgresql://…"
        ) from None
    engine = _sqlite(address) if address.get_backend_name() == "sqlite" else _server(address)
    with write_transaction(engine) as connection:
        metadata.create_all(connection)
    return engine


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


def _sqlite(address: sa.URL) -> sa.Engine:
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(address, connect_args={"timeout": _WAIT_SECONDS})
    sa.event.listen(engine, "connect", _leave_transactions_to_us)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _leave_transactions_to_us(connection: object, _record: object) -> None:
    """Without this the driver begins late, and a reader that writes later can find itself stale."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    connection.execute("pragma foreign_keys = on")  # type: ignore[attr-defined]


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
