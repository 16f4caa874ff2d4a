"""What a rule compares on one day, and its verdict on each account, as expressions of frames.

Columns of a day: `m_<metric>` today, `p<n>_<metric>` n days before, `t_<word>` and `q<n>_<word>`
the same of words, `a_<attribute>`, and what moved the health of the day: `h_configuration`,
`h_missing`, `h_change`, `h_is_held`; `h_configuration_<n>` and `h_missing_<n>` in n days.
"""

import polars as pl

from assets.alerts.filters import RuleFilter
from assets.alerts.rules import ACCOUNT_STATUS, Rule

ACTIVE_STATUSES = ("customer", "past_due")
# The day's status, and the account's own as of the release.
STATUSES = {ACCOUNT_STATUS, "status"}

_ON_MISSING = {"keep": "unjudged", "resolve": "recovered", "alert": "holds"}


def scope_of(filters: tuple[RuleFilter, ...]) -> pl.Expr:
    """Whether a rule is about an account: true, false, or NULL where an attribute is missing.

    A certain no outweighs a missing attribute. Test accounts never are; without a filter on the
    account status, customers and past-due ones only: no trials, no leads.
    """
    conditions = [~pl.col("is_test"), *(_condition(found) for found in filters)]
    if not STATUSES & {found.attribute for found in filters}:
        conditions.append(pl.col(ACCOUNT_STATUS).is_in(ACTIVE_STATUSES))
    return pl.all_horizontal(conditions)


def value_of(rule: Rule) -> pl.Expr:
    """The number that a rule compares: a metric, its change, or whether a word is in a set."""
    today, then = pl.col(f"m_{rule.metric}"), pl.col(f"p{rule.window_days}_{rule.metric}")
    word = pl.col(f"t_{rule.metric}")
    if rule.operator == "changed":
        return (word != pl.col(f"q{rule.window_days}_{rule.metric}")).cast(pl.Float64)
    if rule.compares_words:
        is_in = word.is_in(list(rule.values))
        return (is_in if rule.operator == "in" else ~is_in).cast(pl.Float64)
    if rule.change == "amount":
        return today - then
    if rule.change == "percent":
        return pl.when(then != 0).then((today - then) / then.abs())
    return today


def is_put_down_to_configuration(rule: Rule, columns: list[str]) -> pl.Expr:
    """Whether an account's crossing of today is the work of an edit and not of the customer.

    It is where the score, or its change, would not be beyond the threshold without the edit; of a
    state, where the edit moved the score by more than all else did.
    """
    is_asked = rule.is_about_health and rule.on_configuration_change == "baseline"
    edits = f"h_configuration{_window_of(rule)}"
    if not is_asked or edits not in columns or rule.is_once:
        return pl.lit(value=False)
    edit, change = pl.col(edits), pl.col("h_change")
    if rule.compares_words:
        return (edit != 0) & (edit.abs() > (change - edit).abs())
    return (edit != 0) & ~_holds(rule, value_of(rule) - _share_of(rule, edit))


def is_propped_up(rule: Rule, columns: list[str]) -> pl.Expr:
    """Whether a score looks well because what made it bad is missing: that is no recovery."""
    if not rule.is_about_health:
        return pl.lit(value=False)
    knows_holds = "h_is_held" in columns and not rule.change
    is_held = pl.col("h_is_held") if knows_holds else pl.lit(value=False)
    gained = f"h_missing{_window_of(rule)}"
    if gained not in columns or rule.compares_words:
        return is_held
    missing = pl.col(gained)
    without = value_of(rule) - _share_of(rule, missing)
    return is_held | ((missing != 0) & ~_recovers(rule, without))


def _window_of(rule: Rule) -> str:
    """What moved the score counts over the days that a rule's change looks back over."""
    return f"_{rule.window_days}" if rule.change else ""


def _share_of(rule: Rule, points: pl.Expr) -> pl.Expr:
    """Points of the score as what the rule compares."""
    if rule.change != "percent":
        return points
    then = pl.col(f"p{rule.window_days}_{rule.metric}")
    return pl.when(then != 0).then(points / then.abs())


def _holds(rule: Rule, value: pl.Expr) -> pl.Expr:
    if rule.operator == "below":
        return value < rule.edge
    return value >= rule.edge if rule.is_once else value > rule.edge


def _recovers(rule: Rule, value: pl.Expr) -> pl.Expr:
    if rule.is_once:  # what was reached stays reached
        return pl.lit(value=False)
    return value >= rule.recovers_at if rule.operator == "below" else value <= rule.recovers_at


def verdict_of(rule: Rule) -> pl.Expr:
    """What a rule says of an account by the day alone."""
    value = pl.col("value")
    # Nobody reaches a milestone by having no data, and whoever had would not be told again.
    on_missing = "keep" if rule.is_once else rule.on_missing
    return (
        pl.when(pl.col("is_in_scope").is_null())
        .then(pl.lit("unjudged"))
        .when(~pl.col("is_in_scope"))
        .then(pl.lit("out"))
        .when(value.is_null())
        .then(pl.lit(_ON_MISSING[on_missing]))
        .when(_holds(rule, value))
        .then(pl.lit("holds"))
        .when(_recovers(rule, value) & ~pl.col("is_propped_up").fill_null(value=False))
        .then(pl.lit("recovered"))
        .otherwise(pl.lit("between"))
    )


def verdict_with_memory(rule: Rule) -> pl.Expr:
    """A milestone that was told of is over, and holds for nobody again."""
    if not rule.is_once:
        return pl.col("verdict")
    was_told = pl.col("last_triggered_on").is_not_null() & (pl.col("verdict") != "unjudged")
    return pl.when(was_told).then(pl.lit("recovered")).otherwise("verdict")


def _condition(found: RuleFilter) -> pl.Expr:
    column, values = pl.col(f"a_{found.attribute}"), list(found.values)
    is_one = column.is_in(values)
    return is_one if found.operator in ("is", "in") else ~is_one
