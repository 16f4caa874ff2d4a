"""Judges all accounts of one data day against a rule, as frames.

`judge` compares one rule with one day and keeps only the accounts with something to say: where
the condition holds, or where the rule remembers something. It looks at nothing but its arguments;
what becomes of its rows is `assets.alerts.advancing`'s.

Verdicts of a rule on an account and day:

- `holds`: beyond the threshold (or missing, where the rule alerts on that);
- `recovered`: at or past `recover_at` (or missing, where the rule resolves on that);
- `between`: neither, the hysteresis;
- `out`: the account is certainly not one that the rule is about;
- `unjudged`: no row, no value or an attribute is missing; nothing is resolved by it.

A milestone that was told of is `recovered`; a better score that missing inputs made is `between`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import polars as pl

from assets.alerts.comparing import (
    is_propped_up,
    is_put_down_to_configuration,
    value_of,
    verdict_of,
    verdict_with_memory,
)
from assets.alerts.rules import Rule

# A rule that fires for so few is no storm, whatever their share.
STORM_MINIMUM = 10

Mode = Literal["live", "baseline", "warming"]

_KEYS = ["account_id", "dimensions"]
_JUDGED = ("holds", "recovered", "between")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One rule's rows of a day, and how many it could and could not judge.

    A row is an account; of a rule with a scope, an account and one of the rule's dimensions.
    """

    rows: pl.DataFrame
    judged: int
    unjudged: int
    attribute_missing: int


def judge(
    day: pl.DataFrame,
    is_in_scope: pl.Series,
    standing: pl.Series,
    memory: pl.DataFrame,
    rule: Rule,
    mode: Mode,
) -> Judged:
    """Compares one rule with one day.

    Args:
        day: all accounts of the day (`ReleaseReader.day`), for a rule with a scope `narrowed`.
        is_in_scope: `scope_of` the rule's filters on the same rows.
        standing: the accounts that there are on that day (`ReleaseReader.standing`).
        memory: what this rule remembers.
        rule: the rule.
        mode: `live`, `baseline` (nothing fires, what holds is muted) or `warming` (only counts).

    Returns:
        Rows with `verdict`, `value`, the rule's settings and the columns of memory.
    """
    seen = day.select(
        *_KEYS,
        value_of(rule).alias("value"),
        (pl.col(f"t_{rule.metric}") if rule.compares_words else pl.lit(None)).alias("said"),
        is_put_down_to_configuration(rule, day.columns).alias("is_configured"),
        is_propped_up(rule, day.columns).alias("is_propped_up"),
        is_in_scope.alias("is_in_scope"),
    ).with_columns(verdict_of(rule).alias("verdict"))
    counts = dict(seen["verdict"].value_counts().rows())
    known = pl.col("account_id").is_in(memory["account_id"].implode())
    rows = (
        seen.filter((pl.col("verdict") == "holds") | known)
        .select(*_KEYS, "value", "said", "is_configured", "verdict")
        .join(memory.drop("rule"), on=_KEYS, how="full", coalesce=True)
        .with_columns(
            pl.col("verdict").is_null().alias("is_unseen"),
            pl.col("said").cast(pl.String),
            pl.col("is_configured").fill_null(value=False),
            pl.col("verdict").fill_null(_of_the_unseen(rule, standing)),
            pl.col("phase").fill_null("quiet"),
            pl.col("held_days").fill_null(0),
            pl.col("over_days").fill_null(0),
            **_settings(rule, mode, _count_accounts(seen, rule)),
        )
        .with_columns(verdict_with_memory(rule).alias("verdict"))
    )
    unseen = rows.filter(
        pl.col("is_unseen")
        & (pl.col("verdict") == "unjudged")
        & ((pl.col("phase") != "quiet") | (pl.col("held_days") > 0))
    )
    return Judged(
        rows=rows.drop("is_unseen"),
        judged=sum(counts.get(verdict, 0) for verdict in _JUDGED),
        unjudged=counts.get("unjudged", 0) + unseen.height,
        attribute_missing=seen["is_in_scope"].null_count(),
    )


def _of_the_unseen(rule: Rule, standing: pl.Series) -> pl.Expr:
    """The verdict where the day has no row.

    A scope that the rule lost is none of its any more, an account that is gone none of anybody's.
    """
    is_of = pl.col("dimensions").is_in(list(rule.dimensions))
    is_there = pl.col("account_id").is_in(standing.implode())
    return pl.when(is_of & is_there).then(pl.lit("unjudged")).otherwise(pl.lit("out"))


def _count_accounts(seen: pl.DataFrame, rule: Rule) -> int:
    """How many accounts were judged, however many scopes of each."""
    judged = seen.filter(pl.col("verdict").is_in(_JUDGED))
    return judged["account_id"].n_unique() if rule.scope else judged.height


def _settings(rule: Rule, mode: Mode, accounts: int) -> dict[str, pl.Expr]:
    # A share as it is written: 0.29 of 100 accounts are 29, and 28.999… as a binary fraction.
    most = max(STORM_MINIMUM, int(Decimal(str(rule.max_share)) * accounts))
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
