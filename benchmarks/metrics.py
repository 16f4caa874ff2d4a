"""Daily metrics of 10,000 accounts over two years, as known and restated, and one more day.

    .venv/bin/python -m benchmarks.metrics [--accounts 10000] [--years 2]

The rows are made by DuckDB in seconds: the books of `benchmarks.revenue`, and beside them users
with an event on every fourth day, tickets, talks, work, licences and NPS answers. What the metrics
are made from is built first and told apart. Printed are the seconds of the models of the metrics,
their rows and the peak memory of dbt's process; then the same with one more day, after a release
has shown the first ones.
"""

import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from assets.extracts.contracts import load_contracts
from assets.extracts.event_days import note_table
from assets.extracts.tables import prepare
from assets.releases.history import prepare_history
from benchmarks import revenue

AS_OF = revenue.AS_OF
TARGET_SECONDS = 180
TARGET_BYTES = 4 * 2**30
MODELS = (
    "int_metric_billing", "int_metric_relations", "int_metric_spans", "int_metric_usage",
    "int_metric_months", "int_metrics_due", "int_account_days_restated",
    "int_account_metrics_measured", "account_metrics_daily", "account_metrics_daily_restated",
)  # fmt: skip
# A child process's peak counts what this one held when it began it: DuckDB is bounded here too.
BOUNDED: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": revenue.MEMORY_LIMIT,
    "preserve_insertion_order": False,
}
# With what writes down that the usage models are done: without it every day is due the next time.
BELOW = ("+account_metrics_daily_restated", "+int_usage_rolled_up")
SHOWN = {"account_metrics_daily": "accounts"}
BOOKS = (
    revenue.ACCOUNTS, revenue.SUBSCRIPTIONS, revenue.ITEMS, revenue.INVOICES, revenue.PAYMENTS,
    revenue.RATES,
)  # fmt: skip
LOADED = "false as _is_deleted, '0' as _load_order, 1 as _delivery_id, 1 as _row"
EVENTS = """
insert into events.events by name
select
    'e' || i || '-' || u || '-' || d as event_id, 'a' || i as account_id, 'u' || u as user_id,
    timestamptz '{start}' + to_days(cast(d as integer)) + interval 9 hour as occurred_at,
    ['use', 'use', 'login', 'error'][1 + dice('type', i * 7 + d, 4)] as event_type,
    ['Alpha', 'Beta', 'Gamma'][1 + dice('module', i + d, 3)] as module,
    ['Draw', 'Share', 'Print', 'Find'][1 + dice('feature', i + u + d, 4)] as feature,
    1 as _delivery_id, 1 as _row
from range({accounts}) t(i), range(3) v(u), range({days} + 1) w(d)
where dice('day', i * 10000 + u * 3000 + d, 4) = 0
"""
# Things that happen so many times to an account: table, how many, key, what dates it, and the rest.
THINGS = (
    (
        "tickets.tickets", 20, "ticket_id", "created_at",
        """if(dice('open', k, 20) = 0, 'open', 'solved') as status,
        instant + to_hours(dice('solved', k, 200)) as solved_at,
        ['low', 'urgent'][1 + dice('urgent', k, 2)] as priority""",
    ),
    (
        "crm.interactions", 40, "interaction_id", "occurred_at",
        """['call', 'email', 'meeting', 'training'][1 + dice('kind', k, 4)] as interaction_type,
        'crm.contacts' || i || '-' || dice('contact', k, 4) as contact_id""",
    ),
    (
        "crm.contacts", 4, "contact_id", "created_at",
        "'champion' as key_role, 'IT' as department",
    ),
    (
        "crm.tasks", 20, "task_id", "created_at",
        """'done' as status, cast(instant as date) + 9 as due_on,
        instant + to_days(dice('done', k, 15)) as completed_at""",
    ),
    (
        "crm.goals", 2, "goal_id", "created_at",
        "'goal' as title, 'open' as status, 0.5 as progress_ratio",
    ),
    (
        "crm.deals", 3, "deal_id", "created_at",
        """'deal' as deal_name, 'Proposal' as stage, 1000 as amount, 'EUR' as currency,
        instant + to_days(60) as closed_at""",
    ),
    ("crm.nps_responses", 4, "response_id", "submitted_at", "dice('score', k, 11) as score"),
    (
        "crm.licenses", 1, "license_id", "started_at",
        "'Suite' as package, 10 as seats_purchased, 'active' as status",
    ),
)  # fmt: skip
THING = """
insert into {table} by name
with things as (
    select
        i, n, i * 100 + n as k,
        timestamptz '{start}' + to_hours(dice('{table}', i * 100 + n, 24 * {days})) as instant
    from range({accounts}) t(i), range({count}) u(n)
)
select
    '{table}' || i || '-' || n as {key}, 'a' || i as account_id, instant as {dated}, {rest},
    {loaded}
from things
"""
DELIVERIES = """
insert into landing.deliveries by name
select
    row_number() over () as delivery_id, schema_name as source, table_name, '' as path,
    '' as content_hash, 1 as path_version, 0 as size_bytes, 0 as rows_read, 0 as rows_loaded,
    0 as rows_rejected, 0 as rows_duplicate, 'loaded' as state, '' as run_id, now() as loaded_at,
    now() as delivered_at, date '{as_of}' as dt, timestamptz '{as_of}' as first_as_of
from duckdb_tables() where schema_name in ('crm', 'events', 'invoices', 'tickets')
"""
SEATS = f"""
insert into crm.license_assignments by name
select license_id, 'u' || u as user_id, started_at as assigned_at, {LOADED}
from crm.licenses, range(3) v(u)
"""  # noqa: S608 - rows of a benchmark


