"""The fitted model on worlds where the answer is known, and what it says of renewals."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from math import exp
from typing import Any

import duckdb
import numpy as np
import pytest

from assets.health.backtest import HORIZONS, Prediction
from assets.health.made_tables import MadeTable
from assets.health.renewal_model import (
    FEATURES,
    HORIZON,
    FitRules,
    RenewalModel,
    features_of,
    fit_renewal_model,
)
from assets.health.renewal_tables import (
    TABLES,
    fill_expected_losses,
    with_foretold,
    write_renewal_model,
)

MONTHS = [date(2024 + n // 12, n % 12 + 1, 1) for n in range(24)]
RULES = FitRules(gap_days=7, fewest_churned=50, fewest_months=6, tolerance=0.25)
Chance = Callable[[Mapping[str, Any], date], float]


def world(chance: Chance, *, accounts: int = 120) -> list[Prediction]:
    """Accounts whose chance to churn in the horizon is any function of what was shown."""
    dice = np.random.default_rng(11)
    found = []
    for month in MONTHS:
        for number in range(accounts):
            shown = _shown(dice)
            churned = bool(dice.uniform() < chance(shown, month))
            found.append(
                Prediction(
                    account_id=f"a{number}",
                    day=month,
                    features_on=month - timedelta(days=1),
                    tier="Pro",
                    risks={"health": shown["health"], "renewal_risk": shown["health"] / 2},
                    is_poor=False,
                    churned=dict.fromkeys(HORIZONS, churned),
                    is_scheduled=number == 0,
                    features=shown,
                )
            )
    return found


def _shown(dice: np.random.Generator) -> dict[str, Any]:
    return {
        "health": float(dice.uniform(0, 100)),
        "proximity_ratio": 1.0,
        "points_from_slope": 0.0,
        "is_long_overdue": 0.0,
        "is_out_of_touch": 0.0,
        "days_to_renewal": None if dice.uniform() < 0.3 else float(dice.integers(0, 200)),
        "tenure_days": float(dice.integers(0, 1000)),
        "active_days_30d": float(dice.integers(0, 30)),
        "modules_used_30d": 3.0,
        "active_user_ratio": None,
        "use_change_ratio": float(dice.uniform(-1, 1)),
    }


def falling_use(shown: Mapping[str, Any], _: date) -> float:
    """One in six, the oftener the more use fell, which health says nothing of."""
    return 1 / (1 + exp(2 + 2.5 * float(shown["use_change_ratio"])))


def poor_health(shown: Mapping[str, Any], _: date) -> float:
    """As the formula has it."""
    return 1 / (1 + exp(3 - float(shown["health"]) / 25))


def coefficient(model: RenewalModel, feature: str) -> float:
    assert model.curve is not None
    return float(model.curve.coefficients[list(FEATURES).index(feature)])


def test_what_the_formula_misses_is_found_and_comes_true() -> None:
    """A model that nobody may use though it knows better, or one whose probabilities are none."""
    model = fit_renewal_model(world(falling_use), RULES, resamples=20)
    assert model.is_used
    assert model.verdict == "beats the points out of sample, and came true"
    assert model.judgement is not None
    assert model.judgement.auc_gain_low > 0.1
    assert model.judgement.predicted_churn_ratio == pytest.approx(
        model.judgement.observed_churn_ratio, abs=0.03
    )
    assert model.judgement.brier_score < model.judgement.base_brier_score
    assert coefficient(model, "use_change_ratio") == pytest.approx(-2.5 / 3**0.5, abs=0.2)
    assert abs(coefficient(model, "tenure_days")) < 0.2
    assert coefficient(model, "modules_used_30d") == 0
    assert sum(tenth.n for tenth in model.tenths) == model.judgement.n
    assert model.tenths[0].observed_churn_ratio < model.tenths[-1].observed_churn_ratio


@pytest.mark.parametrize("chance", [poor_health, lambda _shown, _day: 0.2])
def test_a_model_that_knows_no_better_than_the_formula_is_not_used(chance: Chance) -> None:
    """A sum of money from a model that adds nothing to the points, or knows nothing at all."""
    model = fit_renewal_model(world(chance), RULES, resamples=20)
    assert not model.is_used
    assert model.verdict.startswith("does not beat the points out of sample: AUC 0.")


def test_a_column_from_the_future_is_refused() -> None:
    """Expected losses that are certain because the outcome is among the features."""
    leaking = [
        replace(p, features={**p.features, "tenure_days": float(bool(p.churned[HORIZON]))})
        for p in world(falling_use)
    ]
    model = fit_renewal_model(leaking, RULES, resamples=20)
    assert not model.is_used
    assert model.judgement is None
    assert model.verdict.startswith("refused: an AUC of 1.0000 is too good to be true")


def test_no_month_is_foretold_from_what_came_later() -> None:
    """A look ahead: another outcome of a month that is not over by then changes what is told."""
    rows = world(falling_use)
    turned = [
        replace(p, churned=dict.fromkeys(HORIZONS, not p.churned[HORIZON]))
        if p.day >= MONTHS[10]
        else p
        for p in rows
    ]
    told = fit_renewal_model(rows, RULES, resamples=2).foretold
    told_anew = fit_renewal_model(turned, RULES, resamples=2).foretold
    # An outcome of month 10 is over 97 days later: in the fit of month 14 for the first time.
    early = [n for n in told if rows[n].day < MONTHS[14]]
    assert len(early) > 100
    assert [told[n] for n in early] == [told_anew[n] for n in early]
    late = [n for n in told if rows[n].day == MONTHS[14]]
    assert [told[n] for n in late] != [told_anew[n] for n in late]


def test_a_model_whose_churn_did_not_come_is_not_used() -> None:
    """Losses by last year's rate of churn, though it has fallen to a third since."""

    def calmer(shown: Mapping[str, Any], day: date) -> float:
        return falling_use(shown, day) / (1 if day < MONTHS[10] else 3)

    model = fit_renewal_model(world(calmer, accounts=150), RULES, resamples=20)
    assert not model.is_used
    assert model.verdict.startswith("is not calibrated: it foretold ")


