"""A logistic model of churn, fitted on what was shown and what came of it; rolling origin.

Each month of the past is foretold by a model fitted on those predictions alone whose outcome was
over by then; what it foretold is compared with the points of renewal risk on the same rows. Only a
model that beats them there, and whose probabilities came true, may say what a renewal is to lose.
Sources: spec 50, `renewal_risk` and "Back-test without leaks"; scikit-learn's `LogisticRegression`
(L2, C = 1, over standardized features; what is missing counts as the mean).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assets.health.backtest import (
    RESAMPLES,
    Booleans,
    Floats,
    Prediction,
    auc_of,
    find_leak,
    resampled,
)

MODEL, FORMULA = "renewal_model", "renewal_risk"
HORIZON = 90
# What the model reads of a prediction, and what it means.
FEATURES = {
    "health_risk": "(100 - health score) / 100.",
    "points_from_slope": "Points of renewal risk for a falling score.",
    "is_long_overdue": "1 where an invoice was long overdue.",
    "is_out_of_touch": "1 where there had been no two-way contact for long.",
    "is_renewal_due": "1 where a renewal falls due in the days that are foretold.",
    "tenure_days": "Days as a customer.",
    "active_days_30d": "Days of use in the last 30.",
    "modules_used_30d": "Modules used in the last 30 days.",
    "active_user_ratio": "Share of registered users who were active in 30 days.",
    "use_change_ratio": "Change of use against the 30 days before, -1 to 1.",
}
TENTHS = 10
_DIGITS = 6

Days = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True, kw_only=True)
class FitRules:
    """What it takes to be fitted, judged and used (seeds/backtest_settings.csv)."""

    gap_days: int
    fewest_churned: int
    fewest_months: int
    tolerance: float

    @property
    def days_foretold(self) -> range:
        """The days after a prediction in which a churn counts."""
        return range(self.gap_days + 1, self.gap_days + HORIZON + 1)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A fitted model; its numbers are rounded, and its probabilities made from these.

    Attributes:
        intercept: The log odds of an account with the mean of every feature.
        coefficients: What one standard deviation of a feature adds to the log odds.
        means: The mean of each feature over the rows that it was fitted on.
        deviations: The standard deviation; 0 for a feature that told nothing.
    """

    intercept: float
    coefficients: Floats
    means: Floats
    deviations: Floats

    def ask(self, features: Floats) -> Floats:
        """The probability of churn per row of features."""
        odds = self.intercept + _standardized(features, self.means, self.deviations) @ (
            self.coefficients
        )
        return np.round(1 / (1 + np.exp(-odds)), _DIGITS)