def main(
    accounts: Annotated[int, typer.Option(help="How many accounts.")] = 10_000,
    years: Annotated[int, typer.Option(help="How many years of history.")] = 2,
) -> None:
    """Makes the rows, builds the metrics twice and prints what it took."""
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "build.duckdb"
        seconds = make_rows(database, accounts=accounts, years=years)
        console.print(f"Rows of {accounts:,} accounts over {years} years: {seconds:.0f} s.")
        for label, as_of in (("back-fill", AS_OF), ("one more day", "2026-01-02")):
            below = build(folder, as_of, *BELOW, "--exclude", *MODELS)
            taken = build(folder, as_of, *MODELS)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
            console.print(revenue.slowest(folder), rows(database))
            console.print(
                f"{label}: {taken:.1f} s for the metrics, {taken / TARGET_SECONDS:.2f} of the "
                f"target of {TARGET_SECONDS}; {below:.1f} s for what they are made from; peak "
                f"{peak / 2**30:.2f} GiB (target {TARGET_BYTES / 2**30:.0f})."
            )
            show(database)


def make_rows(database: Path, *, accounts: int, years: int) -> float:
    """Fills the raw tables of a new build; returns the seconds that it took."""
    begun = time.monotonic()
    start = f"{int(AS_OF[:4]) - years}-01-01"
    days = 365 * years
    with duckdb.connect(str(database), config=BOUNDED) as connection:
        connection.execute("set TimeZone = 'UTC'")
        prepare(connection)
        prepare_history(connection)
        connection.execute(revenue.DICE)
        told = {"accounts": accounts, "start": start, "as_of": AS_OF, "days": days}
        for statement in (*BOOKS, EVENTS, DELIVERIES):
            connection.execute(statement.format(**told))
        for table, count, key, dated, rest in THINGS:
            thing = {"table": table, "count": count, "key": key, "dated": dated, "rest": rest}
            connection.execute(THING.format(**told, **thing, loaded=LOADED))
        connection.execute(SEATS)
        note_table(connection, load_contracts()["events.events"])
    return time.monotonic() - begun


def build(folder: Path, as_of: str, *selected: str) -> float:
    """Runs one `dbt build` of models alone; returns its seconds."""
    begun = time.monotonic()
    revenue.run_dbt(
        folder, "build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test",
        "--select", *selected, as_of=as_of,
    )  # fmt: skip
    return time.monotonic() - begun


def show(database: Path, schemas: Mapping[str, str] = SHOWN) -> None:
    """Keeps the marts of these schemas as a release does that has shown them."""
    with duckdb.connect(str(database), config=BOUNDED) as connection:
        for table, schema in schemas.items():
            connection.execute(f"create or replace table history.{table} as from {schema}.{table}")


def rows(database: Path, models: Sequence[str] = MODELS) -> Table:
    """The rows of what was made."""
    table = Table("model", "rows", title="What was made")
    with duckdb.connect(str(database), read_only=True) as connection:
        for name, size in connection.execute(
            "select table_name, estimated_size from duckdb_tables() "
            "where list_contains(?, table_name) and schema_name <> 'history' order by table_name",
            [list(models)],
        ).fetchall():
            table.add_row(name, f"{size:,}")
    return table


if __name__ == "__main__":
    typer.run(main)
