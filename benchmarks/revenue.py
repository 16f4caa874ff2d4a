"""The revenue marts over 100,000 accounts with five years of history, in one `dbt build`.

    .venv/bin/python -m benchmarks.revenue [--accounts 100000] [--years 5]

The books are made by DuckDB in seconds: subscriptions in three currencies with upgrades, pauses,
past-due times, discounts, cancellations and returns, an invoice with a line and a payment for every
billing period, daily rates. Printed are the seconds of dbt (with its start), of the slowest models,
the rows of every mart and the peak memory of dbt's process.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from assets.extracts.tables import prepare
from assets.releases.history import prepare_history

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "dbt_project"
MEMORY_LIMIT = "3GB"
TARGET_SECONDS = 120
TARGET_BYTES = 4 * 2**30
AS_OF = "2026-01-01"
MODELS = ("+config.schema:revenue", "+dim_accounts_monthly")
# Renewals show the health of 90 days before; there is none in these books, and daily health of
# 100,000 accounts is another benchmark's.
NOT_MODELS = (
    "marts.health", "intermediate.health", "account_metrics_daily", "metric_registry",
    "int_account_metrics_measured", "int_metric_spans", "int_account_days",
    "int_source_watermarks_daily", "intermediate.usage",
)  # fmt: skip
# What stands for chance: a number from 0 to n - 1 that depends on the row and a salt alone. Hashed
# twice: the hashes of two salts with one key differ by the same bits for every key.
DICE = "create macro dice(salt, key, n) as cast(hash(hash(salt, key)) % n as integer)"
ACCOUNTS = """
insert into crm.accounts by name
select
    'a' || i as account_id, 'Account ' || i as account_name,
    ['free', 'core', 'pro', 'enterprise'][1 + dice('tier', i, 4)] as tier,
    ['EMEA', 'AMER', 'APAC'][1 + dice('region', i, 3)] as region,
    ['1-50', '51-250', '251+'][1 + dice('size', i, 3)] as size_band,
    ['A', 'B'][1 + dice('line', i, 2)] as product_line,
    timestamptz '{start}' + to_hours(dice('created', i, 24 * 90)) as created_at,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id, i as _row
from range({accounts}) t(i)
"""
SUBSCRIPTIONS = """
insert into invoices.subscriptions by name
with lives as (
    select
        i, life, timestamptz '{start}' + to_hours(
            dice('created', i, 24 * 90) + dice('begins', i * 10 + life, 24 * 45)
            + case life when 0 then 0 when 1 then 24 * 400 else 24 * 700 end
        ) as started_at,
        life = 0 and dice('ends', i, 4) = 0 as has_end
    from range({accounts}) t(i), range(3) u(life)
    where life = 0 or (life = 1 and dice('second', i, 10) < 3)
        or (life = 2 and dice('ends', i, 4) = 0 and dice('back', i, 2) = 0)
)
select
    's' || i || '-' || life as subscription_id, 'a' || i as account_id,
    case when has_end then 'canceled' else 'active' end as status, 'Plan' as plan,
    ['USD', 'USD', 'USD', 'USD', 'USD', 'USD', 'USD', 'EUR', 'EUR', 'GBP'][
        1 + dice('currency', i, 10)] as currency,
    started_at,
    case when has_end then started_at + to_days(60 + dice('until', i, 500)) end as ended_at,
    case when dice('trial', i, 3) = 0 then started_at + to_days(14) end as trial_ends_at,
    case when has_end then started_at + to_days(40 + dice('until', i, 500)) end as cancelled_at,
    12 as renewal_term_months, 30 as notice_days,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id,
    row_number() over (order by i, life) as _row
