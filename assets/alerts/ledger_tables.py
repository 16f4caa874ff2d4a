"""The ledger's tables of alerts: what was found, what became of it, who is told.

`workflow_tables` and `operation_tables` have the others, of the same metadata.

Everything in them but the wall clock (`recorded_at`, and what runs and operators are told of) is a
pure function of rules, releases and the recorded actions of people.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

# The revision of `migrations/versions` that makes these tables.
REVISION = "0003"


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
    sa.Column("over_days", sa.Integer, nullable=False, server_default="0"),
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
    sa.Column("value_text", sa.Text),
    sa.Column("threshold", sa.Double),
    sa.Column("last_value", sa.Double),
    sa.Column("last_judged_on", sa.Date, nullable=False),
    sa.Column("snoozed_until", sa.Date),
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
    sa.Column("kind", sa.Text, nullable=False, server_default="alert"),
    sa.Column("alert_id", sa.Text),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text),
    sa.Column("batch", sa.Text),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("release_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("next_attempt_at", Instant),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
    sa.Column("dead_at", Instant),
    sa.CheckConstraint("state in ('pending', 'sent', 'dead')", name="state_is_known"),
    sa.Index("actions_by_state", "state", "number"),
    comment="The outbox: one row per thing to be told; action_key is its idempotency key.",
)

held_rules = sa.Table(
    "held_rules",
    metadata,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("on_day", sa.Date, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("would_fire", sa.BigInteger, nullable=False),
    sa.Column("most", sa.BigInteger, nullable=False),
    sa.Column("release_id", sa.Text, nullable=False),
    comment="One row per rule and day on which it would have fired for too many accounts at once.",
)

missing_owners = sa.Table(
    "missing_owners",
    metadata,
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("on_day", sa.Date, primary_key=True),
    sa.Column("account_name", sa.Text),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("told_instead", sa.Text),
    sa.Column("release_id", sa.Text, nullable=False),
    comment="One row per account, role and day where a route found nobody to tell.",
)
