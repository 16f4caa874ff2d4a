"""The ledger's copies in the build: what came of alerts, back in through the front door.

Their shape stands here, since the build has them before there is a ledger.
"""

import duckdb

SCHEMA = "ledger"
COPIES: dict[str, str] = {
    "alerts": "alert_id varchar, rule varchar, rule_version varchar, family varchar, "
    "severity varchar, account_id varchar, scope varchar, sentence varchar, metric varchar, "
    "value double, value_text varchar, threshold double, held_since date, opened_on date, "
    "opened_at timestamptz",
    "alert_events": "alert_id varchar, ordinal integer, transition varchar, from_status varchar, "
    "to_status varchar, cause varchar, reason varchar, actor varchar, value double, on_day date, "
    "snoozed_until date, happened_at timestamptz",
    "actions": "action_key varchar, kind varchar, alert_id varchar, number bigint, route varchar, "
    "channel varchar, recipient_id varchar, state varchar, happened_at timestamptz",
    "alert_tasks": "task_id varchar, alert_id varchar, workflow varchar, account_id varchar, "
    "title varchar, assignee_role varchar, assignee_id varchar, created_on date, due_on date, "
    "done_on date, closed_how varchar, created_at timestamptz",
}
# What is added to and never made anew: every result of every check, dated by the clock.
CHECK_RESULTS = "check_results"
_CHECK_RESULTS = (
    "run_id varchar, job varchar, as_of timestamptz, ended_at timestamptz, check_key varchar, "
    "layer varchar, asset varchar, check_name varchar, severity varchar, is_passed boolean, "
    "summary varchar, "
    "rows_failed bigint, rows_tested bigint, failing_rows varchar, failing_since timestamptz, "
    "last_green_at timestamptz, owner varchar, means varchar, what_to_do varchar"
)


def prepare_ledger_copies(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the copies that are not there, empty, so that dbt can read them."""
    connection.execute(f"create schema if not exists {SCHEMA}")
    for table, columns in COPIES.items():
        connection.execute(f"create table if not exists {SCHEMA}.{table} ({columns})")
    connection.execute(f"create table if not exists {SCHEMA}.{CHECK_RESULTS} ({_CHECK_RESULTS})")
