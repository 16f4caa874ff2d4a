"""Health of 10,000 accounts over two years in one back-fill, and one more day.

    .venv/bin/python -m benchmarks.health [--accounts 10000] [--copies 1] [--conditions 20]

The rows are those of `benchmarks.metrics`; what health is made from is built first, for both days,
and told apart. `--copies` has health judge each account so many times, under other names, so that
making what it reads need not take long. Profiles have as many conditions as asked for: the shipped
ones, again under other names. Printed are the seconds of the models of health, on the clock and of
CPU, the rows of their marts and the peak memory of dbt's process; then the same with one more day,
after a release has shown the first ones.
"""

import resource
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console

from benchmarks import metrics, revenue

TARGET_SECONDS = {"back-fill": 300, "one more day": 15}
TARGET_BYTES = 4 * 2**30
SHOWN = {
    "account_kpis_daily": "health",
    "account_scoped_metrics_daily": "health",
    "fct_account_health_daily": "health",
    "fct_health_changes": "health",
    "fct_health_conditions_daily": "health",
}
MODELS = (
    "int_scoped_metrics_measured", "account_scoped_metrics_daily", "int_health_days_profiled",
    "int_health_conditions_scored", "int_account_health_scored", "fct_account_health_daily",
    "fct_health_conditions_daily", "fct_health_components_daily", "fct_health_changes",
    "int_features_entitled", "int_engagement_scored", "int_kpis_measured", "account_kpis_daily",
)  # fmt: skip
CONDITIONS = """
insert into reference.health_conditions by name
with told as (
    select
        *, row_number() over (partition by profile order by condition) - 1 as number,
        count(*) over (partition by profile) as bands
    from reference.health_conditions where kind = 'bands'
),
wanted as (
    select profile, unnest(range(count(*), ?)) as place
    from reference.health_conditions group by profile
)
select told.* exclude (number, bands) replace (condition || '_' || place as condition)
from wanted inner join told
    on told.profile = wanted.profile and told.number = wanted.place % told.bands
"""


# What the models of health read of each account, and of all together.
READ = (
    "accounts.account_metrics_daily", "intermediate.int_account_first_days",
    "intermediate.int_account_owners", "intermediate.int_accounts_dated",
    "intermediate.int_companies_known", "intermediate.int_event_type_days",
    "intermediate.int_modules_known", "intermediate.int_source_watermarks_daily",
    "intermediate.int_subscription_phases", "intermediate.int_use_days",
)  # fmt: skip
TAKEN = "create or replace table {table} as from made.{table}"
COPIED = """
create or replace table {table} as
select * exclude (copy)
    replace (if(copy > 0, account_id || '-' || copy, account_id) as account_id)
from made.{table}, range({copies}) t(copy)
"""
DAYS = (("back-fill", metrics.AS_OF), ("one more day", "2026-01-02"))


def main(
    accounts: Annotated[int, typer.Option(help="How many accounts' rows are made.")] = 10_000,
    years: Annotated[int, typer.Option(help="How many years of history.")] = 2,
    conditions: Annotated[int, typer.Option(help="How many conditions a profile has.")] = 20,
    copies: Annotated[int, typer.Option(help="How many times health judges each account.")] = 1,
) -> None:
    """Makes the rows, builds health twice and prints what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "build.duckdb"
        metrics.make_rows(database, accounts=accounts, years=years)
        above = [*metrics.BELOW, *(f"+{model}" for model in MODELS)]
        made = []
        for number, (_, as_of) in enumerate(DAYS):
            metrics.build(folder, as_of, *above, "--exclude", *MODELS)
            made.append(Path(shutil.copy(database, folder / f"made_{number}.duckdb")))
            metrics.show(database)
        shutil.copy(made[0], database)
        with duckdb.connect(str(database)) as connection:
            connection.execute(CONDITIONS, [conditions])
        measure(folder, made, copies)


def measure(folder: Path, made: list[Path], copies: int) -> None:
    """Builds health over what was made for each of the days, and prints what it took."""
    console = Console()
    database = folder / "build.duckdb"
    for (label, as_of), rows in zip(DAYS, made, strict=True):
        take(database, rows, copies)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken = metrics.build(folder, as_of, *MODELS)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        peak = after.ru_maxrss * 1024
        console.print(revenue.slowest(folder), metrics.rows(database, MODELS))
        console.print(
            f"{label}: {taken:.1f} s ({cpu:.0f} s of CPU), {taken / TARGET_SECONDS[label]:.2f} of "
            f"the target of {TARGET_SECONDS[label]} (some 5 s are dbt's start); peak "
            f"{peak / 2**30:.2f} GiB (target {TARGET_BYTES / 2**30:.0f})."
        )
        metrics.show(database, SHOWN)


def take(database: Path, rows: Path, copies: int) -> None:
    """Puts what health reads into the build, each account's rows so many times."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("attach ? as made (read_only)", [str(rows)])
        for table in READ:
            described = connection.execute(f"describe made.{table}").fetchall()
            of_accounts = "account_id" in {name for name, *_ in described}
            statement = COPIED if of_accounts else TAKEN
            connection.execute(statement.format(table=table, copies=copies))


if __name__ == "__main__":
    typer.run(main)
