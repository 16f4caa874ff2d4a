"""Judges all accounts of one data day against the rules, as frames.

`judge` compares one rule with one day and keeps only the accounts with something to say: where
the condition holds, or where the rule remembers something. `advance` then moves all rules' rows
through one day at once. Neither looks at anything but its arguments.

Verdicts of a rule on an account and day:

- `holds`: beyond the threshold (or missing, where the rule alerts on that);
- `recovered`: at or past `recover_at` (or missing, where the rule resolves on that);
- `between`: neither, the hysteresis;
- `out`: the account is certainly not one that the rule is about;
- `unjudged`: no row, no value or an attribute is missing; nothing is resolved by it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from assets.alerts.memory import SCHEMA
from assets.alerts.rules import ACCOUNT_STATUS, Rule, RuleFilter

ACTIVE_STATUSES = ("customer", "past_due")
# The day's status, and the account's own as of the release.
STATUSES = {ACCOUNT_STATUS, "status"}

Mode = Literal["live", "baseline", "warming"]

_OVER = ("recovered", "out")
_ON_MISSING = {"keep": "unjudged", "resolve": "recovered", "alert": "holds"}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One rule's rows of a day, and how many accounts it could and could not judge."""

    rows: pl.DataFrame
    judged: int
    unjudged: int
    attribute_missing: int


def scope_of(filters: tuple[RuleFilter, ...]) -> pl.Expr:
    """Whether a rule is about an account: true, false, or NULL where an attribute is missing.

    A certain no outweighs a missing attribute. Test accounts never are; without a filter on the
    account status, customers and past-due ones only: no trials, no leads.
    """
    conditions = [~pl.col("is_test"), *(_condition(found) for found in filters)]
    if not STATUSES & {found.attribute for found in filters}:
        conditions.append(pl.col(ACCOUNT_STATUS).is_in(ACTIVE_STATUSES))
    return pl.all_horizontal(conditions)


def judge(
    day: pl.DataFrame, is_in_scope: pl.Series, memory: pl.DataFrame, rule: Rule, mode: Mode
) -> Judged:
    """Compares one rule with one day.

    Args:
        day: all accounts of the day (`ReleaseReader.day`).
        is_in_scope: `scope_of` the rule's filters on the same rows.
        memory: what this rule remembers.
        rule: the rule.
        mode: `live`, `baseline` (nothing fires, what holds is muted) or `warming` (only counts).

    Returns:
        Rows with `verdict`, `value`, the rule's settings and the columns of memory.
    """
    seen = day.select(
        "account_id",
        pl.col(f"m_{rule.metric}").alias("value"),
        is_in_scope.alias("is_in_scope"),
    ).with_columns(_verdict(rule).alias("verdict"))
    known = pl.col("account_id").is_in(memory["account_id"].implode())
    rows = (
        seen.filter((pl.col("verdict") == "holds") | known)
        .select("account_id", "value", "verdict")
        .join(memory.drop("rule"), on="account_id", how="full", coalesce=True)
        .with_columns(
            pl.col("verdict").fill_null("unjudged"),
            pl.col("phase").fill_null("quiet"),
            pl.col("held_days").fill_null(0),
            **_settings(rule, mode),
        )
    )
    counts = dict(seen["verdict"].value_counts().rows())
    unseen = memory.join(day, on="account_id", how="anti").filter(
        (pl.col("phase") != "quiet") | (pl.col("held_days") > 0)
    )
    return Judged(
        rows=rows,
        judged=sum(counts.get(verdict, 0) for verdict in ("holds", "recovered", "between")),
        unjudged=counts.get("unjudged", 0) + unseen.height,
        attribute_missing=seen["is_in_scope"].null_count(),
    )


