"""The back-test and the fitted model as assets: between the marts and the release."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from assets.health.backtest import ALL, Result
from assets.health.backtest_table import (
    BACKTEST,
    read_last_day,
    read_predictions,
    write_backtest,
)
from assets.health.made_tables import MadeTable
from assets.health.renewal_model import FitRules, RenewalModel, fit_renewal_model
from assets.health.renewal_tables import (
    FIT,
    TABLES,
    fill_expected_losses,
    with_foretold,
    write_renewal_model,
)

BACKTEST_KEY = dg.AssetKey(["health", BACKTEST.name])
PREDICTIONS_KEY = dg.AssetKey(["health", "health_backtest_predictions"])
RENEWAL_RISK_KEY = dg.AssetKey(["health", "renewal_risk"])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the past says of health, of renewal risk and of the fitted model."""

    results: list[Result]
    model: RenewalModel


def build_backtest_asset(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """How well churn was told beforehand, and the model that is fitted on it, anew in every run."""

    @dg.multi_asset(
        name="health_backtest",
        specs=[_spec(table) for table in (BACKTEST, *TABLES)],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def health_backtest(build: DuckDBResource) -> Iterator[dg.MaterializeResult]:
        with build.get_connection() as connection:
            judged = judge_the_past(connection)
            rows = {table.name: _count(connection, table) for table in (BACKTEST, *TABLES)}
        said = {BACKTEST.name: _said(judged.results), FIT.name: judged.model.verdict}
        for name, count in rows.items():
            verdicts = {"verdicts": dg.MetadataValue.md(said[name])} if name in said else {}
            yield dg.MaterializeResult(
                asset_key=["health", name],
                metadata={"dagster/row_count": dg.MetadataValue.int(count), **verdicts},
            )

    return health_backtest


def judge_the_past(connection: duckdb.DuckDBPyConnection) -> Judged:
    """Fits the model, judges it with the others, writes both and fills the expected losses."""
    rules = _rules(connection)
    predictions = read_predictions(connection)
    model = fit_renewal_model(predictions, rules)
    write_renewal_model(connection, model, rules)
    last = read_last_day(connection)
    fill_expected_losses(connection, model, [p for p in predictions if p.day == last], rules)
    results = write_backtest(connection, with_foretold(predictions, model), rules.gap_days)
    return Judged(results=results, model=model)


def _rules(connection: duckdb.DuckDBPyConnection) -> FitRules:
    told = dict(
        connection.execute("select setting, value from reference.backtest_settings").fetchall()
    )
    return FitRules(
        gap_days=int(told["gap_days"]),
        fewest_churned=int(told["fit_churned"]),
        fewest_months=int(told["fit_months"]),
        tolerance=told["fit_tolerance"],
    )


def _spec(table: MadeTable) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=["health", table.name],
        deps=[PREDICTIONS_KEY, RENEWAL_RISK_KEY],
        group_name="marts_health",
        kinds={"duckdb", "scikitlearn"},
        owners=["cs-ops@example.com"],
        description=table.description,
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(name, kind, description=meaning)
                    for name, kind, meaning in table.columns
                ]
            )
        },
    )


def _count(connection: duckdb.DuckDBPyConnection, table: MadeTable) -> int:
    row = connection.execute(f"select count(*) from {table.relation}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _said(results: list[Result]) -> str:
    """A line per model and horizon over all accounts."""
    lines = [
        f"- {r.model}, {r.horizon_days} days: {r.verdict}"
        + (f" (AUC {r.auc:.2f}, {r.auc_low:.2f} to {r.auc_high:.2f})" if r.auc_low else "")
        for r in results
        if r.segment == ALL
    ]
    return "\n".join(lines) or "no prediction has an outcome yet"
