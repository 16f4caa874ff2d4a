"""What each rule remembers of each account from one data day to the next.

A row says which phase a rule and an account are in, of a rule with a scope for each of its
dimensions:

- `quiet`: no alert is open. `held_days` counts the judged days on which the condition has held.
- `open`: an alert is open; `last_triggered_on` is the day that opened it, `over_days` counts the
  judged days in a row on which it was over and kept firing.
- `muted`: the condition held when the rule was activated with a silent baseline, when an edit of
  the configuration made it hold, or when a person resolved it; nothing fires until it has recovered
  once.

What has no row is quiet, with nothing remembered, so memory grows with findings only.
"""

import polars as pl
import sqlalchemy as sa

from assets.alerts.ledger_tables import alerts, rule_states

SCHEMA: dict[str, pl.DataType] = {
    "rule": pl.String(),
    "account_id": pl.String(),
    "dimensions": pl.String(),
    "phase": pl.String(),
    "held_days": pl.Int64(),
    "held_since": pl.Date(),
    "over_days": pl.Int64(),
    "last_triggered_on": pl.Date(),
    "suppressed_by": pl.String(),
}
KEYS = ["rule", "account_id", "dimensions"]


def load_memory(ledger: sa.Connection) -> pl.DataFrame:
    """All that is remembered, one row per rule, account and dimensions."""
    rows = ledger.execute(sa.select(*(rule_states.c[name] for name in SCHEMA)))
    return pl.DataFrame([tuple(row) for row in rows], schema=SCHEMA, orient="row")


def load_milestones(ledger: sa.Connection, rules: set[str]) -> pl.DataFrame:
    """What milestones that begin anew told in an earlier life: each is reached once for ever."""
    query = (
        sa.select(
            *(alerts.c[name] for name in KEYS),
            sa.func.max(alerts.c.opened_on).label("last_triggered_on"),
        )
        .where(alerts.c.rule.in_(sorted(rules)))
        .group_by(*(alerts.c[name] for name in KEYS))
    )
    rows = [dict(row) for row in ledger.execute(query).mappings()] if rules else []
    told = [{**row, "phase": "quiet", "held_days": 0, "over_days": 0} for row in rows]
    return pl.DataFrame(told, schema=SCHEMA)


def save_memory(ledger: sa.Connection, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Writes the rows that changed, and drops those that are remembered no more."""
    changed = after.join(before, on=list(SCHEMA), how="anti", nulls_equal=True)
    dropped = before.join(after, on=KEYS, how="anti")
    stale = pl.concat([changed.select(KEYS), dropped.select(KEYS)])
    if not stale.is_empty():
        ledger.execute(
            sa.delete(rule_states).where(
                *(rule_states.c[name] == sa.bindparam(f"b_{name}") for name in KEYS)
            ),
            stale.rename({name: f"b_{name}" for name in KEYS}).to_dicts(),
        )
    if not changed.is_empty():
        ledger.execute(sa.insert(rule_states), changed.to_dicts())


def worth_keeping(memory: pl.DataFrame) -> pl.DataFrame:
    """Without the rows that say no more than a missing row would."""
    return memory.filter(
        (pl.col("phase") != "quiet")
        | (pl.col("held_days") > 0)
        | pl.col("last_triggered_on").is_not_null()
    )
