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

A milestone that was told of is `recovered`; a better score that missing inputs made is `between`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from assets.alerts.comparing import (
    is_propped_up,
    is_put_down_to_configuration,
    value_of,
    verdict_of,
    verdict_with_memory,
)
from assets.alerts.memory import SCHEMA
from assets.alerts.rules import Rule

# A rule that fires for so few is no storm, whatever their share.
STORM_MINIMUM = 10

Mode = Literal["live", "baseline", "warming"]

_OVER = ("recovered", "out")
_HELD_BACK = ("superseded", "cooldown", "baseline", "configuration", "storm")
_SILENCED = ("baseline", "configuration")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One rule's rows of a day, and how many accounts it could and could not judge."""

    rows: pl.DataFrame
    judged: int
    unjudged: int
    attribute_missing: int


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
        value_of(rule).alias("value"),
        (pl.col(f"t_{rule.metric}") if rule.compares_words else pl.lit(None)).alias("said"),
        is_put_down_to_configuration(rule, day.columns).alias("is_configured"),
        is_propped_up(rule, day.columns).alias("is_propped_up"),
        is_in_scope.alias("is_in_scope"),
    ).with_columns(verdict_of(rule).alias("verdict"))
    counts = dict(seen["verdict"].value_counts().rows())
    judged = sum(counts.get(verdict, 0) for verdict in ("holds", "recovered", "between"))
    known = pl.col("account_id").is_in(memory["account_id"].implode())
    rows = (
        seen.filter((pl.col("verdict") == "holds") | known)
        .select("account_id", "value", "said", "is_configured", "verdict")
        .join(memory.drop("rule"), on="account_id", how="full", coalesce=True)
        .with_columns(
            pl.col("said").cast(pl.String),
            pl.col("is_configured").fill_null(value=False),
            pl.col("verdict").fill_null("unjudged"),
            pl.col("phase").fill_null("quiet"),
            pl.col("held_days").fill_null(0),
            pl.col("over_days").fill_null(0),
            **_settings(rule, mode, judged),
        )
        .with_columns(verdict_with_memory(rule).alias("verdict"))
    )
    unseen = memory.join(day, on="account_id", how="anti").filter(
        (pl.col("phase") != "quiet") | (pl.col("held_days") > 0)
    )
    return Judged(
        rows=rows,
        judged=judged,
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
        severest rule of the family `outranked_by`, whether a suppression `is_news`, how many alerts
        the rule `would_fire`, and `next_…`, the columns of memory after the day.
    """
    return (
        rows.with_columns(
            _streak().alias("streak"),
            _closes().alias("closes"),
        )
        .with_columns(_is_due().alias("is_due"), _is_cooling(day).alias("is_cooling"))
        .with_columns(_would_fire().sum().over("rule").alias("would_fire"))
        .with_columns((_would_fire() & _is_over_its_share()).alias("is_storm"))
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


def _settings(rule: Rule, mode: Mode, judged: int) -> dict[str, pl.Expr]:
    most = max(STORM_MINIMUM, int(rule.max_share * judged))
    return {
        "rule": pl.lit(rule.rule),
        "family": pl.lit(rule.family_name),
        "rank": pl.lit(rule.rank, dtype=pl.Int64),
        "for_days": pl.lit(rule.for_days, dtype=pl.Int64),
        "keep_firing_days": pl.lit(rule.keep_firing_days, dtype=pl.Int64),
        "cooldown_days": pl.lit(rule.cooldown_days, dtype=pl.Int64),
        "is_once": pl.lit(rule.is_once),
        "most": pl.lit(most, dtype=pl.Int64),
        "mode": pl.lit(mode),
    }


def _closes() -> pl.Expr:
    """Whether an open alert is over: out of scope at once, recovered after `keep_firing_days`."""
    is_over = (pl.col("verdict") == "recovered") & (
        pl.col("over_days") >= pl.col("keep_firing_days")
    )
    return (pl.col("phase") == "open") & (is_over | (pl.col("verdict") == "out"))


def _would_fire() -> pl.Expr:
    return pl.col("is_due") & ~pl.col("is_cooling") & ~_begins_by_edit()


def _is_over_its_share() -> pl.Expr:
    return pl.col("would_fire") > pl.col("most")


def _begins_by_edit() -> pl.Expr:
    """Whether the condition holds since today, and an edit made it so."""
    begins = (pl.col("phase") == "quiet") & (pl.col("held_days") == 0)
    return begins & (pl.col("verdict") == "holds") & pl.col("is_configured")


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
    fires = _would_fire() & ~pl.col("is_storm")
    return (
        rows.with_columns((stays_open | fires).alias("stands"))
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
        .when(pl.col("closes") & pl.col("is_once"))
        .then(pl.lit("milestone"))
        .when(pl.col("closes") & ~is_missing)
        .then(pl.lit("recovered"))
        .when(_begins_by_edit() & (pl.col("mode") == "live"))
        .then(pl.lit("configuration"))
        .when(pl.col("is_outranked"))
        .then(pl.lit("superseded"))
        .when(pl.col("is_due") & pl.col("is_cooling"))
        .then(pl.lit("cooldown"))
        .when(quiet_and_holds & (pl.col("mode") == "baseline"))
        .then(pl.lit("baseline"))
        .when(pl.col("is_storm"))
        .then(pl.lit("storm"))
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
        .when(cause.is_in(_HELD_BACK))
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
        .when(pl.col("cause").is_in(_SILENCED))
        .then(pl.lit("muted"))
        .when((effect == "resolved") | _is_heard_again())
        .then(pl.lit("quiet"))
        .otherwise(phase)
    )


def _is_heard_again() -> pl.Expr:
    """A muted row after its recovery; a milestone that was reached before stays muted for ever."""
    is_over = pl.col("verdict").is_in(_OVER) & ~pl.col("is_once")
    return (pl.col("phase") == "muted") & is_over


def _next_over_days() -> pl.Expr:
    """Judged days in a row on which an alert that stays open was over, at most as many as count."""
    over, verdict = pl.col("over_days"), pl.col("verdict")
    return (
        pl.when(pl.col("next_phase") != "open")
        .then(0)
        .when(verdict == "unjudged")
        .then(over)
        .when(verdict == "recovered")
        .then(over + 1)
        .otherwise(0)
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
        _next_over_days().alias("next_over_days"),
        pl.when(effect == "opened")
        .then(pl.lit(day))
        .otherwise("last_triggered_on")
        .alias("next_last_triggered_on"),
        pl.when((effect == "suppressed") | stays_due)
        .then(cause)
        .otherwise(pl.when(is_frozen & ~ended).then("suppressed_by").otherwise(nothing))
        .alias("next_suppressed_by"),
    ]
