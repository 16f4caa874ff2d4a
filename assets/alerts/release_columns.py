"""Which columns a release has, and what a rule compares as SQL over them."""

import duckdb

from assets.alerts.rules import ACCOUNT_STATUS, HEALTH_SCORE, HEALTH_STATE
from assets.seed_files import is_custom_attribute, json_path
from assets.sql_text import quoted

Table = tuple[str, str]

METRICS: Table = ("accounts", "account_metrics_daily")
ACCOUNTS: Table = ("accounts", "dim_accounts")
HEALTH: Table = ("health", "fct_account_health_daily")
CHANGES: Table = ("health", "fct_health_changes")
SCOPED: Table = ("health", "account_scoped_metrics_daily")
KPIS: Table = ("health", "account_kpis")
KPI_DAYS: Table = ("health", "account_kpis_daily")
REGISTRY: Table = ("meta", "metric_registry")
CUSTOM_ATTRIBUTES = "custom_attributes"
_WORDS_OF_HEALTH = {HEALTH_STATE: "state", "health_profile": "profile"}
_WORDS_OF_THE_DAY = ("is_expansion_flagged", "renewal_risk_band")


class ReleaseColumns:
    """The columns of an open release; every identifier in what it says was found there.

    Attributes:
        connection: The release, open for reading.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Looks up which columns the release has."""
        self.connection = connection
        rows = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
        ).fetchall()
        self._columns: dict[Table, set[str]] = {}
        for schema, table, column in rows:
            self._columns.setdefault((schema, table), set()).add(column)

    def of(self, table: Table) -> set[str]:
        """The columns of a table; none where the release hasn't got it."""
        return self._columns.get(table, set())

    def has_metric(self, name: str) -> bool:
        """Whether the release holds a metric of accounts."""
        is_score = name == HEALTH_SCORE and "score" in self.of(HEALTH)
        return name in self.of(METRICS) | self.of(KPI_DAYS) or is_score

    def metric(self, name: str) -> str:
        """A metric of the day as a number."""
        source = f"metrics.{quoted(name)}"
        if name not in self.of(METRICS):
            source = "health.score" if name == HEALTH_SCORE else f"kpi_days.{quoted(name)}"
        return f"cast({source} as double)"

    def said(self, name: str, *, is_last: bool) -> str:
        """A word of the day; NULL where it is known of the as-of day only, and that is another."""
        is_daily = name not in _WORDS_OF_THE_DAY or name in self.of(KPI_DAYS)
        word = self.word(name) if is_last or is_daily else None
        return f"cast({word or 'null'} as varchar)"

    def word(self, name: str) -> str | None:
        """Where a word stands, if the release has it."""
        if name == ACCOUNT_STATUS:
            return f"metrics.{ACCOUNT_STATUS}"
        if name in _WORDS_OF_HEALTH:
            column = _WORDS_OF_HEALTH[name]
            return f"health.{column}" if column in self.of(HEALTH) else None
        if name in _WORDS_OF_THE_DAY:
            if name in self.of(KPI_DAYS):
                return f"kpi_days.{name}"
            return f"kpis.{name}" if name in self.of(KPIS) else None
        return f"accounts.{quoted(name)}" if name in self.of(ACCOUNTS) else None

    def attribute(self, name: str) -> str:
        """What a filter compares; NULL where the release knows no such attribute."""
        if name == ACCOUNT_STATUS:
            return f"cast(metrics.{ACCOUNT_STATUS} as varchar)"
        if is_custom_attribute(name):
            known = self.of_account(CUSTOM_ATTRIBUTES, "json", "null")
            # The path holds letters, digits, '_', '-' and blanks: `is_custom_attribute`.
            return f"json_extract_string({known}, '{json_path(name)}')"
        return self.of_account(name, "varchar", "null")

    def of_account(self, name: str, sql_type: str, otherwise: str) -> str:
        """A column of `dim_accounts`, and what it is where that hasn't got it."""
        if name not in self.of(ACCOUNTS):
            return f"cast({otherwise} as {sql_type})"
        return f"coalesce(cast(accounts.{quoted(name)} as {sql_type}), {otherwise})"

    def joins(self) -> str:
        """Joins of the daily tables that the release has, and of what is known of the as-of day."""
        daily = {"health": HEALTH, "changes": CHANGES, "kpi_days": KPI_DAYS}
        joins = [
            f"left join {'.'.join(table)} as {alias}"
            f" on {alias}.account_id = metrics.account_id and {alias}.day = metrics.day"
            for alias, table in daily.items()
            if table in self._columns
        ]
        if KPIS in self._columns:
            joins.append(
                "left join health.account_kpis as kpis on kpis.account_id = metrics.account_id"
            )
        return " ".join(joins)
