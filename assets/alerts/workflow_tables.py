"""The ledger's tables of workflows, and the log of who or what decided what."""

import sqlalchemy as sa

from assets.alerts.ledger_tables import Instant, metadata

workflow_steps = sa.Table(
    "workflow_steps",
    metadata,
    sa.Column("step_key", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("workflow_version", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("begun_on", sa.Date, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("done_on", sa.Date),
    sa.CheckConstraint("state in ('pending', 'done', 'cancelled')", name="step_state_is_known"),
    sa.Index("workflow_steps_by_state", "state", "due_on"),
    comment="One row per step of a workflow that an alert set off, with the day it falls due.",
)

alert_tasks = sa.Table(
    "alert_tasks",
    metadata,
    sa.Column("task_id", sa.Text, primary_key=True),
    sa.Column("alert_id", sa.Text, nullable=False),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("account_name", sa.Text),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("assignee_role", sa.Text),
    sa.Column("assignee_id", sa.Text),
    sa.Column("created_on", sa.Date, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("closes_with_alert", sa.Boolean, nullable=False),
    sa.Column("done_on", sa.Date),
    sa.Column("done_at", Instant),
    sa.Column("closed_how", sa.Text),
    sa.Column("release_id", sa.Text, nullable=False),
    sa.Index("alert_tasks_by_alert", "alert_id"),
    comment="One row per task that a workflow gave to somebody.",
)

workflow_audit_log = sa.Table(
    "workflow_audit_log",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("rule_version", sa.Text),
    sa.Column("on_day", sa.Date),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("recorded_at", Instant, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    comment="One row per decision, by whom or what, each with the hash of the one before.",
)

_NEVER = "the audit log is append-only"
for _event in ("update", "delete"):
    sa.event.listen(
        workflow_audit_log,
        "after_create",
        sa.DDL(  # type: ignore[no-untyped-call]
            f"create trigger workflow_audit_log_{_event} before {_event} on workflow_audit_log "
            f"begin select raise(abort, '{_NEVER}'); end"
        ).execute_if(dialect="sqlite"),
    )
sa.event.listen(
    workflow_audit_log,
    "after_create",
    sa.DDL(  # type: ignore[no-untyped-call]
        "create or replace function workflow_audit_log_never() returns trigger language plpgsql "
        f"as $$ begin raise exception '{_NEVER}'; end $$; "
        "create trigger workflow_audit_log_never before update or delete on workflow_audit_log "
        "for each row execute function workflow_audit_log_never()"
    ).execute_if(dialect="postgresql"),
)
