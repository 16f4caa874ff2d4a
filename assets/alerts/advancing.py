"""Moves the judged rows of all rules through one data day, as frames.

What opened, what was resolved, what was held back and by what, and what is remembered for the next
day. Nothing here looks at anything but its arguments.
"""

from datetime import date

import polars as pl

from assets.alerts.memory import KEYS, SCHEMA

_OVER = ("recovered", "out")
_HELD_BACK = ("superseded", "cooldown", "baseline", "configuration", "storm")
_SILENCED = ("baseline", "configuration")


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
        .with_columns(_accounts_to_fire_for().alias("would_fire"))
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
    renamed = {f"next_{name}": name for name in SCHEMA if name not in KEYS}
    return rows.select(*KEYS, *renamed).rename(renamed)


def _closes() -> pl.Expr:
    """Whether an open alert is over: out of scope at once, recovered after `keep_firing_days`."""
    is_over = (pl.col("verdict") == "recovered") & (
        pl.col("over_days") >= pl.col("keep_firing_days")
    )
    return (pl.col("phase") == "open") & (is_over | (pl.col("verdict") == "out"))


def _would_fire() -> pl.Expr:
    return pl.col("is_due") & ~pl.col("is_cooling") & ~_begins_by_edit()


def _accounts_to_fire_for() -> pl.Expr:
    """How many accounts a rule would fire for, however many alerts of each."""
    return pl.col("account_id").filter(_would_fire()).n_unique().over("rule")


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
    """Finds who is outranked: of a family's alerts of one thing only the severest stands."""
    stays_open = (pl.col("phase") == "open") & ~pl.col("closes")
    family = ["account_id", "dimensions", "family"]
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
