"""The ledger's copies in the build: what came of alerts, back in through the front door.

Their shape stands here, since the build has them before there is a ledger.
"""

import duckdb

SCHEMA = "ledger"
COPIES: dict[str, str] = {
    "alerts": "alert_id varchar, rule varchar, rule_version varchar, family varchar, "
    "severity varchar, account_id varchar, sentence varchar, metric varchar, value double, "
    "value_text varchar, threshold double, held_since date, opened_on date, opened_at timestamptz",
    "alert_events": "alert_id varchar, ordinal integer, transition varchar, from_status varchar, "
    "to_status varchar, cause varchar, reason varchar, actor varchar, value double, on_day date, "
    "snoozed_until date, happened_at timestamptz",
    "actions": "action_key varchar, kind varchar, alert_id varchar, number bigint, route varchar, "
    "channel varchar, recipient_id varchar, state varchar, happened_at timestamptz",
    "alert_tasks": "task_id varchar, alert_id varchar, workflow varchar, account_id varchar, "
    "title varchar, assignee_role varchar, assignee_id varchar, created_on date, due_on date, "
    "done_on date, closed_how varchar, created_at timestamptz",
}


def prepare_ledger_copies(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the copies that are not there, empty, so that dbt can read them."""
    connection.execute(f"create schema if not exists {SCHEMA}")
    for table, columns in COPIES.items():
        connection.execute(f"create table if not exists {SCHEMA}.{table} ({columns})")
