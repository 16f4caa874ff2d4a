"""How well health and renewal risk told churn beforehand: rolling origin, no look ahead.

Predictions are made on the first day of each month from what was shown for the day before (the mart
health_backtest_predictions). Sources: spec 50, "Back-test without leaks"; scikit-learn's
`roc_auc_score`, `brier_score_loss` and `LogisticRegression`. Intervals are percentiles over
resamples of whole accounts, since an account's months are alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

HORIZONS = (30, 60, 90)
RESAMPLES = 100
SEED = 20_260_701
FEWEST_CHURNED = 10  # under so many a figure says more about chance than about the model
LEAK_AUC = 0.995  # nothing honest tells churn so well
LEAK_CHURNED = 20
ALL, SCHEDULED = "all", "churn scheduled"

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One account on the first day of a month.

    Attributes:
        account_id: The account.
        day: The day of the prediction.
        features_on: The day whose shown row it is made from.
        tier: The account's tier then.
        risks: By model, a number that is higher the likelier churn is.
        is_poor: Whether its health was poor.
        churned: By horizon in days, whether it churned; None while that is not known.
        is_scheduled: Whether a cancellation had been asked for already.
        features: What else was shown for that day, by name; None where it is missing.
    """

    account_id: str
    day: date
    features_on: date
    tier: str
    risks: Mapping[str, float]
    is_poor: bool
    churned: Mapping[int, bool | None]
    is_scheduled: bool
    features: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One row of health_backtest; what can't be said of so few is None."""

    model: str
    horizon_days: int
    segment: str
    n: int
    churned: int
    base_rate_ratio: float | None
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    poor: int | None = None
    poor_churned: int | None = None
    precision_of_poor_ratio: float | None = None
    recall_of_poor_ratio: float | None = None
    top_decile: int | None = None
    top_decile_lift: float | None = None
    calibrated: int | None = None
    predicted_churn_ratio: float | None = None
    observed_churn_ratio: float | None = None
    brier_score: float | None = None
    verdict: str


def evaluate(
    predictions: Sequence[Prediction], *, gap_days: int, resamples: int = RESAMPLES
) -> list[Result]:
    """Every model at every horizon, over all accounts, by tier, and of scheduled churn apart."""
    found: list[Result] = []
    for model in sorted({model for one in predictions for model in one.risks}):
        for horizon in HORIZONS:
            known = [p for p in predictions if model in p.risks and p.churned[horizon] is not None]
            leak = find_leak(known, model, horizon)
            for segment, rows in _segments(known):
                if leak:
                    found.append(_result(rows, model, horizon, segment, f"refused: {leak}"))
                else:
                    found.append(_judge(rows, model, horizon, segment, gap_days, resamples))
    return found


def find_leak(predictions: Sequence[Prediction], model: str, horizon: int) -> str | None:
    """Why a model can't be trusted: it read the future, or tells it better than anything could."""
    late = sum(p.features_on >= p.day for p in predictions)
    if late:
        return f"{late} predictions read days that were not over when they were made"
    churned, risks = _arrays(predictions, model, horizon)
    if min(churned.sum(), (~churned).sum()) < LEAK_CHURNED:
        return None
    auc = auc_of(churned, risks)
    if auc >= LEAK_AUC:
        return f"an AUC of {auc:.4f} is too good to be true; look for a column from the future"
    return None


def _segments(known: Sequence[Prediction]) -> Iterator[tuple[str, list[Prediction]]]:
    open_ones = [p for p in known if not p.is_scheduled]
    yield ALL, open_ones
    for tier in sorted({p.tier for p in open_ones}):
        yield f"tier {tier}", [p for p in open_ones if p.tier == tier]
    yield SCHEDULED, [p for p in known if p.is_scheduled]


def _judge(
    rows: Sequence[Prediction],
    model: str,
    horizon: int,
    segment: str,
    gap_days: int,
    resamples: int,
) -> Result:
    churned, risks = _arrays(rows, model, horizon)
    if min(churned.sum(), (~churned).sum()) < FEWEST_CHURNED:
        return _result(rows, model, horizon, segment, "too few churned, or stayed, to tell")
    low, high = _interval(rows, churned, risks, resamples if segment == ALL else 0)
    figures: dict[str, float | int | None] = {
        "auc": auc_of(churned, risks),
        "auc_low": low,
        "auc_high": high,
        **_lift(rows, churned, risks),
        **(_poor(rows, churned) if model == "health" else {}),
        **(_calibration(rows, model, horizon, gap_days) if segment == ALL else {}),
    }
    rounded = {k: round(v, 6) if isinstance(v, float) else v for k, v in figures.items()}
    return _result(rows, model, horizon, segment, _verdict(low, high), rounded)