from lives
"""
ITEMS = """
insert into invoices.subscription_items by name
with steps as (
    select
        subscription_id, started_at, step,
        started_at + to_days(step * (200 + dice('step', subscription_id, 300))) as valid_from
    from invoices.subscriptions, range(3) t(step)
    where step <= dice('steps', subscription_id, 3)
)
select
    'i-' || subscription_id as item_id, subscription_id,
    ['Basic', 'Team', 'Business'][1 + (dice('product', subscription_id, 2) + step) % 3] as product,
    cast((10 + dice('price', subscription_id, 90)) * (1 + step)
        * case when dice('yearly', subscription_id, 10) < 3 then 10 else 1 end
        as decimal(38, 8)) as price,
    1 + dice('seats', subscription_id, 20) as quantity,
    case when dice('yearly', subscription_id, 10) < 3 then 'year' else 'month' end as interval,
    valid_from,
    lead(valid_from) over (partition by subscription_id order by step) as valid_to,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id,
    row_number() over (order by subscription_id, step) as _row
from steps
"""
CHANGES = """
insert into invoices.subscription_changes by name
with episodes as (
    select
        subscription_id, started_at + to_days(100 + dice('since', subscription_id, 300)) as since,
        dice('episode', subscription_id, 20) as kind
    from invoices.subscriptions
    where dice('episode', subscription_id, 20) < 4
)
select
    subscription_id, unnest([since, since + to_days(10 + kind * 12)]) as changed_at,
    unnest([if(kind = 0, 'paused', 'past_due'), 'active']) as status,
    1 as _delivery_id, 1 as _row
from episodes
"""
DISCOUNTS = """
insert into invoices.discounts by name
select
    'd-' || subscription_id as discount_id, subscription_id,
    ['once', 'repeating', 'forever'][1 + dice('duration', subscription_id, 3)] as duration,
    case when dice('kind', subscription_id, 2) = 0 then 10 end as percent_off,
    case when dice('kind', subscription_id, 2) = 1 then 5 end as amount_off,
    started_at as valid_from,
    case dice('duration', subscription_id, 3)
        when 0 then started_at + to_months(1) when 1 then started_at + to_months(6) end
        as valid_to,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id, 1 as _row
from invoices.subscriptions
where dice('discount', subscription_id, 5) = 0
"""
INVOICES = """
insert into invoices.invoices by name
with periods as (
    select
        s.subscription_id, s.account_id, s.currency, i.price * i.quantity as amount, i.interval,
        unnest(generate_series(
            i.valid_from,
            least(coalesce(i.valid_to, s.ended_at), s.ended_at, timestamptz '{as_of}')
            - interval 1 second,
            if(i.interval = 'year', interval 1 year, interval 1 month)
        )) as created_at
    from invoices.subscriptions s join invoices.subscription_items i using (subscription_id)
)
select
    'in-' || row_number() over () as invoice_id, account_id, subscription_id, currency,
    if(dice('paid', subscription_id || created_at, 50) = 0, 'open', 'paid') as status,
    created_at, created_at as issued_at, cast(created_at as date) + 30 as due_on,
    case when dice('paid', subscription_id || created_at, 50) > 0
        then created_at + to_days(dice('pays', subscription_id, 30)) end as paid_at,
    amount as subtotal_amount, 0 as discount_amount, 0 as tax_amount, amount as total_amount,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id, 1 as _row
from periods
"""
LINES = """
insert into invoices.invoice_lines by name
select
    'l' || invoice_id as line_id, invoice_id, subscription_id, 'i-' || subscription_id as item_id,
    if(dice('metered', account_id, 10) = 0 and dice('line', invoice_id, 2) = 0,
        'usage', 'recurring') as kind,
    subtotal_amount as amount, created_at as period_start_at,
    created_at + interval 1 month as period_end_at,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id, 1 as _row
from invoices.invoices
"""
PAYMENTS = """
insert into invoices.payments by name
select
    'p' || invoice_id as payment_id, account_id, invoice_id, currency, total_amount as amount,
    paid_at, 'succeeded' as status,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id, 1 as _row
from invoices.invoices where paid_at < timestamptz '{as_of}'
"""
RATES = """
insert into invoices.fx_rates by name
select
    currency, cast(day as date) as day,
    cast(if(currency = 'EUR', 1.1, 1.3) + dice(currency, day, 1000) / 10000 as decimal(38, 8))
        as rate,
    false as _is_deleted, '0' as _load_order, 1 as _delivery_id, 1 as _row
