"""The back-test and the fitted model as assets: between the marts and the release."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from assets.health.backtest import ALL
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
from assets.warehouse.standing import does_stand, remember_made

BACKTEST_KEY = dg.AssetKey(["health", BACKTEST.name])
PREDICTIONS_KEY = dg.AssetKey(["health", "health_backtest_predictions"])
RENEWAL_RISK_KEY = dg.AssetKey(["health", "renewal_risk"])
_STEP = "health_backtest"


def build_backtest_asset(partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """How well churn was told beforehand, and the model that is fitted on it."""

    @dg.multi_asset(
        name=_STEP,
        specs=[_spec(table) for table in (BACKTEST, *TABLES)],
        partitions_def=partitions,
        pool="build",
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def health_backtest(build: DuckDBResource) -> Iterator[dg.MaterializeResult]:
        with build.get_connection() as connection:
            stands = does_stand(connection, _STEP)
            if not stands:
                judge_the_past(connection)
                remember_made(connection, _STEP)
            rows = {table.name: _count(connection, table) for table in (BACKTEST, *TABLES)}
            said = {BACKTEST.name: _said(connection), FIT.name: _said_of_fit(connection)}
        for name, count in rows.items():
            metadata: dict[str, Any] = {"dagster/row_count": count, "stands": stands}
            if name in said:
                metadata["verdicts"] = dg.MetadataValue.md(said[name])
            yield dg.MaterializeResult(asset_key=["health", name], metadata=metadata)

    return health_backtest


def judge_the_past(connection: duckdb.DuckDBPyConnection) -> RenewalModel:
    """Fits the model, judges it with the others, writes both and fills the expected losses."""
    rules = _rules(connection)
    predictions = read_predictions(connection)
    model = fit_renewal_model(predictions, rules)
    write_renewal_model(connection, model, rules)
    last = read_last_day(connection)
    fill_expected_losses(connection, model, [p for p in predictions if p.day == last], rules)
    write_backtest(connection, with_foretold(predictions, model), rules.gap_days)
    return model


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


def _said(connection: duckdb.DuckDBPyConnection) -> str:
    """A line per model and horizon over all accounts."""
    lines = connection.execute(
        "select format('- {}, {} days: {}', model, horizon_days, verdict) || coalesce("  # noqa: S608
        "format(' (AUC {:.2f}, {:.2f} to {:.2f})', auc, auc_low, auc_high), '') "
        f"from {BACKTEST.relation} where segment = ? order by model, horizon_days",
        [ALL],
    ).fetchall()
    return "\n".join(line for (line,) in lines) or "no prediction has an outcome yet"


def _said_of_fit(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute(f"select verdict from {FIT.relation}").fetchone()  # noqa: S608
    return str(row[0]) if row else ""