def advance(rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """Moves the judged rows of all rules through one day.

    Args:
        rows: `Judged.rows` of every rule of the day.
        day: the data day.

    Returns:
        The same rows with `effect` (`opened`, `resolved`, `suppressed` or NULL), its `cause`, the
        severest rule of the family `outranked_by`, whether a suppression `is_news`, and `next_…`,
        the columns of memory after the day.
    """
    return (
        rows.with_columns(
            _streak().alias("streak"),
            ((pl.col("phase") == "open") & pl.col("verdict").is_in(_OVER)).alias("closes"),
        )
        .with_columns(_is_due().alias("is_due"), _is_cooling(day).alias("is_cooling"))
        .pipe(_rank)
        .with_columns(_cause().alias("cause"))
        .with_columns(
            _effect().alias("effect"),
            pl.col("cause").ne_missing(pl.col("suppressed_by")).alias("is_news"),
        )
        .with_columns(_next_phase().alias("next_phase"))
        .with_columns(*_next_memory(day))
    )


def memory_after(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of memory that an advanced day leaves behind."""
    renamed = {f"next_{name}": name for name in SCHEMA if name not in ("rule", "account_id")}
    return rows.select("rule", "account_id", *renamed).rename(renamed).select(list(SCHEMA))


def _condition(found: RuleFilter) -> pl.Expr:
    column, values = pl.col(f"a_{found.attribute}"), list(found.values)
    is_one = column.is_in(values)
    return is_one if found.operator in ("is", "in") else ~is_one


def _verdict(rule: Rule) -> pl.Expr:
    value, is_below = pl.col("value"), rule.operator == "below"
    holds = value < rule.threshold if is_below else value > rule.threshold
    recovered = value >= rule.recovers_at if is_below else value <= rule.recovers_at
    return (
        pl.when(pl.col("is_in_scope").is_null())
        .then(pl.lit("unjudged"))
        .when(~pl.col("is_in_scope"))
        .then(pl.lit("out"))
        .when(value.is_null())
        .then(pl.lit(_ON_MISSING[rule.on_missing]))
        .when(holds)
        .then(pl.lit("holds"))
        .when(recovered)
        .then(pl.lit("recovered"))
        .otherwise(pl.lit("between"))
    )


def _settings(rule: Rule, mode: Mode) -> dict[str, pl.Expr]:
    return {
        "rule": pl.lit(rule.rule),
        "family": pl.lit(rule.family_name),
        "rank": pl.lit(rule.rank, dtype=pl.Int64),
        "for_days": pl.lit(rule.for_days, dtype=pl.Int64),
        "cooldown_days": pl.lit(rule.cooldown_days, dtype=pl.Int64),
        "mode": pl.lit(mode),
    }


def _is_due() -> pl.Expr:
    """Whether a row would open an alert if nothing held it back."""
    holds = (pl.col("phase") == "quiet") & (pl.col("verdict") == "holds")
    return holds & (pl.col("streak") >= pl.col("for_days")) & (pl.col("mode") == "live")


def _is_cooling(day: date) -> pl.Expr:
    rested = pl.lit(day) - pl.col("last_triggered_on")
    return (rested.dt.total_days() < pl.col("cooldown_days")).fill_null(value=False)


def _rank(rows: pl.DataFrame) -> pl.DataFrame:
    """Finds who is outranked: in a family only the severest of an account's alerts stands."""
    stays_open = (pl.col("phase") == "open") & ~pl.col("closes")
    family = ["account_id", "family"]
    return (
        rows.with_columns((stays_open | (pl.col("is_due") & ~pl.col("is_cooling"))).alias("stands"))
        .with_columns(pl.when("stands").then("rank").max().over(family).alias("top"))
        .with_columns(
            pl.when(pl.col("stands") & (pl.col("rank") == pl.col("top")))
            .then("rule")
            .min()
            .over(family)
            .alias("outranked_by"),
            (pl.col("stands") & (pl.col("rank") < pl.col("top"))).alias("is_outranked"),
        )
    )


def _cause() -> pl.Expr:
    """Why a row does what it does today; NULL where it does nothing. The first that fits wins."""
    is_missing, is_out = pl.col("value").is_null(), pl.col("verdict") == "out"
    quiet_and_holds = (pl.col("phase") == "quiet") & (pl.col("verdict") == "holds")
    return (
        pl.when(pl.col("closes") & is_out)
        .then(pl.lit("out_of_scope"))
        .when(pl.col("closes") & ~is_missing)
        .then(pl.lit("recovered"))
        .when(pl.col("is_outranked"))
        .then(pl.lit("superseded"))
        .when(pl.col("is_due") & pl.col("is_cooling"))
        .then(pl.lit("cooldown"))
        .when(quiet_and_holds & (pl.col("mode") == "baseline"))
        .then(pl.lit("baseline"))
        .when((pl.col("is_due") | pl.col("closes")) & is_missing)
        .then(pl.lit("missing"))
        .when(pl.col("is_due"))
        .then(pl.lit("crossed"))
    )


def _effect() -> pl.Expr:
    cause, is_open = pl.col("cause"), pl.col("phase") == "open"
    return (
        pl.when(pl.col("closes") | (is_open & (cause == "superseded")))
        .then(pl.lit("resolved"))
        .when(cause.is_in(["superseded", "cooldown", "baseline"]))
        .then(pl.lit("suppressed"))
        .when(cause.is_not_null())
        .then(pl.lit("opened"))
    )


def _streak() -> pl.Expr:
    """Judged days in a row on which the condition has held; a day not judged leaves it as it is.

    It stops at `for_days`, so that a row which is held back for months is written once.
    """
    held, verdict = pl.col("held_days"), pl.col("verdict")
    return (
        pl.when((pl.col("phase") != "quiet") | (verdict == "unjudged"))
        .then(held)
        .when(verdict == "holds")
        .then(pl.min_horizontal(held + 1, pl.col("for_days")))
        .otherwise(0)
    )


def _next_phase() -> pl.Expr:
    effect, phase = pl.col("effect"), pl.col("phase")
    return (
        pl.when(effect == "opened")
        .then(pl.lit("open"))
        .when(pl.col("cause") == "baseline")
        .then(pl.lit("muted"))
        .when((effect == "resolved") | ((phase == "muted") & pl.col("verdict").is_in(_OVER)))
        .then(pl.lit("quiet"))
        .otherwise(phase)
    )


def _next_memory(day: date) -> list[pl.Expr]:
    """The rest of memory; a superseded rule stays due, for when the severer one is over."""
    effect, cause, held_since = pl.col("effect"), pl.col("cause"), pl.col("held_since")
    ended, holds = effect.eq_missing(pl.lit("resolved")), pl.col("verdict") == "holds"
    stays_due = ended & cause.eq_missing(pl.lit("superseded")) & holds
    forgets = (ended & ~stays_due) | (pl.col("next_phase") == "muted")
    is_frozen = (pl.col("verdict") == "unjudged") | (pl.col("next_phase") == "muted")
    began = (pl.col("phase") == "quiet") & holds & (pl.col("held_days") == 0)
    ends = (pl.col("phase") == "quiet") & (pl.col("streak") == 0)
    nothing = pl.lit(None)
    return [
        pl.when(stays_due)
        .then("for_days")
        .otherwise(pl.when(forgets).then(0).otherwise("streak"))
        .alias("next_held_days"),
        pl.when(forgets | ends)
        .then(nothing)
        .otherwise(pl.when(began).then(pl.lit(day)).otherwise(held_since))
        .alias("next_held_since"),
        pl.when(effect == "opened")
        .then(pl.lit(day))
        .otherwise("last_triggered_on")
        .alias("next_last_triggered_on"),
        pl.when((effect == "suppressed") | stays_due)
        .then(cause)
        .otherwise(pl.when(is_frozen & ~ended).then("suppressed_by").otherwise(nothing))
        .alias("next_suppressed_by"),
    ]