def _result(
    rows: Sequence[Prediction],
    model: str,
    horizon: int,
    segment: str,
    verdict: str,
    figures: Mapping[str, float | int | None] | None = None,
) -> Result:
    churned = sum(bool(p.churned[horizon]) for p in rows)
    return Result(
        model=model,
        horizon_days=horizon,
        segment=segment,
        n=len(rows),
        churned=churned,
        base_rate_ratio=churned / len(rows) if rows else None,
        verdict=verdict,
        **(figures or {}),  # type: ignore[arg-type]
    )


def _verdict(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "told without an interval"
    if low > 0.5:
        return "tells churn beforehand"
    return "the wrong way round" if high < 0.5 else "no better than chance"


def _arrays(rows: Sequence[Prediction], model: str, horizon: int) -> tuple[Booleans, Floats]:
    churned = np.array([bool(p.churned[horizon]) for p in rows], dtype=np.bool_)
    return churned, np.array([p.risks[model] for p in rows], dtype=np.float64)


def auc_of(churned: Booleans, risks: Floats) -> float:
    """How often of two rows the one that churned has the higher risk; ties count half."""
    from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

    return float(roc_auc_score(churned, risks))


def _interval(
    rows: Sequence[Prediction], churned: Booleans, risks: Floats, resamples: int
) -> tuple[float | None, float | None]:
    """The middle 95 % of the AUC over resamples of accounts."""
    if not resamples:
        return None, None
    accounts = [row.account_id for row in rows]
    told = [
        auc_of(churned[chosen], risks[chosen]) for chosen in resampled(accounts, churned, resamples)
    ]
    low, high = np.percentile(told, [2.5, 97.5])
    return float(low), float(high)


def resampled(
    accounts: Sequence[str], churned: Booleans, resamples: int
) -> Iterator[npt.NDArray[np.int64]]:
    """The same draws of whole accounts every time, as row numbers; only such as tell an AUC."""
    dice = np.random.default_rng(SEED)
    owned: dict[str, list[int]] = {}
    for number, account in enumerate(accounts):
        owned.setdefault(account, []).append(number)
    months = [np.array(owned[account]) for account in sorted(owned)]
    for _ in range(resamples):
        drawn = dice.integers(len(months), size=len(months))
        chosen = np.concatenate([months[number] for number in drawn])
        if churned[chosen].any() and not churned[chosen].all():
            yield chosen


def _lift(
    rows: Sequence[Prediction], churned: Booleans, risks: Floats
) -> dict[str, float | int | None]:
    """How much oftener the riskiest tenth churned than all; ties go by account and day."""
    order = sorted(range(len(rows)), key=lambda n: (-risks[n], rows[n].account_id, rows[n].day))
    top = order[: -(-len(rows) // 10)]
    return {
        "top_decile": len(top),
        "top_decile_lift": float(churned[top].mean() / churned.mean()),
    }


def _poor(rows: Sequence[Prediction], churned: Booleans) -> dict[str, float | int | None]:
    poor = np.array([p.is_poor for p in rows], dtype=np.bool_)
    hits = int((poor & churned).sum())
    return {
        "poor": int(poor.sum()),
        "poor_churned": hits,
        "precision_of_poor_ratio": hits / int(poor.sum()) if poor.any() else None,
        "recall_of_poor_ratio": hits / int(churned.sum()),
    }


def _calibration(
    rows: Sequence[Prediction], model: str, horizon: int, gap_days: int
) -> dict[str, float | int | None]:
    """Probabilities of a logistic curve over the risk, each fitted on what was over by then."""
    from sklearn.metrics import brier_score_loss

    told: list[float] = []
    came: list[bool] = []
    for day in sorted({p.day for p in rows}):
        over = [p for p in rows if p.day + timedelta(days=gap_days + horizon) < day]
        now = [p for p in rows if p.day == day]
        churned, _ = _arrays(over, model, horizon)
        if over and min(churned.sum(), (~churned).sum()) >= FEWEST_CHURNED:
            told.extend(_fitted(over, now, model, horizon))
            came.extend(bool(p.churned[horizon]) for p in now)
    if not told:
        return {"calibrated": 0}
    return {
        "calibrated": len(told),
        "predicted_churn_ratio": float(np.mean(told)),
        "observed_churn_ratio": float(np.mean(came)),
        "brier_score": float(brier_score_loss(came, told)),
    }


def _fitted(
    over: Sequence[Prediction], now: Sequence[Prediction], model: str, horizon: int
) -> list[float]:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    churned, risks = _arrays(over, model, horizon)
    _, asked = _arrays(now, model, horizon)
    curve = LogisticRegression().fit(risks.reshape(-1, 1) / 100, churned)
    return [float(p) for p in curve.predict_proba(asked.reshape(-1, 1) / 100)[:, 1]]
