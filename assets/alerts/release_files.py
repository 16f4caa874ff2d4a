"""What the evaluation reads of an open release: one day of all accounts, trends, teams, names."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

import duckdb
import polars as pl

from assets.alerts.accounts import Account, Person, account_of
from assets.alerts.arrow_rows import ArrowRows
from assets.alerts.published import Release, ReleaseError, first_line
from assets.alerts.rules import ACCOUNT_STATUS, HEALTH_SCORE, HEALTH_STATE, Rule
from assets.seed_files import CUSTOM, is_custom_attribute, json_path

METRICS = ("accounts", "account_metrics_daily")
ACCOUNTS = ("accounts", "dim_accounts")
CUSTOM_ATTRIBUTES = "custom_attributes"
SCORECARD = ("accounts", "account_scorecard")
HEALTH = ("health", "fct_account_health_daily")
REGISTRY = ("meta", "metric_registry")
CHANGES = ("health", "fct_health_changes")
KPIS = ("health", "account_kpis")
TEAM = ("accounts", "account_team")
MEMBERS = ("alerts", "dim_team_members")
_EDITS = ("from_profile", "from_weights", "from_thresholds")
_WORDS_OF_HEALTH = {HEALTH_STATE: "state", "health_profile": "profile"}
_WORDS_OF_THE_DAY = ("is_expansion_flagged", "renewal_risk_band")


class ReleaseReader:
    """Reads an open release; every identifier that it uses was found in the release itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Looks up which columns the release has."""
        self._connection = connection
        rows = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
        ).fetchall()
        self._columns: dict[tuple[str, str], set[str]] = {}
        for schema, table, column in rows:
            self._columns.setdefault((schema, table), set()).add(column)

    def can_judge(self, rule: Rule) -> bool:
        """Whether the release holds what a rule compares."""
        if rule.compares_words:
            return rule.metric == ACCOUNT_STATUS or self._word(rule.metric) is not None
        return rule.metric in self._columns.get(METRICS, set()) or (
            rule.metric == HEALTH_SCORE and "score" in self._columns.get(HEALTH, set())
        )

    def day(self, day: date, rules: Sequence[Rule], last_full_day: date) -> pl.DataFrame:
        """All accounts of one day, with what the rules compare.

        Args:
            day: the local day.
            rules: rules that the release can judge (`can_judge`).
            last_full_day: the release's; words of the as-of day are known on it alone.

        Returns:
            One row per account in its order, with `account_id`, `account_status`, `is_test` and
            the columns that `assets.alerts.comparing` names.
        """
        metrics = sorted({rule.metric for rule in rules if not rule.compares_words})
        words = sorted({rule.metric for rule in rules if rule.compares_words})
        attributes = sorted({found.attribute for rule in rules for found in rule.filters})
        columns = [
            f"{self._of_account('is_test', 'boolean', 'false')} as is_test",
            *(f"{self._metric(name)} as {_quoted('m_' + name)}" for name in metrics),
            *(self._said(name, is_last=day == last_full_day) for name in words),
            *(f"{self._attribute(name)} as {_quoted('a_' + name)}" for name in attributes),
            *self._moved(),
        ]
        frame = self._read(day, columns)
        for back in sorted({rule.looks_back for rule in rules if rule.looks_back}):
            frame = frame.join(self._before(day, back, rules), on="account_id", how="left")
        return frame

    def _before(self, day: date, back: int, rules: Sequence[Rule]) -> pl.DataFrame:
        """What the rules that look so many days back compare with."""
        asked = {(rule.metric, rule.compares_words) for rule in rules if rule.looks_back == back}
        columns = [
            f"cast({self._word(name)} as varchar) as {_quoted(f'q{back}_{name}')}"
            if is_word
            else f"{self._metric(name)} as {_quoted(f'p{back}_{name}')}"
            for name, is_word in sorted(asked)
        ]
        return self._read(day - timedelta(days=back), columns).drop(ACCOUNT_STATUS)

    def _read(self, day: date, columns: list[str]) -> pl.DataFrame:
        query = f"""
            select {", ".join(["metrics.account_id", f"metrics.{ACCOUNT_STATUS}", *columns])}
            from accounts.account_metrics_daily as metrics
            left join accounts.dim_accounts as accounts on accounts.account_id = metrics.account_id
            {self._joins()}
            where metrics.day = ?
            order by metrics.account_id
        """  # noqa: S608 (identifiers come from the release's own columns, quoted)
        found = self._connection.sql(query, params=[day])
        return pl.DataFrame(ArrowRows(found.__arrow_c_stream__))

    def units(self) -> dict[str, str]:
        """The unit of each metric, where the release has a registry that says it."""
        return self._registered("unit")

    def names(self) -> dict[str, str]:
        """What a person calls each metric."""
        return self._registered("name")

    def _registered(self, column: str) -> dict[str, str]:
        if not {"metric", column} <= self._columns.get(REGISTRY, set()):
            return {}
        rows = self._connection.execute(
            f"select metric, {column} from meta.metric_registry where {column} is not null"  # noqa: S608 (one of the two above)
        ).fetchall()
        return dict(rows)

    def trends(
        self, metric: str, accounts: Iterable[str], day: date, days: int = 14
    ) -> dict[str, list[float | None]]:
        """A metric's values of the days up to one, oldest first; a day without a row is NULL."""
        wanted = sorted(set(accounts))
        query = f"""
            select metrics.account_id, metrics.day, {self._metric(metric)}
            from accounts.account_metrics_daily as metrics {self._joins()}
            where metrics.day > ? and metrics.day <= ?
                and metrics.account_id in (select unnest(?::text[]))
        """  # noqa: S608 (identifiers come from the release's own columns, quoted)
        since = day - timedelta(days=days)
        found: dict[str, list[float | None]] = {account: [None] * days for account in wanted}
        for account, on, value in self._connection.execute(query, [since, day, wanted]).fetchall():
            found[account][(on - since).days - 1] = value
        return found

    def churned_days(self) -> dict[str, list[date]]:
        """The days on which each account became churned, oldest first."""
        rows = self._connection.execute(
            """
            with

            statuses as (

                select
                    account_id,
                    day,
                    account_status,
                    lag(account_status) over (partition by account_id order by day) as before

                from accounts.account_metrics_daily

            )

            select account_id, day from statuses
            where account_status = 'churned' and before != 'churned'
            order by account_id, day
            """
        ).fetchall()
        found: dict[str, list[date]] = {}
        for account_id, day in rows:
            found.setdefault(account_id, []).append(day)
        return found

    def count_customers(self, day: date) -> int:
        """How many customers a day has."""
        row = self._connection.execute(
            "select count(*) from accounts.account_metrics_daily "
            "where day = ? and account_status in ('customer', 'past_due')",
            [day],
        ).fetchone()
        return int(row[0]) if row else 0

    def accounts(self, account_ids: Iterable[str], day: date) -> dict[str, Account]:
        """The accounts asked for, with who looks after them on a day.

        One that the release doesn't know has its id only.
        """
        wanted = sorted(set(account_ids))
        known = sorted(self._columns.get(ACCOUNTS, set()) - {"account_id"})
        rows = self._connection.execute(
            f"select account_id, {', '.join(f'cast({_quoted(n)} as varchar)' for n in known)} "  # noqa: S608 (its own columns)
            "from accounts.dim_accounts where account_id in (select unnest(?::text[]))",
            [wanted],
        ).fetchall()
        attributes = {row[0]: _with_custom(dict(zip(known, row[1:], strict=True))) for row in rows}
        teams = self._teams(wanted, day) if wanted else {}
        return {
            account_id: account_of(
                account_id, attributes.get(account_id, {}), teams.get(account_id, {})
            )
            for account_id in wanted
        }

    def _teams(self, wanted: list[str], day: date) -> dict[str, dict[str, Person]]:
        """Who looks after each account on a day, by role; the primary one, else the latest."""
        needed = {"account_id", "role", "team_member_id", "is_primary", "valid_from", "valid_to"}
        if not needed <= self._columns.get(TEAM, set()) or MEMBERS not in self._columns:
            return self._teams_of_the_scorecard(wanted)
        rows = self._connection.execute(
            """
            select
                team.account_id, team.role, team.team_member_id, members.full_name, members.email,
                managers.team_member_id, managers.full_name, managers.email
            from accounts.account_team as team
            left join alerts.dim_team_members as members
                on members.team_member_id = team.team_member_id
            left join alerts.dim_team_members as managers
                on managers.team_member_id = members.manager_id and managers.is_active
            where
                team.account_id in (select unnest($1::text[]))
                and cast(team.valid_from as date) <= $2
                and (team.valid_to is null or cast(team.valid_to as date) > $2)
                and coalesce(members.is_active, true)
            order by team.is_primary, team.valid_from, team.team_member_id
            """,
            [wanted, day],
        ).fetchall()
        teams: dict[str, dict[str, Person]] = {}
        # The account's manager is the one of its CSM, else of whoever else looks after it.
        for row in sorted(rows, key=lambda row: row[1] == "csm"):
            team = teams.setdefault(row[0], {})
            team[row[1]] = Person(team_member_id=row[2], full_name=row[3], email=row[4])
            if row[5]:
                team["manager"] = Person(team_member_id=row[5], full_name=row[6], email=row[7])
        return teams

    def _teams_of_the_scorecard(self, wanted: list[str]) -> dict[str, dict[str, Person]]:
        if not {"csm_id", "csm_name", "csm_email"} <= self._columns.get(SCORECARD, set()):
            return {}
        rows = self._connection.execute(
            "select account_id, csm_id, csm_name, csm_email from accounts.account_scorecard "
            "where csm_id is not null and account_id in (select unnest(?::text[]))",
            [wanted],
        ).fetchall()
        return {
            row[0]: {"csm": Person(team_member_id=row[1], full_name=row[2], email=row[3])}
            for row in rows
        }

    def _said(self, name: str, *, is_last: bool) -> str:
        is_known = is_last or name not in _WORDS_OF_THE_DAY
        word = self._word(name) if is_known else None
        return f"cast({word or 'null'} as varchar) as {_quoted('t_' + name)}"

    def _word(self, name: str) -> str | None:
        """Where a word stands, if the release has it."""
        if name == ACCOUNT_STATUS:
            return f"metrics.{ACCOUNT_STATUS}"
        if name in _WORDS_OF_HEALTH:
            column = _WORDS_OF_HEALTH[name]
            return f"health.{column}" if column in self._columns.get(HEALTH, set()) else None
        if name in _WORDS_OF_THE_DAY:
            return f"kpis.{name}" if name in self._columns.get(KPIS, set()) else None
        return f"accounts.{_quoted(name)}" if name in self._columns.get(ACCOUNTS, set()) else None

    def _moved(self) -> list[str]:
        """What moved the health of the day, where the release says it."""
        columns = []
        if {"change", "from_missing", *_EDITS} <= self._columns.get(CHANGES, set()):
            edits = " + ".join(f"changes.{name}" for name in _EDITS)
            columns = [
                f"coalesce(cast({edits} as double), 0) as h_configuration",
                "coalesce(cast(changes.from_missing as double), 0) as h_missing",
                "coalesce(cast(changes.change as double), 0) as h_change",
            ]
        if "is_held" in self._columns.get(HEALTH, set()):
            columns.append("coalesce(health.is_held, false) as h_is_held")
        return columns

    def _metric(self, name: str) -> str:
        source = f"metrics.{_quoted(name)}"
        if name == HEALTH_SCORE and name not in self._columns[METRICS]:
            source = "health.score"
        return f"cast({source} as double)"

    def _attribute(self, name: str) -> str:
        if name == ACCOUNT_STATUS:
            return f"cast(metrics.{ACCOUNT_STATUS} as varchar)"
        if is_custom_attribute(name):
            known = self._of_account(CUSTOM_ATTRIBUTES, "json", "null")
            # The path holds letters, digits, '_', '-' and blanks: `is_custom_attribute`.
            return f"json_extract_string({known}, '{json_path(name)}')"
        return self._of_account(name, "varchar", "null")

    def _of_account(self, name: str, sql_type: str, otherwise: str) -> str:
        if name not in self._columns.get(ACCOUNTS, set()):
            return f"cast({otherwise} as {sql_type})"
        return f"coalesce(cast(accounts.{_quoted(name)} as {sql_type}), {otherwise})"

    def _joins(self) -> str:
        """Joins of the daily tables that the release has, and of what is known of the as-of day."""
        daily = {"health": HEALTH, "changes": CHANGES}
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


@contextmanager
def open_release(release: Release) -> Iterator[ReleaseReader]:
    """Opens a release for reading; it waits for nobody and blocks nobody.

    Raises:
        ReleaseError: the database is missing, damaged, or without the tables that alerts need.
    """
    try:
        with duckdb.connect(str(release.database), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            yield ReleaseReader(connection)
    except duckdb.Error as error:
        raise ReleaseError(
            f"The release {release.id} can't be read: {first_line(error)};"
            " publish the day again, or delete the folder of the damaged release."
        ) from error


def _with_custom(attributes: Mapping[str, str | None]) -> dict[str, str | None]:
    """An account's attributes, each custom one under a name of its own."""
    told = json.loads(attributes.get(CUSTOM_ATTRIBUTES) or "{}") or {}
    custom = {
        CUSTOM + name: value if isinstance(value, str) or value is None else json.dumps(value)
        for name, value in told.items()
    }
    return {**attributes, **custom}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
