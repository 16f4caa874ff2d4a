"""What a release says about one account's health on a day, and between two days; reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb

Row = Mapping[str, Any]

_MANY_DIGITS = 100_000
PARTS = ("profile", "weights", "thresholds", "missing", "inputs", "cap", "override")


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One account day.

    Attributes:
        health: its row of fct_account_health_daily.
        conditions: its rows of fct_health_conditions_daily, those that decided first.
        change: its row of fct_health_changes; None for a first day.
        sentences: by condition, the sentence that was configured when the day was first shown.
        units: by metric, its unit.
    """

    health: Row
    conditions: list[Row]
    change: Row | None
    sentences: Mapping[str, str]
    units: Mapping[str, str]

    def reason(self, row: Row) -> str:
        """A condition's sentence with the day's numbers in it."""
        unit = self.units.get(row["metric"], "")
        name = str(row["condition"])
        said = self.sentences.get(name, name.replace("_", " "))
        for mark, column in (
            ("{value}", "metric_value"),
            ("{lower}", "lower_edge"),
            ("{upper}", "upper_edge"),
        ):
            said = said.replace(mark, worded(row[column], unit))
        return said


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two days of one account.

    Attributes:
        first: the health of the earlier day.
        last: that of the later one.
        parts: what the change between them is due to, summed over the days; None where a day
            between them has no score.
        conditions: by condition of either day, its row on the earlier and on the later one.
    """

    first: Row
    last: Row
    parts: Mapping[str, Decimal] | None
    conditions: Mapping[str, tuple[Row | None, Row | None]]


def explain(
    release: duckdb.DuckDBPyConnection, account_id: str, day: date | None
) -> Explanation | None:
    """What the release says of an account's day, the last one by default; None without a row."""
    health = _one(
        release,
        "select * from health.fct_account_health_daily where account_id = $1 "
        "and ($2 is null or day = $2) order by day desc limit 1",
        account_id,
        day,
    )
    if health is None:
        return None
    day = health["day"]
    return Explanation(
        health=health,
        conditions=_all(
            release,
            "select * from health.fct_health_conditions_daily where account_id = $1 and day = $2 "
            "order by influences_state desc, effective_weight * 100 - contribution desc, condition",
            account_id,
            day,
        ),
        change=_one(
            release,
            "select * from health.fct_health_changes where account_id = $1 and day = $2",
            account_id,
            day,
        ),
        sentences=_sentences(release, day),
        units=dict(release.execute("select metric, unit from meta.metric_registry").fetchall()),
    )


def compare(
    release: duckdb.DuckDBPyConnection, account_id: str, first: date, last: date
) -> Difference | None:
    """What changed between two days; None where the release has no row for one of them."""
    before, after = explain(release, account_id, first), explain(release, account_id, last)
    if before is None or after is None:
        return None
    earlier = {row["condition"]: row for row in before.conditions}
    later = {row["condition"]: row for row in after.conditions}
    return Difference(
        first=before.health,
        last=after.health,
        parts=_parts(release, account_id, first, last),
        conditions={
            name: (earlier.get(name), later.get(name)) for name in sorted({*earlier, *later})
        },
    )


def worded(value: Any, unit: str) -> str:
    """A number as a reason words it (dbt_project/macros/health.sql); nothing as a dash."""
    if value is None:
        return "-"
    if unit == "ratio":
        return f"{(Decimal(value) * 100).quantize(Decimal(1), ROUND_HALF_UP)} %"
    return f"{float(value):.0f}" if abs(value) >= _MANY_DIGITS else f"{float(value):g}"


def _parts(
    release: duckdb.DuckDBPyConnection, account_id: str, first: date, last: date
) -> Mapping[str, Decimal] | None:
    sums = ", ".join(f"sum(from_{part})" for part in PARTS)
    row = release.execute(
        f"select count(*), count(change), {sums} from health.fct_health_changes "  # noqa: S608
        "where account_id = $1 and day > $2 and day <= $3",
        [account_id, first, last],
    ).fetchone()
    if row is None or row[1] < (last - first).days:
        return None
    return dict(zip(PARTS, row[2:], strict=True))


def _sentences(release: duckdb.DuckDBPyConnection, day: date) -> dict[str, str]:
    """The sentences of the configuration that the first release past a day was made with."""
    rows = release.execute(
        """
        with shown as (
            select min(as_of) as as_of from meta.releases where as_of > $1::date
        ),
        cells as (
            select * from meta.configuration
            where file = 'health_conditions.csv' and valid_from = (
                select max(valid_from) from meta.configuration
                where valid_from <= (select as_of from shown)
            )
        )
        select named.value, told.value
        from cells as named join cells as told using (row)
        where named.column_name = 'condition' and told.column_name = 'sentence'
        """,
        [day],
    ).fetchall()
    return dict(rows)


def _one(release: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> Row | None:
    rows = _all(release, sql, *values)
    return rows[0] if rows else None


def _all(release: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[Row]:
    cursor = release.execute(sql, list(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
