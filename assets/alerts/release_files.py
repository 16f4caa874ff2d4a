"""What the evaluation reads of an open release: one day of all accounts, trends, outcomes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cached_property

import duckdb
import polars as pl

from assets.alerts.accounts import Account
from assets.alerts.arrow_rows import ArrowRows
from assets.alerts.published import Release, ReleaseError, first_line
from assets.alerts.release_accounts import read_accounts
from assets.alerts.release_columns import REGISTRY, SCOPED, ReleaseColumns
from assets.alerts.release_days import accounts_of, joins_of_moves, moved
from assets.alerts.rules import ACCOUNT_STATUS, Rule
from assets.alerts.scopes import NO_DIMENSIONS
from assets.sql_text import quoted

_OF_THE_ACCOUNT = ("account_id", ACCOUNT_STATUS, "is_test")


class ReleaseReader:
    """Reads an open release; every identifier that it uses was found in the release itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, release: Release) -> None:
        """Looks up which columns the release has."""
        self._connection = connection
        self._release = release
        self._columns = ReleaseColumns(connection)

    def can_judge(self, rule: Rule) -> bool:
        """Whether the release holds what a rule compares; of one with scopes, any of them."""
        if rule.compares_words:
            return self._columns.word(rule.metric) is not None
        if rule.scope:
            return len(self.lacking_scopes(rule)) < len(rule.scopes)
        return self._columns.has_metric(rule.metric)

    def lacking_scopes(self, rule: Rule) -> tuple[str, ...]:
        """The scopes of a rule that its metric has no values of on the release's last day."""
        return tuple(scope for scope in rule.scopes if (rule.metric, scope) not in self._pairs)

    @cached_property
    def _pairs(self) -> set[tuple[str, str]]:
        if not self._columns.of(SCOPED):
            return set()
        rows = self._connection.execute(
            "select distinct metric, scope from health.account_scoped_metrics_daily "
            "where day = (select max(day) from health.account_scoped_metrics_daily)"
        ).fetchall()
        return {(metric, scope) for metric, scope in rows}

    def day(self, day: date, rules: Sequence[Rule], last_full_day: date) -> pl.DataFrame:
        """All accounts of one day, with what the rules compare.

        Args:
            day: the local day.
            rules: rules that the release can judge (`can_judge`).
            last_full_day: the release's; words of the as-of day are known on it alone.

        Returns:
            One row per account in its order, with `account_id`, `dimensions` (none),
            `account_status`, `is_test` and the columns that `assets.alerts.comparing` names.
        """
        of_accounts = [rule for rule in rules if not rule.scope]
        metrics = sorted({rule.metric for rule in of_accounts if not rule.compares_words})
        words = sorted({rule.metric for rule in rules if rule.compares_words})
        attributes = sorted({found.attribute for rule in rules for found in rule.filters})
        known, is_last = self._columns, day == last_full_day
        windows = {rule.window_days for rule in of_accounts if rule.is_about_health and rule.change}
        columns = [
            f"'{NO_DIMENSIONS}' as dimensions",
            f"{known.of_account('is_test', 'boolean', 'false')} as is_test",
            *(f"{known.metric(name)} as {quoted('m_' + name)}" for name in metrics),
            *(f"{known.said(name, is_last=is_last)} as {quoted('t_' + name)}" for name in words),
            *(f"{known.attribute(name)} as {quoted('a_' + name)}" for name in attributes),
            *moved(known, windows),
        ]
        frame = self._read(day, columns, joins_of_moves(known, windows))
        for back in sorted({rule.looks_back for rule in of_accounts if rule.looks_back}):
            frame = frame.join(self._before(day, back, of_accounts), on="account_id", how="left")
        return frame

    def standing(self, day: date) -> pl.Series:
        """The ids of the accounts that there are on a day.

        A test account is none, nor one that was merged into another: what was told of it before is
        over, though no row of the day says so.
        """
        query = f"""
            select account_id
            from {self._accounts(day)} as accounts
            where not {self._columns.of_account("is_test", "boolean", "false")}
        """  # noqa: S608 (identifiers come from the release's own columns, quoted)
        ends: dict[str, object] = {"ends": self._release.end_of(day)}
        return self._frame(query, ends if "$ends" in query else {})["account_id"]

    def narrowed(self, day: date, rule: Rule, accounts: pl.DataFrame) -> pl.DataFrame:
        """All accounts of a day once for each scope of a rule that the day has values of.

        Args:
            day: the local day.
            rule: a rule with a scope.
            accounts: the day's accounts (`day`).

        Returns:
            As `day`, with the scope as the row's `dimensions` and the rule's metric of it.
        """
        back = rule.looks_back or 0
        then = f", before.value as {quoted(f'p{back}_{rule.metric}')}" if back else ""
        query = f"""
            with

            asked as (

                select
                    unnest($scopes::text[]) as scope,
                    unnest($dimensions::text[]) as dimensions

            )

            select
                today.account_id,
                asked.dimensions,
                today.value as {quoted("m_" + rule.metric)}{then}
            from asked
            inner join health.account_scoped_metrics_daily as today
                on
                    today.scope = asked.scope
                    and today.metric = $metric
                    and today.day = $day
            left join health.account_scoped_metrics_daily as before
                on
                    before.account_id = today.account_id
                    and before.scope = today.scope
                    and before.metric = $metric
                    and before.day = $then
        """  # noqa: S608 (the metric is one of the release's own, quoted)
        asked = {
            "day": day,
            "then": day - timedelta(days=back),
            "metric": rule.metric,
            "scopes": list(rule.scopes),
            "dimensions": list(rule.dimensions),
        }
        attributes = [name for name in accounts.columns if name.startswith("a_")]
        of_accounts = accounts.select(*_OF_THE_ACCOUNT, *attributes)
        return self._frame(query, asked).join(of_accounts, on="account_id", how="inner")

    def _before(self, day: date, back: int, rules: Sequence[Rule]) -> pl.DataFrame:
        """What the rules that look so many days back compare with."""
        asked = {(rule.metric, rule.compares_words) for rule in rules if rule.looks_back == back}
        columns = [
            f"{self._columns.said(name, is_last=False)} as {quoted(f'q{back}_{name}')}"
            if is_word
            else f"{self._columns.metric(name)} as {quoted(f'p{back}_{name}')}"
            for name, is_word in sorted(asked)
        ]
        return self._read(day - timedelta(days=back), columns).drop(ACCOUNT_STATUS)

    def _read(self, day: date, columns: list[str], joins: str = "") -> pl.DataFrame:
        query = f"""
            select {", ".join(["metrics.account_id", f"metrics.{ACCOUNT_STATUS}", *columns])}
            from accounts.account_metrics_daily as metrics
            left join {self._accounts(day)} as accounts on accounts.account_id = metrics.account_id
            {self._columns.joins()} {joins}
            where metrics.day = $day
            order by metrics.account_id
        """  # noqa: S608 (identifiers come from the release's own columns, quoted)
        parameters: dict[str, object] = {"day": day, "ends": self._release.end_of(day)}
        # DuckDB refuses a parameter that the query does not have.
        asked = {name: value for name, value in parameters.items() if f"${name}" in query}
        return self._frame(query, asked)

    def _accounts(self, day: date) -> str:
        return accounts_of(self._columns, is_last=day >= self._release.last_full_day)

    def _frame(self, query: str, parameters: dict[str, object]) -> pl.DataFrame:
        found = self._connection.sql(query, params=parameters)
        return pl.DataFrame(ArrowRows(found.__arrow_c_stream__))

    def units(self) -> dict[str, str]:
        """The unit of each metric, where the release has a registry that says it."""
        return self._registered("unit")

    def names(self) -> dict[str, str]:
        """What a person calls each metric."""
        return self._registered("name")

    def _registered(self, column: str) -> dict[str, str]:
        if not {"metric", column} <= self._columns.of(REGISTRY):
            return {}
        rows = self._connection.execute(
            f"select metric, {column} from meta.metric_registry where {column} is not null"  # noqa: S608 (one of the two above)
        ).fetchall()
        return dict(rows)

    def trends(
        self, metric: str, scope: str | None, accounts: Iterable[str], day: date, days: int = 14
    ) -> dict[str, list[float | None]]:
        """A metric's values of the days up to one, oldest first; a day without a row is NULL."""
        wanted = sorted(set(accounts))
        source = f"accounts.account_metrics_daily as metrics {self._columns.joins()}"
        if scope:
            source = "health.account_scoped_metrics_daily as metrics"
        value = "metrics.value" if scope else self._columns.metric(metric)
        narrowed = "and metrics.metric = $metric and metrics.scope = $scope" if scope else ""
        query = f"""
            select metrics.account_id, metrics.day, {value}
            from {source}
            where metrics.day > $since and metrics.day <= $day
                and metrics.account_id in (select unnest($wanted::text[])) {narrowed}
        """  # noqa: S608 (identifiers come from the release's own columns, quoted)
        since = day - timedelta(days=days)
        asked = {"since": since, "day": day, "wanted": wanted}
        asked |= {"metric": metric, "scope": scope} if scope else {}
        found: dict[str, list[float | None]] = {account: [None] * days for account in wanted}
        for account, on, seen in self._connection.execute(query, asked).fetchall():
            found[account][(on - since).days - 1] = seen
        return found

    def accounts(self, account_ids: Iterable[str], day: date) -> dict[str, Account]:
        """The accounts asked for, with who looks after them on a day (`read_accounts`)."""
        return read_accounts(
            self._columns, account_ids, day, self._accounts(day), self._release.end_of(day)
        )

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


@contextmanager
def open_release(release: Release) -> Iterator[ReleaseReader]:
    """Opens a release for reading; it waits for nobody and blocks nobody.

    Raises:
        ReleaseError: the database is missing, damaged, or without the tables that alerts need.
    """
    try:
        with duckdb.connect(str(release.database), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            yield ReleaseReader(connection, release)
    except duckdb.Error as error:
        raise ReleaseError(
            f"The release {release.id} can't be read: {first_line(error)};"
            " publish the day again, or delete the folder of the damaged release."
        ) from error
