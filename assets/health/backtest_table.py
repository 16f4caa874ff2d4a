"""The mart health_backtest: made from the predictions' mart, in the build, before the release."""

from dataclasses import asdict

import duckdb

from assets.health.backtest import HORIZONS, Prediction, Result, evaluate

TABLE = "health.health_backtest"
DESCRIPTION = (
    "One row per model, horizon and segment: how well health and renewal risk told churn "
    "beforehand, on what was known when (health_backtest_predictions)."
)
# One entry per column: name, type, meaning.
COLUMNS = (
    ("model", "varchar", "health: 100 - the health score; renewal_risk: its points."),
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
)


def make_backtest(connection: duckdb.DuckDBPyConnection) -> list[Result]:
    """Judge the build's predictions and write the table, in place of what was there."""
    results = evaluate(read_predictions(connection), gap_days=_gap_days(connection))
    columns = ", ".join(f"{name} {kind}" for name, kind, _ in COLUMNS)
    connection.execute(f"create or replace table {TABLE} ({columns})")
    # COMMENT ON takes no parameters; the texts stand above.
    connection.execute(f"comment on table {TABLE} is '{DESCRIPTION}'")
    for name, _, meaning in COLUMNS:
        connection.execute(f"comment on column {TABLE}.{name} is '{meaning}'")
    marks = ", ".join("?" * len(COLUMNS))
    for result in results:
        row = asdict(result)
        connection.execute(
            f"insert into {TABLE} values ({marks})",  # noqa: S608 - our own name
            [row[name] for name, _, _ in COLUMNS],
        )
    return results


def read_predictions(connection: duckdb.DuckDBPyConnection) -> list[Prediction]:
    """The predictions that count, in order."""
    outcomes = ", ".join(f"has_churned_{horizon}d" for horizon in HORIZONS)
    rows = connection.execute(
        "select account_id, day, features_on, tier, cast(health_score as double), "  # noqa: S608
        f"health_state, cast(risk_points as double), is_churn_scheduled, {outcomes} "
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
        )
        for account, day, features_on, tier, score, state, points, is_scheduled, *churned in rows
    ]


def _gap_days(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute(
        "select cast(max(value) as integer) from reference.backtest_settings "
        "where setting = 'gap_days'"
    ).fetchone()
    return int(row[0]) if row else 0