@dataclass(frozen=True, kw_only=True)
class Tenth:
    """A tenth of the rows foretold, from the safest on: what was foretold and what came."""

    tenth: int
    n: int
    churned: int
    lowest_probability: float
    highest_probability: float
    predicted_churn_ratio: float
    observed_churn_ratio: float


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The model beside the formula, on the rows that it foretold out of sample."""

    months: int
    n: int
    churned: int
    auc: float
    auc_low: float
    auc_high: float
    formula_auc: float
    auc_gain: float
    auc_gain_low: float
    auc_gain_high: float
    predicted_churn_ratio: float
    observed_churn_ratio: float
    brier_score: float
    base_brier_score: float


@dataclass(frozen=True, kw_only=True)
class RenewalModel:
    """What came of the fit.

    Attributes:
        n: Rows with an outcome that may be fitted on.
        churned: Those that churned.
        curve: The fit over all of them; None where they are too few.
        judgement: How it did out of sample; None where too few months were foretold, or a leak was.
        tenths: Its calibration, from the safest tenth on.
        foretold: By row of the predictions, the probability that was foretold out of sample.
        is_used: Whether it may say what a renewal is to lose.
        verdict: Why, in a sentence.
    """

    n: int
    churned: int
    curve: Curve | None = None
    judgement: Judgement | None = None
    tenths: tuple[Tenth, ...] = ()
    foretold: dict[int, float]
    is_used: bool = False
    verdict: str


def fit_renewal_model(
    predictions: Sequence[Prediction], rules: FitRules, *, resamples: int = RESAMPLES
) -> RenewalModel:
    """Fits, foretells the past month by month, and judges what was foretold."""
    rows = [
        n
        for n, p in enumerate(predictions)
        if p.churned[HORIZON] is not None and not p.is_scheduled
    ]
    known = [predictions[n] for n in rows]
    churned = np.array([bool(p.churned[HORIZON]) for p in known], dtype=np.bool_)
    accounts = np.array([p.account_id for p in known], dtype=np.str_)
    found = RenewalModel(n=len(known), churned=int(churned.sum()), foretold={}, verdict="")
    if not _is_enough(accounts, churned, rules):
        told_by = len(np.unique(accounts[churned]))
        return replace(
            found,
            verdict=f"{told_by} accounts churned: it takes {rules.fewest_churned}, and as many "
            "that stayed",
        )
    features = features_of(known, rules)
    curve = _fit(features, churned)
    days = np.array([p.day.toordinal() for p in known], dtype=np.int64)
    told = _foretell(days, accounts, features, churned, rules)
    places = np.flatnonzero(~np.isnan(told))
    foretold = {rows[n]: float(told[n]) for n in places}
    judged = [_with_risk(known[n], float(told[n])) for n in places]
    return _judge(replace(found, curve=curve, foretold=foretold), judged, rules, resamples)


def features_of(predictions: Sequence[Prediction], rules: FitRules) -> Floats:
    """A row per prediction with a column per feature; NaN where it is missing."""
    days = rules.days_foretold
    cells = [
        {
            **p.features,
            "health_risk": p.risks["health"] / 100,
            "is_renewal_due": p.features.get("days_to_renewal") in days,
        }
        for p in predictions
    ]
    table = [
        [np.nan if row.get(name) is None else float(row[name] or 0) for name in FEATURES]
        for row in cells
    ]
    return np.array(table, dtype=np.float64).reshape(len(cells), len(FEATURES))


def _foretell(
    days: Days, accounts: Names, features: Floats, churned: Booleans, rules: FitRules
) -> Floats:
    """The probability of each row by a fit over what was over by its day; NaN where too little."""
    wait = rules.gap_days + HORIZON
    told = np.full(len(days), np.nan)
    for day in np.unique(days):
        over, now = days + wait < day, days == day
        if _is_enough(accounts[over], churned[over], rules):
            told[now] = _fit(features[over], churned[over]).ask(features[now])
    return told


def _is_enough(accounts: Names, churned: Booleans, rules: FitRules) -> bool:
    """An account's months are alike: accounts count, not rows."""
    told_by = (len(np.unique(accounts[rows])) for rows in (churned, ~churned))
    return min(told_by) >= rules.fewest_churned


def _fit(features: Floats, churned: Booleans) -> Curve:
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    there = ~np.isnan(features)
    counts = np.maximum(there.sum(axis=0), 1)
    filled = np.where(there, features, 0)
    means = np.round(filled.sum(axis=0) / counts, _DIGITS)
    spread = np.where(there, features - means, 0)
    deviations = np.round(np.sqrt((spread**2).sum(axis=0) / counts), _DIGITS)
    # Newton's steps end at the same digits every time; what is left is rounded away.
    model = LogisticRegression(solver="newton-cholesky", tol=1e-10)
    model.fit(_standardized(features, means, deviations), churned)
    return Curve(
        intercept=round(float(model.intercept_[0]), _DIGITS),
        coefficients=np.round(model.coef_[0], _DIGITS),
        means=means,
        deviations=deviations,
    )


def _standardized(features: Floats, means: Floats, deviations: Floats) -> Floats:
    """Distances from the mean in standard deviations; 0 for what is missing, or tells nothing."""
    scale = np.where(deviations > 0, deviations, 1)
    tells = ~np.isnan(features) & (deviations > 0)
    return np.where(tells, (features - means) / scale, 0.0)


