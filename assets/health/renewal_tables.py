"""The fitted model's marts, and what it says of each renewal in renewal_risk."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from math import exp
from typing import Any

import duckdb

from assets.health.backtest import Prediction
from assets.health.made_tables import MadeTable
from assets.health.renewal_model import (
    FEATURES,
    HORIZON,
    MODEL,
    FitRules,
    RenewalModel,
    features_of,
)

FIT = MadeTable(
    name="renewal_model",
    description="One row per horizon: the model of churn that was fitted on what was shown and "
    "what came of it, beside the points of renewal risk on the same rows, out of sample.",
    columns=(
        ("horizon_days", "bigint", "Days after the gap in which a churn counts."),
        ("gap_days", "bigint", "Days after a prediction in which a churn is too near."),
        ("n", "bigint", "Predictions with an outcome, without scheduled churn: the fit is theirs."),
        ("churned", "bigint", "Those that churned."),
        ("months", "bigint", "Months that were foretold by a fit on what was over by then."),
        ("foretold", "bigint", "Predictions in them."),
        ("foretold_churned", "bigint", "Those that churned."),
        ("auc", "double", "AUC of the probabilities that were foretold."),
        ("auc_low", "double", "2.5th percentile over resamples of accounts."),
        ("auc_high", "double", "97.5th percentile."),
        ("formula_auc", "double", "AUC of risk_points x proximity_ratio on the same rows."),
        ("auc_gain", "double", "auc - formula_auc."),
        ("auc_gain_low", "double", "2.5th percentile on the same resamples."),
        ("auc_gain_high", "double", "97.5th percentile."),
        ("predicted_churn_ratio", "double", "Mean of the probabilities that were foretold."),
        ("observed_churn_ratio", "double", "foretold_churned / foretold."),
        ("brier_score", "double", "Mean squared error of those probabilities."),
        ("base_brier_score", "double", "The same, had the observed rate been foretold for all."),
        ("is_used", "boolean", "Whether renewal_risk has expected losses by it."),
        ("verdict", "varchar", "Why, or why not."),
    ),
)
COEFFICIENTS = MadeTable(
    name="renewal_model_coefficients",
    description="One row per feature of the fitted model, and its intercept: the log odds of churn "
    "are the intercept plus, for each feature, coefficient x (value - mean) / standard deviation; "
    "a missing value adds nothing.",
    columns=(
        ("feature", "varchar", "The feature, (intercept) for the odds at the mean of all."),
        ("meaning", "varchar", "What it is."),
        ("coefficient", "double", "What one standard deviation adds to the log odds."),
        ("odds_ratio", "double", "What one standard deviation multiplies the odds by."),
        ("mean_value", "double", "Its mean over the rows that the model was fitted on."),
        ("standard_deviation", "double", "Its spread there; 0 where it told nothing."),
    ),
)
CALIBRATION = MadeTable(
    name="renewal_model_calibration",
    description="One row per tenth of the predictions that were foretold out of sample, from the "
    "safest on: what was foretold and what came. Equal probabilities stand in one tenth.",
    columns=(
        ("tenth", "bigint", "1 for the safest."),
        ("n", "bigint", "Predictions in it."),
        ("churned", "bigint", "Those that churned."),
        ("lowest_probability", "double", "The lowest probability in it."),
        ("highest_probability", "double", "The highest."),
        ("predicted_churn_ratio", "double", "Mean of its probabilities."),
        ("observed_churn_ratio", "double", "churned / n."),
    ),
)
TABLES = (FIT, COEFFICIENTS, CALIBRATION)


def write_renewal_model(
    connection: duckdb.DuckDBPyConnection, model: RenewalModel, rules: FitRules
) -> None:
    """Writes the fit, its coefficients and its calibration."""
    FIT.write(connection, [_fit_row(model, rules)])
    COEFFICIENTS.write(connection, _coefficients(model))
    CALIBRATION.write(connection, (asdict(tenth) for tenth in model.tenths))


def with_foretold(predictions: Sequence[Prediction], model: RenewalModel) -> list[Prediction]:
    """The predictions with what the model foretold out of sample, where it did."""
    return [
        replace(one, risks={**one.risks, MODEL: 100 * model.foretold[number]})
        if number in model.foretold
        else one
        for number, one in enumerate(predictions)
    ]


def fill_expected_losses(
    connection: duckdb.DuckDBPyConnection,
    model: RenewalModel,
    now: Sequence[Prediction],
    rules: FitRules,
) -> None:
    """Says in renewal_risk what each renewal is to lose, or why nobody knows.

    Args:
        connection: the build.
        model: what came of the fit.
        now: the predictions of the as-of day; an account without one has no health.
        rules: what the model was fitted by.
    """
    connection.execute(
        "create or replace temp table asked "
        "(account_id varchar, probability decimal(9, 6), is_scheduled boolean)"
    )
    if model.is_used and model.curve and now:
        told = model.curve.ask(features_of(now, rules))
        rows = [(p.account_id, float(t), p.is_scheduled) for p, t in zip(now, told, strict=True)]
        connection.executemany("insert into asked values (?, ?, ?)", rows)
    connection.execute(
        _FILL,
        {
            "unused": None if model.is_used else f"the fitted model is not used: {model.verdict}",
            "first": rules.days_foretold.start,
            "last": rules.days_foretold.stop - 1,
        },
    )
    connection.execute("drop table asked")


_FILL = """
    update health.renewal_risk
    set
        churn_probability = judged.probability,
        expected_loss = round_even(renewal_risk.arr_due * judged.probability, 2),
        expected_loss_reason = judged.reason
    from (
        select
            risks.subscription_id,
            risks.renewal_on,
            case
                when $unused is not null then $unused
                when risks.is_cancellation_scheduled or asked.is_scheduled
                    then 'a cancellation is scheduled'
                when risks.days_to_renewal < $first then 'too near to foretell'
                when risks.days_to_renewal > $last then 'too far to foretell'
                when asked.probability is null then 'health is unknown'
            end as reason,
            case when reason is null then asked.probability end as probability
        from health.renewal_risk as risks
        left join asked on risks.account_id = asked.account_id
    ) as judged
    where renewal_risk.subscription_id = judged.subscription_id
        and renewal_risk.renewal_on = judged.renewal_on
"""


def _fit_row(model: RenewalModel, rules: FitRules) -> Mapping[str, Any]:
    nothing = dict.fromkeys(name for name, _, _ in FIT.columns)
    judged = asdict(model.judgement) if model.judgement else {}
    return {
        **nothing,
        **judged,
        "horizon_days": HORIZON,
        "gap_days": rules.gap_days,
        "n": model.n,
        "churned": model.churned,
        "foretold": judged.get("n"),
        "foretold_churned": judged.get("churned"),
        "is_used": model.is_used,
        "verdict": model.verdict,
    }


def _coefficients(model: RenewalModel) -> Iterator[Mapping[str, Any]]:
    if model.curve is None:
        return
    curve = model.curve
    yield _coefficient("(intercept)", "Log odds at the mean of every feature.", curve.intercept)
    for place, (name, meaning) in enumerate(FEATURES.items()):
        yield _coefficient(name, meaning, float(curve.coefficients[place])) | {
            "mean_value": float(curve.means[place]),
            "standard_deviation": float(curve.deviations[place]),
        }


def _coefficient(feature: str, meaning: str, coefficient: float) -> dict[str, Any]:
    return {
        "feature": feature,
        "meaning": meaning,
        "coefficient": coefficient,
        "odds_ratio": round(exp(coefficient), 6),
        "mean_value": None,
        "standard_deviation": None,
    }
