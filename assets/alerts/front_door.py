"""Copies the ledger into the build, as it stood at an as-of instant.

What a release's evaluation did is dated by that release's as-of, what people and the delivery did
by the clock, but no later than the evaluation that came upon it: where data days are made up for,
the clock is far ahead of them. Nothing dated at or after the as-of instant is copied, so that a run
for the same as-of gives the same marts, however often it is evaluated in between, and an alert's
transitions are copied from the first one on, without a gap. What checks said of runs is
no subject of any mart: all of it is copied, what is new since the last time.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import sqlalchemy as sa

from assets.alerts.check_history import read_history, runs_with_results
from assets.alerts.ledger_tables import actions, alert_events, alerts, evaluations
from assets.alerts.scopes import scope_of_dimensions
from assets.alerts.workflow_tables import alert_tasks
from assets.ledger_copies import CHECK_RESULTS, COPIES, SCHEMA, prepare_ledger_copies
from assets.transactions import transaction

Row = dict[str, Any]
_KNOWN_RUNS = f"select distinct run_id from {SCHEMA}.{CHECK_RESULTS}"  # noqa: S608 (constants)


def copy_ledger(
    engine: sa.Engine, build: duckdb.DuckDBPyConnection, as_of: datetime
) -> dict[str, int]:
    """Replaces the copies in the build by the ledger as of an instant.

    Returns:
        Rows of each copy.
    """
    with engine.connect() as ledger:
        copies = {
            "alerts": list(_alerts(ledger, as_of)),
            "alert_events": list(_events(ledger, as_of)),
            "actions": list(_actions(ledger, as_of)),
            "alert_tasks": list(_tasks(ledger, as_of)),
        }
    prepare_ledger_copies(build)
    with transaction(build):
        for table, rows in copies.items():
            # A copy keeps nothing, so that a column that it gained needs no migration either.
            build.execute(f"create or replace table {SCHEMA}.{table} ({COPIES[table]})")
            _insert(build, table, rows)
        new = _new_results(engine, build)
        _insert(build, CHECK_RESULTS, new)
    return {table: len(rows) for table, rows in copies.items()} | {CHECK_RESULTS: len(new)}


def _insert(build: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    if rows:
        types = {
            name: kind for name, kind, *_ in build.execute(f"describe {SCHEMA}.{table}").fetchall()
        }
        build.execute(
            f"insert into {SCHEMA}.{table} by name select unnest(from_json(?, ?), max_depth := 2)",
            [json.dumps(rows, default=str), json.dumps([types])],
        )


def _new_results(engine: sa.Engine, build: duckdb.DuckDBPyConnection) -> list[Row]:
    """What checks said in the runs that the build does not know yet."""
    known = {row[0] for row in build.execute(_KNOWN_RUNS).fetchall()}
    with engine.connect() as ledger:
        return [
            {
                **row,
                "check_key": f"{row['asset']}/{row['check']}",
                "check_name": row["check"],
                "is_passed": row["passed"],
                "failing_rows": json.dumps(row["failing_rows"]) if row["failing_rows"] else None,
            }
            for row in read_history(ledger, runs_with_results(ledger) - known)
        ]


def _alerts(ledger: sa.Connection, as_of: datetime) -> Iterator[Row]:
    query = sa.select(alerts).where(alerts.c.opened_at < as_of).order_by(alerts.c.alert_id)
    for row in ledger.execute(query).mappings():
        yield _only("alerts", {**row, "scope": scope_of_dimensions(row["dimensions"])})


def _events(ledger: sa.Connection, as_of: datetime) -> Iterator[Row]:
    query = (
        sa.select(alert_events, evaluations.c.as_of)
        .join(evaluations, evaluations.c.release_id == alert_events.c.release_id, isouter=True)
        .order_by(alert_events.c.alert_id, alert_events.c.ordinal.desc())
    )
    evaluated_at: dict[str, datetime] = {}  # the next evaluation that had to do with the alert
    for row in ledger.execute(query).mappings():
        of_the_next = evaluated_at.get(row["alert_id"], row["recorded_at"])
        happened_at = row["as_of"] or min(row["recorded_at"], of_the_next)
        if row["as_of"]:
            evaluated_at[row["alert_id"]] = row["as_of"]
        if happened_at < as_of:
            yield _only("alert_events", {**row, **row["detail"], "happened_at": happened_at})


def _actions(ledger: sa.Connection, as_of: datetime) -> Iterator[Row]:
    query = (
        sa.select(actions, evaluations.c.as_of)
        .join(evaluations, evaluations.c.release_id == actions.c.release_id, isouter=True)
        .order_by(actions.c.number)
    )
    for row in ledger.execute(query).mappings():
        happened_at = row["as_of"] or row["recorded_at"]
        ended_at = row["sent_at"] or row["dead_at"]
        if happened_at < as_of:
            state = row["state"] if ended_at and ended_at < as_of else "pending"
            told = {"recipient_id": row["recipient"], "happened_at": happened_at, "state": state}
            yield _only("actions", {**row, **told})


def _tasks(ledger: sa.Connection, as_of: datetime) -> Iterator[Row]:
    query = sa.select(alert_tasks).where(alert_tasks.c.created_at < as_of)
    for row in ledger.execute(query.order_by(alert_tasks.c.task_id)).mappings():
        is_done = row["done_at"] is not None and row["done_at"] < as_of
        undone = {} if is_done else {"done_on": None, "closed_how": None}
        yield _only("alert_tasks", {**row, **undone})


def _only(table: str, row: Row) -> Row:
    """The columns of a copy, whatever else the ledger holds."""
    names = [column.split()[0] for column in COPIES[table].split(", ")]
    return {name: row.get(name) for name in names}
