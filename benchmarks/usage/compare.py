"""Whether two sides made the same tables: rows, and the sum of every count, second and flag."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

# Table: what is summed.
MEASURES = {
    "actor_feature_days": (
        "is_active", "is_used", "active_us", "use_count", "login_count", "error_count",
        "action_count", "event_count", "session_count", "epoch_us(first_session_at)",
        "epoch_us(last_activity_at)", "epoch_us(last_used_at)", "length(last_device)",
        "length(actor_id)",
    ),
    "actor_days": (
        "is_active", "active_us", "session_count", "login_count", "error_count", "action_count",
        "event_count", "epoch_us(first_login_at)", "epoch_us(last_activity_at)",
        "length(last_device)", "length(user_id)",
    ),
    "module_days": ("is_used", "active_us", "use_count", "length(module)"),
    "session_days": ("session_count", "sessions_us", "median_session_us"),
    "use_days": ("use_count",),
    "event_type_days": ("event_count", "quantity", "length(event_name)"),
    "error_days": ("occurrence_count", "epoch_us(first_seen_at)", "length(error_message)"),
}  # fmt: skip
# Of the marts, those that grow with the events.
_PERIOD = ("interactions", "active_users", "anonymous_users", "round(active_seconds * 1000)")
_DAILY = (
    "logins", "sessions", "round(active_seconds * 1000)", "use_count", "events", "is_active",
    "is_used", "length(license_id)", "length(last_device)",
)  # fmt: skip
# Ours tells late events and identifications apart, a row each; the scripts' grain is coarser.
_COARSER = {
    "event_type_days": """(
        select account_id, actor_id, user_id, event_type, event_name, day,
            sum(event_count) as event_count, sum(quantity) as quantity
        from intermediate.int_event_type_days group by all
    )""",
}
_PERIODS = ("monthly", "quarterly", "yearly")
MARTS = {
    **{f"fct_user_{name}_daily": _DAILY for name in ("activity", "module", "feature")},
    **{f"usage_{period}": _PERIOD for period in _PERIODS},
    **{f"account_usage_{period}": _PERIOD for period in _PERIODS},
    "fct_unhandled_errors_daily": ("occurrences", "users_affected", "anonymous_users_affected"),
    "fct_custom_interactions_daily": ("interaction_count", "users", "anonymous_users"),
}
Sums = dict[str, dict[str, int]]


def sums_of_ours(home: Path) -> Sums:
    """Rows and sums of our rollups."""
    with duckdb.connect(str(home / "build.duckdb"), read_only=True) as connection:
        return {
            table: _sums(connection, measures, _COARSER.get(table, f"intermediate.int_{table}"))
            for table, measures in MEASURES.items()
        }


def mart_differences(home: Path, out: Path) -> list[str]:
    """What is not the same in our marts and in those of the DuckDB script."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home / 'build.duckdb'}' as ours (read_only)")
        connection.execute(f"attach '{out / 'tables.duckdb'}' as theirs (read_only)")
        sides: list[Sums] = [
            {table: _sums(connection, measures, f"{schema}.{table}")
             for table, measures in MARTS.items()}
            for schema in ("ours.usage", "theirs.main")
        ]  # fmt: skip
    return differences(*sides)


def sums_of(out: Path) -> Sums:
    """Rows and sums of a competitor's tables: in a DuckDB file, or in a Parquet file each."""
    database = out / "tables.duckdb"
    if database.is_file():
        with duckdb.connect(str(database), read_only=True) as connection:
            return {t: _sums(connection, measures, t) for t, measures in MEASURES.items()}
    with duckdb.connect() as connection:
        return {
            table: _sums(connection, measures, f"read_parquet('{out / table}*.parquet')")
            for table, measures in MEASURES.items()
        }


def differences(ours: Sums, theirs: Sums) -> list[str]:
    """What is not the same, a sentence each."""
    return [
        f"{table}: {measure} is {value:,} here and {theirs[table].get(measure, 0):,} there"
        for table, sums in ours.items()
        for measure, value in sums.items()
        if value != theirs[table].get(measure, 0)
    ]


def _sums(
    connection: duckdb.DuckDBPyConnection, measures: Sequence[str], relation: str
) -> dict[str, int]:
    cells = [f"sum(cast({measure} as hugeint))" for measure in measures]
    connection.execute("set TimeZone = 'UTC'")
    row = connection.execute(
        f"select count(*), {', '.join(cells)} from {relation}"  # noqa: S608 - names of our own
    ).fetchall()[0]
    return dict(zip(("rows", *measures), (int(value or 0) for value in row), strict=True))
