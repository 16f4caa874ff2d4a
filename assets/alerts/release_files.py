"""What the evaluation reads of a release: its manifest, one day of all accounts, and names."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from assets.alerts.arrow_rows import ArrowRows
from assets.alerts.rules import ACCOUNT_STATUS, HEALTH_SCORE

METRICS = ("accounts", "account_metrics_daily")
ACCOUNTS = ("accounts", "dim_accounts")
SCORECARD = ("accounts", "account_scorecard")
HEALTH = ("health", "fct_account_health_daily")
REGISTRY = ("meta", "metric_registry")


class ReleaseError(RuntimeError):
    """A release can't be read; the message names the file and the remedy."""


class Manifest(BaseModel):
    """The part of a release's `manifest.json` that the evaluation needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    sequence: int
    as_of: AwareDatetime
    time_zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A published release: its place in the order of publication and its last full day."""

    id: str
    sequence: int
    as_of: datetime
    last_full_day: date
    database: Path


@dataclass(frozen=True, kw_only=True)
class Account:
    """How an account is called, and who looks after it, in one release."""

    account_id: str
    account_name: str | None = None
    csm_id: str | None = None
    csm_name: str | None = None


def published_releases(folder: Path) -> list[Release]:
    """The releases of a folder in order of publication.

    `current` is a link to one of them and says nothing about the order: a rollback moves it, and
    touches no alert. A folder whose name begins with a point is still being built.
    """
    if not folder.is_dir():
        return []
    manifests = [
        path / "manifest.json"
        for path in folder.iterdir()
        if not (path.is_symlink() or path.name.startswith("."))
        and (path / "manifest.json").is_file()
    ]
    return sorted((read_release(path) for path in manifests), key=lambda found: found.sequence)


def read_release(path: Path) -> Release:
    """Reads one manifest.

    Raises:
        ReleaseError: the manifest is damaged.
    """
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
        local = manifest.as_of.astimezone(ZoneInfo(manifest.time_zone))
    except (ValidationError, KeyError, ValueError) as error:
        raise ReleaseError(
            f"The manifest {path.parent.name}/manifest.json can't be read: {_first_line(error)};"
            " publish the release again or delete its folder."
        ) from error
    return Release(
        id=manifest.id,
        sequence=manifest.sequence,
        as_of=manifest.as_of,
        last_full_day=local.date() - timedelta(days=1),
        database=path.parent / "csw.duckdb",
    )


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

    def has_metric(self, metric: str) -> bool:
        """Whether the release holds a metric."""
        return metric in self._columns.get(METRICS, set()) or (
            metric == HEALTH_SCORE and "score" in self._columns.get(HEALTH, set())
        )

    def day(self, day: date, metrics: Iterable[str], attributes: Iterable[str]) -> pl.DataFrame:
        """All accounts of one day.

        Args:
            day: the local day.
            metrics: metrics that the release has.
            attributes: account attributes; one that the release doesn't have is missing for all.

        Returns:
            One row per account: `account_id`, `account_status`, `is_test`, `m_<metric>` as
            DOUBLE and `a_<attribute>` as text, in the order of the account.
        """
        columns = [
            "metrics.account_id",
            f"metrics.{ACCOUNT_STATUS}",
            f"{self._of_account('is_test', 'boolean', 'false')} as is_test",
            *(f"{self._metric(name)} as {_quoted('m_' + name)}" for name in sorted(metrics)),
            *(f"{self._attribute(name)} as {_quoted('a_' + name)}" for name in sorted(attributes)),
        ]
        query = f"""
            select {", ".join(columns)}
            from accounts.account_metrics_daily as metrics
            left join accounts.dim_accounts as accounts on accounts.account_id = metrics.account_id
            {self._health_join()}
            where metrics.day = ?
            order by metrics.account_id
        """  # noqa: S608 (identifiers come from the release's own columns, quoted)
        found = self._connection.sql(query, params=[day])
        return pl.DataFrame(ArrowRows(found.__arrow_c_stream__))

    def units(self) -> dict[str, str]:
        """The unit of each metric, where the release has a registry that says it."""
        if not {"metric", "unit"} <= self._columns.get(REGISTRY, set()):
            return {}
        rows = self._connection.execute(
            "select metric, unit from meta.metric_registry where unit is not null"
        ).fetchall()
        return dict(rows)

    def accounts(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """Names of the accounts asked for; one that the release doesn't know has its id only."""
        wanted = sorted(set(account_ids))
        found = {account_id: Account(account_id=account_id) for account_id in wanted}
        table, known = "accounts", self._columns.get(ACCOUNTS, set())
        scorecard = self._columns.get(SCORECARD, set())
        fields = [
            f"{table}.account_name" if "account_name" in known else "null",
            *(f"cards.{name}" if name in scorecard else "null" for name in ("csm_id", "csm_name")),
        ]
        join = "left join accounts.account_scorecard as cards using (account_id)"
        query = f"""
            select {table}.account_id, {", ".join(fields)}
            from accounts.dim_accounts as {table} {join if "account_id" in scorecard else ""}
            where {table}.account_id in (select unnest(?::text[]))
        """  # noqa: S608 (identifiers are those above)
        for account_id, name, csm_id, csm_name in self._connection.execute(
            query, [wanted]
        ).fetchall():
            found[account_id] = Account(
                account_id=account_id, account_name=name, csm_id=csm_id, csm_name=csm_name
            )
        return found

    def _metric(self, name: str) -> str:
        source = f"metrics.{_quoted(name)}"
        if name == HEALTH_SCORE and name not in self._columns[METRICS]:
            source = "health.score"
        return f"cast({source} as double)"

    def _attribute(self, name: str) -> str:
        if name == ACCOUNT_STATUS:
            return f"cast(metrics.{ACCOUNT_STATUS} as varchar)"
        return self._of_account(name, "varchar", "null")

    def _of_account(self, name: str, sql_type: str, otherwise: str) -> str:
        if name not in self._columns.get(ACCOUNTS, set()):
            return f"cast({otherwise} as {sql_type})"
        return f"coalesce(cast(accounts.{_quoted(name)} as {sql_type}), {otherwise})"

    def _health_join(self) -> str:
        if "score" not in self._columns.get(HEALTH, set()):
            return ""
        return (
            "left join health.fct_account_health_daily as health"
            " on health.account_id = metrics.account_id and health.day = metrics.day"
        )


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
            f"The release {release.id} can't be read: {_first_line(error)};"
            " publish the day again, or delete the folder of the damaged release."
        ) from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