from (values ('EUR'), ('GBP')) t(currency),
    generate_series(timestamp '{start}' - interval 10 day, timestamp '{as_of}', interval 1 day)
        u(day)
"""
BOOKS = (ACCOUNTS, SUBSCRIPTIONS, ITEMS, CHANGES, DISCOUNTS, INVOICES, LINES, PAYMENTS, RATES)


def main(
    accounts: Annotated[int, typer.Option(help="How many accounts.")] = 100_000,
    years: Annotated[int, typer.Option(help="How many years of history.")] = 5,
) -> None:
    """Makes the books, builds the marts and prints what it took."""
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "build.duckdb"
        seconds = make_books(database, accounts=accounts, years=years)
        console.print(f"Books of {accounts:,} accounts over {years} years: {seconds:.0f} s.")
        seconds = build(folder)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        console.print(slowest(folder), rows(database))
        console.print(
            f"dbt build of the revenue marts: {seconds:.1f} s (target {TARGET_SECONDS}), "
            f"{seconds / TARGET_SECONDS:.2f} of it; peak {peak / 2**30:.2f} GiB "
            f"(target {TARGET_BYTES / 2**30:.0f}, DuckDB's limit {MEMORY_LIMIT})."
        )


def make_books(database: Path, *, accounts: int, years: int) -> float:
    """Fills the raw tables of a new build; returns the seconds that it took."""
    begun = time.monotonic()
    start = f"{int(AS_OF[:4]) - years}-01-01"
    with duckdb.connect(str(database)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        prepare(connection)
        prepare_history(connection)
        connection.execute(DICE)
        for statement in BOOKS:
            connection.execute(statement.format(accounts=accounts, start=start, as_of=AS_OF))
    return time.monotonic() - begun


def build(folder: Path) -> float:
    """Runs one `dbt build`, data tests and all; returns its seconds."""
    run_dbt(
        folder, "build", "--empty", "--select", "+fct_account_health_daily",
        "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test",
    )  # fmt: skip
    begun = time.monotonic()
    run_dbt(
        folder, "build", "--select", *MODELS, "--exclude", *NOT_MODELS,
        "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious",
    )  # fmt: skip
    return time.monotonic() - begun


def run_dbt(folder: Path, *arguments: str, as_of: str = AS_OF) -> None:
    """Runs dbt on the folder's build; ends the benchmark with dbt's own words where it fails."""
    environment = os.environ | {  # noqa: TID251 - dbt is a process of its own
        "CSW_BUILD_DATABASE": str(folder / "build.duckdb"),
        "CSW_SPILL_FOLDER": str(folder / "spill"),
        "CSW_MEMORY_LIMIT": MEMORY_LIMIT,
        # As a run tells it: a variable that changes makes dbt parse everything anew.
        "CSW_AS_OF": f"{as_of}T00:00:00+00:00",
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        [
            # As a run starts it.
            sys.executable, "-m", "orchestration.dbt_process", "--no-use-colors", *arguments,
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
        ],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stdout[-4000:])


def slowest(folder: Path) -> Table:
    """The models and tests that took longest."""
    results = json.loads((folder / "target" / "run_results.json").read_text("utf-8"))["results"]
    table = Table("node", "seconds", title="Slowest")
    for result in sorted(results, key=lambda one: -float(one["execution_time"]))[:25]:
        table.add_row(result["unique_id"].split(".")[2], f"{result['execution_time']:.1f}")
    return table


def rows(database: Path) -> Table:
    """The rows of every mart."""
    table = Table("mart", "rows", title="Marts")
    with duckdb.connect(str(database), read_only=True) as connection:
        marts = connection.execute(
            "select table_name, estimated_size from duckdb_tables()"
            " where schema_name = 'revenue' or table_name = 'dim_accounts_monthly' order by 1"
        ).fetchall()
    for name, size in marts:
        table.add_row(name, f"{size:,}")
    return table


if __name__ == "__main__":
    typer.run(main)
