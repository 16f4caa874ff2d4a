"""The back-test as an asset: between the marts and the release, so that a release tells it."""

import dagster as dg
from dagster_duckdb import DuckDBResource

from assets.health.backtest import ALL, Result
from assets.health.backtest_table import COLUMNS, DESCRIPTION, make_backtest

BACKTEST_KEY = dg.AssetKey(["health", "health_backtest"])
PREDICTIONS_KEY = dg.AssetKey(["health", "health_backtest_predictions"])


def build_backtest_asset(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """How well health told churn beforehand, judged anew in every run."""

    @dg.asset(
        key=BACKTEST_KEY,
        deps=[PREDICTIONS_KEY],
        group_name="marts_health",
        kinds={"duckdb", "scikitlearn"},
        owners=["cs-ops@example.com"],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=DESCRIPTION,
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(name, kind, description=meaning)
                    for name, kind, meaning in COLUMNS
                ]
            )
        },
    )
    def health_backtest(build: DuckDBResource) -> dg.MaterializeResult:
        with build.get_connection() as connection:
            results = make_backtest(connection)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": dg.MetadataValue.int(len(results)),
                "verdicts": dg.MetadataValue.md(_said(results)),
            }
        )

    return health_backtest


def _said(results: list[Result]) -> str:
    """A line per model and horizon over all accounts."""
    lines = [
        f"- {r.model}, {r.horizon_days} days: {r.verdict}"
        + (f" (AUC {r.auc:.2f}, {r.auc_low:.2f} to {r.auc_high:.2f})" if r.auc_low else "")
        for r in results
        if r.segment == ALL
    ]
    return "\n".join(lines) or "no prediction has an outcome yet"