def _judge(
    found: RenewalModel, judged: Sequence[Prediction], rules: FitRules, resamples: int
) -> RenewalModel:
    months = len({p.day for p in judged})
    if months < rules.fewest_months:
        said = f"{months} months were foretold out of sample: it takes {rules.fewest_months}"
        return replace(found, verdict=said)
    leak = find_leak(judged, MODEL, HORIZON)
    if leak:
        return replace(found, verdict=f"refused: {leak}")
    churned = np.array([bool(p.churned[HORIZON]) for p in judged], dtype=np.bool_)
    if churned.all() or not churned.any():
        return replace(found, verdict="in the months foretold all churned, or none")
    told = np.array([p.risks[MODEL] / 100 for p in judged])
    points = np.array([p.risks[FORMULA] * p.features["proximity_ratio"] for p in judged])
    judgement = _compare([p.account_id for p in judged], churned, told, points, resamples)
    verdict = _verdict(replace(judgement, months=months), rules)
    return replace(
        found,
        judgement=replace(judgement, months=months),
        tenths=_tenths(churned, told),
        is_used=verdict is None,
        verdict=verdict or "beats the points out of sample, and came true",
    )


def _compare(
    accounts: Sequence[str], churned: Booleans, told: Floats, points: Floats, resamples: int
) -> Judgement:
    """AUC of both on the same rows and on the same resamples of accounts."""
    pairs = [
        (auc_of(churned[rows], told[rows]), auc_of(churned[rows], points[rows]))
        for rows in resampled(accounts, churned, resamples)
    ]
    aucs, formulas = np.array(pairs, dtype=np.float64).T
    low, high = np.percentile(aucs, [2.5, 97.5])
    gain_low, gain_high = np.percentile(aucs - formulas, [2.5, 97.5])
    auc, formula = auc_of(churned, told), auc_of(churned, points)
    base = float(churned.mean())
    figures = {
        "auc": auc,
        "auc_low": low,
        "auc_high": high,
        "formula_auc": formula,
        "auc_gain": auc - formula,
        "auc_gain_low": gain_low,
        "auc_gain_high": gain_high,
        "predicted_churn_ratio": told.mean(),
        "observed_churn_ratio": base,
        "brier_score": ((told - churned) ** 2).mean(),
        "base_brier_score": base * (1 - base),
    }
    rounded = {name: round(float(value), _DIGITS) for name, value in figures.items()}
    return Judgement(months=0, n=len(churned), churned=int(churned.sum()), **rounded)


def _verdict(judgement: Judgement, rules: FitRules) -> str | None:
    """Why the model may not be used; None where it may."""
    if judgement.auc_gain_low <= 0:
        return (
            "does not beat the points out of sample: AUC "
            f"{judgement.auc:.3f}, theirs {judgement.formula_auc:.3f}"
        )
    came, foretold = judgement.observed_churn_ratio, judgement.predicted_churn_ratio
    if abs(foretold - came) > rules.tolerance * came:
        return f"is not calibrated: it foretold {foretold:.1%}, and {came:.1%} came"
    return None


def _tenths(churned: Booleans, told: Floats) -> tuple[Tenth, ...]:
    """Rows of equal probability stand in one tenth: that of the first of them."""
    order = np.sort(told)
    tenth = np.searchsorted(order, told, side="left") * TENTHS // len(told) + 1
    found = []
    for number in np.unique(tenth):
        own = tenth == number
        found.append(
            Tenth(
                tenth=int(number),
                n=int(own.sum()),
                churned=int(churned[own].sum()),
                lowest_probability=float(told[own].min()),
                highest_probability=float(told[own].max()),
                predicted_churn_ratio=round(float(told[own].mean()), _DIGITS),
                observed_churn_ratio=round(float(churned[own].mean()), _DIGITS),
            )
        )
    return tuple(found)


def _with_risk(prediction: Prediction, probability: float) -> Prediction:
    return replace(prediction, risks={**prediction.risks, MODEL: 100 * probability})