def test_too_little_history_is_said() -> None:
    """A fit over a handful of churned accounts that somebody believes."""
    few = fit_renewal_model(world(falling_use, accounts=3), RULES)
    assert few.curve is None
    assert few.verdict == "2 accounts churned: it takes 50, and as many that stayed"
    short = fit_renewal_model(world(falling_use)[: 120 * 10], RULES)
    assert short.judgement is None
    assert short.verdict.endswith("months were foretold out of sample: it takes 6")


def test_scheduled_churn_is_neither_fitted_nor_foretold() -> None:
    """What was asked for already tells nothing of those who have not asked."""
    rows = world(falling_use)
    model = fit_renewal_model(rows, RULES, resamples=2)
    assert model.n == 119 * 24
    assert not [n for n in model.foretold if rows[n].is_scheduled]


def test_probabilities_follow_from_the_published_coefficients() -> None:
    """A mart of coefficients by which nobody could recompute a single renewal."""
    rows = world(falling_use)
    model = fit_renewal_model(rows, RULES, resamples=2)
    with duckdb.connect() as build:
        build.execute("create schema health")
        write_renewal_model(build, model, RULES)
        told = {
            name: (coefficient, mean, deviation)
            for name, _, coefficient, _, mean, deviation in build.execute(
                "from health.renewal_model_coefficients"
            ).fetchall()
        }
        (fit,) = build.execute(
            "select n, churned, foretold, is_used from health.renewal_model"
        ).fetchall()
    assert model.curve is not None
    assert model.judgement is not None
    assert fit == (model.n, model.churned, model.judgement.n, True)
    shown = rows[-1].features
    odds = told.pop("(intercept)")[0]
    for name, (weight, mean, deviation) in told.items():
        days = shown["days_to_renewal"]
        value = {
            "health_risk": rows[-1].risks["health"] / 100,
            "is_renewal_due": float(days is not None and 8 <= days <= 97),
        }.get(name, shown.get(name))
        if value is not None and deviation:
            odds += weight * (value - mean) / deviation
    (asked,) = model.curve.ask(features_of([rows[-1]], RULES))
    assert asked == pytest.approx(1 / (1 + exp(-odds)), abs=1e-6)


