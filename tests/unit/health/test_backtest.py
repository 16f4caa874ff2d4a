"""The back-test on worlds where the answer is known: a relation, none, and a leak."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from assets.health.assets import judge_the_past
from assets.health.backtest import HORIZONS, Prediction, Result, evaluate, find_leak
from assets.health.backtest_table import BACKTEST

SETTINGS = Path(__file__).parents[3] / "seeds" / "backtest_settings.csv"
MONTHS = [date(2025, month, 1) for month in range(1, 13)]


def world(strength: float, *, accounts: int = 100) -> list[Prediction]:
    """Accounts whose chance to churn follows their risk that strongly; one in eight does."""
    dice = np.random.default_rng(5)
    found = []
    for number in range(accounts):
        for month in MONTHS:
            risk = float(dice.uniform(0, 100))
            chance = 1 / (1 + np.exp(2.0 - strength * (risk - 50) / 50))
            days = dice.uniform(0, 90) if dice.uniform() < chance else 999.0
            found.append(
                Prediction(
                    account_id=f"a{number}",
                    day=month,
                    features_on=month - timedelta(days=1),
                    tier="Pro" if number % 2 else "Free",
                    risks={"health": risk},
                    is_poor=risk > 70,
                    churned={horizon: days < horizon for horizon in HORIZONS},
                    is_scheduled=number % 10 == 0,
                )
            )
    return found


def over_all(results: list[Result]) -> list[Result]:
    return [r for r in results if r.segment == "all"]


def test_a_planted_relation_is_found() -> None:
    """A back-test that sees nothing where there is something."""
    told = over_all(evaluate(world(2.0), gap_days=7, resamples=20))
    assert [r.horizon_days for r in told] == [30, 60, 90]
    for r in told:
        assert r.verdict == "tells churn beforehand"
        assert r.auc is not None
        assert 0.65 < r.auc < 0.9
        assert r.auc_low is not None
        assert r.auc_high is not None
        assert r.auc_low < r.auc < r.auc_high
        assert r.top_decile_lift is not None
        assert r.top_decile_lift > 1.8
        assert r.predicted_churn_ratio == pytest.approx(r.observed_churn_ratio, abs=0.04)


def test_where_there_is_no_relation_it_says_so() -> None:
    """A figure that flatters: an AUC of about a half is told as loudly."""
    for r in over_all(evaluate(world(0.0), gap_days=7, resamples=20)):
        assert r.auc == pytest.approx(0.5, abs=0.06)
        assert r.verdict == "no better than chance"


def test_a_planted_leak_is_refused() -> None:
    """A column from the future that makes every other figure worthless."""
    leaking = [
        replace(p, risks={"health": 100.0 if p.churned[90] else p.risks["health"] / 2})
        for p in world(1.0)
    ]
    told = [r for r in evaluate(leaking, gap_days=7, resamples=0) if r.horizon_days == 90]
    assert {r.auc for r in told} == {None}
    assert all(r.verdict.startswith("refused: an AUC of 1.0000 is too good") for r in told)


def test_a_prediction_that_reads_its_own_day_is_refused() -> None:
    """The same, where it is too weak to be seen in the figures."""
    rows = world(1.0)
    rows[3] = replace(rows[3], features_on=rows[3].day)
    assert find_leak(rows, "health", 30) == (
        "1 predictions read days that were not over when they were made"
    )


def test_figures_are_those_of_the_rows() -> None:
    """A precision, a recall, a lift or a base rate that is divided by something else."""
    (row,) = [
        r
        for r in evaluate(world(2.0), gap_days=7, resamples=0)
        if (r.segment, r.horizon_days) == ("all", 90)
    ]
    rows = [p for p in world(2.0) if not p.is_scheduled]
    churned = [p for p in rows if p.churned[90]]
    poor = [p for p in rows if p.is_poor]
    both = [p for p in poor if p.churned[90]]
    top = sorted(rows, key=lambda p: -p.risks["health"])[: -(-len(rows) // 10)]
    rate = len(churned) / len(rows)
    assert (row.n, row.churned, row.poor, row.poor_churned) == tuple(
        map(len, (rows, churned, poor, both))
    )
    assert row.base_rate_ratio == pytest.approx(rate)
    assert row.precision_of_poor_ratio == pytest.approx(len(both) / len(poor), abs=1e-6)
    assert row.recall_of_poor_ratio == pytest.approx(len(both) / len(churned), abs=1e-6)
    lift = sum(bool(p.churned[90]) for p in top) / len(top) / rate
    assert row.top_decile_lift == pytest.approx(lift, abs=1e-6)
    pairs = [
        (c.risks["health"] > s.risks["health"]) for c in churned for s in rows if not s.churned[90]
    ]
    assert row.auc == pytest.approx(sum(pairs) / len(pairs), abs=1e-6)


def test_scheduled_churn_and_open_outcomes_stand_apart() -> None:
    """A model that is praised for what had been announced, or blamed for what may come."""
    rows = [
        replace(p, churned=dict(p.churned) | {90: None}) if p.day == MONTHS[-1] else p
        for p in world(2.0)
    ]
    told = {(r.segment, r.horizon_days): r.n for r in evaluate(rows, gap_days=7, resamples=0)}
    assert told["all", 30] == 90 * 12
    assert told["all", 90] == 90 * 11
    assert told["churn scheduled", 30] == 10 * 12
    assert told["tier Free", 30] + told["tier Pro", 30] == told["all", 30]


def test_so_few_that_churned_tell_nothing() -> None:
    """A figure over three accounts that somebody believes."""
    told = evaluate(world(2.0, accounts=3), gap_days=7, resamples=0)
    assert {r.verdict for r in told} == {"too few churned, or stayed, to tell"}
    assert {r.auc for r in told} == {None}


def test_the_table_has_every_column_with_its_comment() -> None:
    """A release whose back-test nobody can read; the same rows give the same table."""
    with duckdb.connect() as connection:
        connection.execute("create schema health; create schema reference")
        connection.execute(
            "create table reference.backtest_settings as from read_csv($1)", [str(SETTINGS)]
        )
        connection.execute(
            "create table health.renewal_risk (account_id varchar, subscription_id varchar, "
            "renewal_on date, days_to_renewal bigint, arr_due decimal(18, 2), churn_probability "
            "decimal(9, 6), expected_loss decimal(18, 2), expected_loss_reason varchar, "
            "is_cancellation_scheduled boolean)"
        )
        connection.execute(
            "create table health.health_backtest_predictions (account_id varchar, day date, "
            "features_on date, tier varchar, health_score decimal(9, 6), health_state varchar, "
            "risk_points decimal(9, 6), proximity_ratio decimal(9, 6), "
            "points_from_slope decimal(9, 6), is_long_overdue boolean, is_out_of_touch boolean, "
            "days_to_renewal bigint, tenure_days bigint, active_days_30d bigint, "
            "modules_used_30d bigint, active_user_ratio decimal(9, 6), "
            "use_change_ratio decimal(9, 6), is_churn_scheduled boolean, has_churned_30d boolean, "
            "has_churned_60d boolean, has_churned_90d boolean, left_out_reason varchar)"
        )
        connection.execute(
            "insert into health.health_backtest_predictions by name "
            "select * from (values "
            "('a', date '2025-01-01', date '2024-12-31', 'Pro', 60, 'average', 20, false, true, "
            "true, null, null), ('b', '2025-01-01', '2024-12-31', 'Pro', null, 'unknown', null, "
            "false, true, true, null, 'health unknown')) as rows (account_id, day, features_on, "
            "tier, health_score, health_state, risk_points, is_churn_scheduled, has_churned_30d, "
            "has_churned_60d, has_churned_90d, left_out_reason)"
        )
        model = judge_the_past(connection)
        rows = connection.execute(
            "select horizon_days, n, churned from health.health_backtest "
            "where model = 'health' and segment = 'all' order by all"
        ).fetchall()
        comments = connection.execute(
            "select column_name, comment from duckdb_columns() where table_name = 'health_backtest'"
        ).fetchall()
        (verdict,) = connection.execute("select verdict from health.renewal_model").fetchall()
    assert rows == [(30, 1, 1), (60, 1, 1), (90, 0, 0)]
    assert dict(comments) == {name: meaning for name, _, meaning in BACKTEST.columns}
    assert verdict == (model.verdict,)
    assert model.verdict.startswith("0 accounts churned: it takes 50")
