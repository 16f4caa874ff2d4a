"""Health of 10,000 accounts over two years in one back-fill, and one more day.

    .venv/bin/python -m benchmarks.health [--accounts 10000] [--years 2] [--conditions 20]

The rows are those of `benchmarks.metrics`; what health is made from is built first and told apart.
Profiles have as many conditions as asked for: the shipped ones, again under other names.
Printed are the seconds of the models of health, the rows of their marts and the peak memory of
dbt's process; then the same with one more day, after a release has shown the first ones.
"""

import resource
import tempfile
from pathlib import Path
from typing import Annotated

import duckdb
import typer
from rich.console import Console

from benchmarks import metrics, revenue

TARGET_SECONDS = {"back-fill": 300, "one more day": 15}
TARGET_BYTES = 4 * 2**30
SHOWN = metrics.SHOWN | {
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
    "int_features_entitled", "int_kpis_measured", "account_kpis_daily",
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


def main(
    accounts: Annotated[int, typer.Option(help="How many accounts.")] = 10_000,
    years: Annotated[int, typer.Option(help="How many years of history.")] = 2,
    conditions: Annotated[int, typer.Option(help="How many conditions a profile has.")] = 20,
) -> None:
    """Makes the rows, builds health twice and prints what it took."""
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "build.duckdb"
        metrics.make_rows(database, accounts=accounts, years=years)
        above = [f"+{model}" for model in MODELS]
        for label, as_of in (("back-fill", metrics.AS_OF), ("one more day", "2026-01-02")):
            metrics.build(folder, as_of, *above, "--exclude", *MODELS)
            with duckdb.connect(str(database)) as connection:
                connection.execute(CONDITIONS, [conditions])
            taken = metrics.build(folder, as_of, *MODELS)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
            console.print(revenue.slowest(folder), metrics.rows(database, MODELS))
            console.print(
                f"{label}: {taken:.1f} s, {taken / TARGET_SECONDS[label]:.2f} of the target of "
                f"{TARGET_SECONDS[label]} (some 5 s are dbt's start); peak {peak / 2**30:.2f} GiB "
                f"(target {TARGET_BYTES / 2**30:.0f})."
            )
            metrics.show(database, SHOWN)


if __name__ == "__main__":
    typer.run(main)