@pytest.fixture
def build() -> duckdb.DuckDBPyConnection:
    """Renewals of accounts that the model is asked about on the day after its last month."""
    build = duckdb.connect()
    build.execute("create schema health")
    build.execute(
        "create table health.renewal_risk (account_id varchar, subscription_id varchar, "
        "renewal_on date, days_to_renewal bigint, arr_due decimal(18, 2), churn_probability "
        "decimal(9, 6), expected_loss decimal(18, 2), expected_loss_reason varchar, "
        "is_cancellation_scheduled boolean)"
    )
    build.execute(
        "insert into health.renewal_risk values "
        "('a1', 's8', '2026-01-09', 8, 1000, null, null, '', false), "
        "('a1', 's97', '2026-04-08', 97, 1000.10, null, null, '', false), "
        "('a1', 's7', '2026-01-08', 7, 1000, null, null, '', false), "
        "('a1', 's98', '2026-04-09', 98, 1000, null, null, '', false), "
        "('a2', 'gone', '2026-02-01', 31, 1000, null, null, '', true), "
        "('a0', 'going', '2026-02-01', 31, 1000, null, null, '', false), "
        "('nobody', 'n', '2026-02-01', 31, 1000, null, null, '', false)"
    )
    return build


def _losses(build: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    rows = build.execute(
        "select subscription_id, churn_probability, expected_loss, expected_loss_reason "
        "from health.renewal_risk"
    ).fetchall()
    return {name: row for name, *row in rows}


def test_a_renewal_in_the_days_foretold_has_an_expected_loss(
    build: duckdb.DuckDBPyConnection,
) -> None:
    """Money that is not arr_due x the probability, or that stands where nobody foretold any."""
    rows = world(falling_use)
    model = fit_renewal_model(rows, RULES, resamples=2)
    now = [replace(p, day=date(2026, 1, 1), churned=dict.fromkeys(HORIZONS)) for p in rows[-120:]]
    with build:
        fill_expected_losses(build, model, now, RULES)
        told = _losses(build)
    assert model.curve is not None
    (probability,) = model.curve.ask(features_of([now[1]], RULES))
    assert [float(told[name][0]) for name in ("s8", "s97")] == [probability, probability]
    assert float(told["s97"][1]) == pytest.approx(1000.10 * probability, abs=0.005)
    assert {name: row[2] for name, row in told.items()} == {
        "s8": None,
        "s97": None,
        "s7": "too near to foretell",
        "s98": "too far to foretell",
        "gone": "a cancellation is scheduled",
        "going": "a cancellation is scheduled",
        "n": "health is unknown",
    }
    assert {name for name, row in told.items() if row[1] is None} == {
        "s7",
        "s98",
        "gone",
        "going",
        "n",
    }


def test_a_model_that_is_not_used_says_so_at_every_renewal(
    build: duckdb.DuckDBPyConnection,
) -> None:
    """An empty column of which nobody knows why it is empty."""
    rows = world(poor_health)
    model = fit_renewal_model(rows, RULES, resamples=20)
    with build:
        fill_expected_losses(build, model, rows[-120:], RULES)
        told = _losses(build)
    assert {row[2] for row in told.values()} == {f"the fitted model is not used: {model.verdict}"}
    assert {row[1] for row in told.values()} == {None}


def test_what_was_foretold_is_judged_beside_the_others() -> None:
    """A back-test of the model on rows that it was fitted on."""
    rows = world(falling_use)
    model = fit_renewal_model(rows, RULES, resamples=2)
    judged = with_foretold(rows, model)
    assert {n for n, p in enumerate(judged) if "renewal_model" in p.risks} == set(model.foretold)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_described_and_can_be_commented_on(table: MadeTable) -> None:
    """A release whose table nobody can read."""
    with duckdb.connect() as connection:
        connection.execute("create schema health")
        table.write(connection, [])
        comments = connection.execute(
            "select column_name, comment from duckdb_columns() where table_name = ?", [table.name]
        ).fetchall()
    assert dict(comments) == {name: meaning for name, _, meaning in table.columns}
    assert table.description.startswith("One row per ")
