"""The releases that were published, in order: what each manifest says of one."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError


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
    zone: ZoneInfo

    def end_of(self, day: date) -> datetime:
        """The first instant after a local day."""
        return datetime.combine(day + timedelta(days=1), time(), self.zone)


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
        zone = ZoneInfo(manifest.time_zone)
        local = manifest.as_of.astimezone(zone)
    except (ValidationError, KeyError, ValueError) as error:
        raise ReleaseError(
            f"The manifest {path.parent.name}/manifest.json can't be read: {first_line(error)};"
            " publish the release again or delete its folder."
        ) from error
    return Release(
        id=manifest.id,
        sequence=manifest.sequence,
        as_of=manifest.as_of,
        last_full_day=local.date() - timedelta(days=1),
        database=path.parent / "csw.duckdb",
        zone=zone,
    )


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return str(error).splitlines()[0]
