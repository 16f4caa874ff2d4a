"""The mart health_backtest and the predictions that it is made from, in the build."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import duckdb

from assets.health.backtest import HORIZONS, Prediction, evaluate
from assets.health.made_tables import MadeTable

BACKTEST = MadeTable(
    name="health_backtest",
    description="One row per model, horizon and segment: how well health, renewal risk and the "
    "fitted model told churn beforehand, on what was known when (health_backtest_predictions).",
    columns=(
        (
            "model",
            "varchar",
            "health: 100 - its score; renewal_risk: points; renewal_model: what it foretold, in %.",
        ),
        ("horizon_days", "bigint", "Days after the gap in which a churn counts."),
        ("segment", "varchar", "all, or a tier, without scheduled churn; churn scheduled: those."),
        ("n", "bigint", "Predictions whose outcome is known."),
        ("churned", "bigint", "Those that churned."),
        ("base_rate_ratio", "double", "churned / n."),
        ("auc", "double", "How often of two accounts the one that churned had the higher risk."),
        ("auc_low", "double", "2.5th percentile of the AUC over resamples of accounts."),
        ("auc_high", "double", "97.5th percentile."),
        ("poor", "bigint", "Predictions with poor health."),
        ("poor_churned", "bigint", "Those of them that churned."),
        ("precision_of_poor_ratio", "double", "poor_churned / poor."),
        ("recall_of_poor_ratio", "double", "poor_churned / churned."),
        ("top_decile", "bigint", "Predictions in the riskiest tenth."),
        ("top_decile_lift", "double", "Their rate of churn / base_rate_ratio."),
        ("calibrated", "bigint", "Predictions with a probability fitted on what was over by then."),
        ("predicted_churn_ratio", "double", "Mean of those probabilities."),
        ("observed_churn_ratio", "double", "Share of those predictions that churned."),
        ("brier_score", "double", "Mean squared error of those probabilities."),
        ("verdict", "varchar", "What the figures say, or why there are none."),
    ),
)
# What the fitted model reads beside the score: columns of the predictions.
_SHOWN = (
    "proximity_ratio", "points_from_slope", "is_long_overdue", "is_out_of_touch",
    "days_to_renewal", "tenure_days", "active_days_30d", "modules_used_30d", "active_user_ratio",
    "use_change_ratio",
)  # fmt: skip


def write_backtest(
    connection: duckdb.DuckDBPyConnection, predictions: Sequence[Prediction], gap_days: int
) -> None:
    """Judges predictions and writes the table, in place of what was there."""
    results = evaluate(predictions, gap_days=gap_days)
    BACKTEST.write(connection, (asdict(result) for result in results))


def read_predictions(connection: duckdb.DuckDBPyConnection) -> list[Prediction]:
    """The predictions that count, in order."""
    outcomes = ", ".join(f"has_churned_{horizon}d" for horizon in HORIZONS)
    shown = ", ".join(f"cast({name} as double)" for name in _SHOWN)
    rows = connection.execute(
        "select account_id, day, features_on, tier, cast(health_score as double), "  # noqa: S608
        f"health_state, cast(risk_points as double), is_churn_scheduled, [{outcomes}], [{shown}] "
        "from health.health_backtest_predictions where left_out_reason is null order by day, "
        "account_id"
    ).fetchall()
    return [
        Prediction(
            account_id=account,
            day=day,
            features_on=features_on,
            tier=tier,
            risks={"health": 100 - score, "renewal_risk": points},
            is_poor=state == "poor",
            churned=dict(zip(HORIZONS, churned, strict=True)),
            is_scheduled=is_scheduled,
            features=dict(zip(_SHOWN, values, strict=True)),
        )
        for account, day, features_on, tier, score, state, points, is_scheduled, churned, values
        in rows
    ]  # fmt: skip


def read_last_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    """The as-of day: the last on which anything was predicted, left out or not."""
    row = connection.execute("select max(day) from health.health_backtest_predictions").fetchone()
    return row[0] if row else None
