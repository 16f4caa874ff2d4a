"""The one place that reads the environment: every setting, its default and its meaning."""

import os
from datetime import date, datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from assets.extracts.errors import ExtractError
from assets.extracts.stores import is_url, plain_url

ROOT = Path(__file__).resolve().parents[1]

# Telemetry is off in everything that we ship; these are read by the tools when they are imported.
_SILENCED = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
}
_EVENTS_AT_ONCE = "1000"  # what Dagster hands to its log in one batch (orchestration/event_log.py)


class Settings(BaseSettings):
    """Settings of a warehouse, from `CSW_…` variables or from what a caller passes.

    Attributes:
        home: Folder of everything that the warehouse writes.
        landing: Folder that extracts land in, `<home>/landing` by default; or a URL that begins
            s3://, gs://, az:// or abfs://, with the credentials in the cloud's usual variables.
        profile: Name of a connector profile, or a path to one; by default the landing's own
            `profile.yml`, else `canonical`.
        seeds: Folder of what a person edits.
        reporting_time_zone: Time zone of days, weeks and months.
        reporting_currency: Currency of unsuffixed money.
        memory_limit: DuckDB's bound on memory.
        threads: DuckDB's threads.
        lock_wait_minutes: How long a run waits for another that holds the build.
        max_reject_share: Share of a table's rows in one run that may be rejected.
        max_rejects: Rejected rows that are always tolerated, however large their share.
        max_shrink_share: Share of its rows that a full extract may lose against the one before it.
        ledger_url: SQLAlchemy URL of the alert ledger; SQLite in the home by default.
        first_day: First daily partition.
        smtp_url: The mail server, `smtp://user:password@host:587` or `smtps://…`.
        mail_from: Whom alert mails come from.
        account_link: Address of an account in the CRM, with `{account_id}`.
        allowed_hosts: Names, separated by commas, of hosts inside a network for webhooks.
        release_deadline_hours: How old the current release's as-of may be before ops is told; by
            default 36 once schedule or sensor have asked for a run, and no limit in a home whose
            runs a person starts.
    """

    # A variable that is set to nothing is not set: a home would be whatever folder one stands in.
    model_config = SettingsConfigDict(
        env_prefix="CSW_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = ROOT / ".csw"
    landing: Path | str | None = None
    profile: str | None = None
    seeds: Path = ROOT / "seeds"
    reporting_time_zone: str = "UTC"
    reporting_currency: str = Field(default="USD", pattern="^[A-Z]{3}$")
    memory_limit: str = Field(default="4GB", pattern=r"^\d+(\.\d+)?[KMGT]i?B$")
    threads: int = Field(default=2, ge=1)
    lock_wait_minutes: float = Field(default=10.0, ge=0)
    max_reject_share: float = Field(default=0.01, ge=0, le=1)
    max_rejects: int = Field(default=100, ge=0)
    max_shrink_share: float = Field(default=0.5, ge=0, le=1)
    ledger_url: str | None = None
    first_day: date = date(2010, 1, 1)
    smtp_url: SecretStr | None = None
    mail_from: str = "customer-success@localhost"
    account_link: str = ""
    allowed_hosts: str = ""
    release_deadline_hours: float | None = Field(default=None, gt=0)

    @field_validator("reporting_time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                f"{name!r} is no time zone; use a name such as Europe/Paris"
            ) from error
        return name

    @field_validator("home", "seeds")
    @classmethod
    def _is_absolute(cls, path: Path) -> Path:
        return _absolute(path)

    @field_validator("landing")
    @classmethod
    def _is_a_place(cls, landing: Path | str | None) -> Path | str | None:
        if not landing:
            return None
        if not is_url(landing):
            return _absolute(Path(landing))
        try:
            return plain_url(str(landing))
        except ExtractError as error:
            raise ValueError(str(error)) from error

    @property
    def zone(self) -> ZoneInfo:
        """The reporting time zone."""
        return ZoneInfo(self.reporting_time_zone)

    @property
    def landing_place(self) -> Path | str:
        """Where extracts land: an absolute folder, or a URL."""
        return self.landing or self.home / "landing"

    @property
    def landing_folder(self) -> Path:
        """The folder that samples are written into: where extracts land, if that is a folder."""
        return self.landing if isinstance(self.landing, Path) else self.home / "landing"

    @property
    def spool(self) -> Path:
        """Where objects lie while they are read."""
        return self.home / "spool"

    @property
    def build_database(self) -> Path:
        """The database that a run builds in, and nobody else opens."""
        return self.home / "build.duckdb"

    @property
    def build_lock(self) -> Path:
        """The file whose lock a run holds for as long as it goes on."""
        return self.home / "build.lock"

    @property
    def releases(self) -> Path:
        """The folder of releases, and of `current`."""
        return self.home / "releases"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage."""
        return self.home / "dagster"

    @property
    def outbox(self) -> Path:
        """Where the file route delivers to."""
        return self.home / "outbox"

    @property
    def ledger(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return self.ledger_url or f"sqlite:///{self.home / 'ledger.db'}"

    def export(self) -> Self:
        """Hand the settings to the tools that read the environment: dbt, Dagster, subprocesses."""
        self.home.mkdir(parents=True, exist_ok=True)
        os.environ.update(_SILENCED)
        os.environ.update(
            {
                "CSW_HOME": str(self.home),
                "CSW_LANDING": str(self.landing_place),
                "CSW_SEEDS": str(self.seeds),
                "CSW_BUILD_DATABASE": str(self.build_database),
                "CSW_SPILL_FOLDER": str(self.home / "spill"),
                "CSW_MEMORY_LIMIT": self.memory_limit,
                "CSW_THREADS": str(self.threads),
                "CSW_REPORTING_TIME_ZONE": self.reporting_time_zone,
                "CSW_REPORTING_CURRENCY": self.reporting_currency,
                "DAGSTER_HOME": str(self.dagster_home),
                "DAGSTER_EVENT_BATCH_SIZE": _EVENTS_AT_ONCE,
                "DBT_LOG_PATH": str(self.home / "dbt" / "logs"),
                "PYTHONIOENCODING": "utf-8",  # what dbt says is read so, whatever the terminal is
            }
        )
        if self.profile:
            os.environ["CSW_PROFILE"] = self.profile
        return self


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().resolve()
    except (RuntimeError, OSError) as error:  # nobody is called ~so, links that go round
        raise ValueError(f"'{path}' leads nowhere: {error}") from None


def receiver(name: str, part: str) -> str | None:
    """A part (`url`, `secret`) of a receiver that the seeds name: `CSW_RECEIVER_<NAME>_<PART>`."""
    return os.environ.get(f"CSW_RECEIVER_{name.upper()}_{part.upper()}") or None


def export_as_of(as_of: datetime) -> None:
    """Hand a run's as-of to dbt (`macros/time.sql`)."""
    os.environ["CSW_AS_OF"] = as_of.isoformat()


def dagster_home() -> Path:
    """The DAGSTER_HOME of this process."""
    return Path(os.environ["DAGSTER_HOME"])
