"""Which release readers get, and which ones are kept: going back, and making room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from assets.clock import last_full_day
from assets.releases import folders

NO_RELEASE = "There is no release yet: csw run makes one."


class ReleaseChoiceError(Exception):
    """There is no such release, or none to go back to; the sentence says what there is."""


@dataclass(frozen=True, kw_only=True)
class ReleaseSummary:
    """One release as its folder tells of it.

    Attributes:
        release_id: Name of its folder.
        sequence: Place in the order of publication.
        as_of: The as-of instant of its run.
        last_day: The last full day before it.
        is_current: Whether readers get it.
        is_withdrawn: Whether somebody went back from it.
        bytes: What its folder takes.
        manifest: Its manifest.
    """

    release_id: str
    sequence: int
    as_of: datetime
    last_day: date
    is_current: bool
    is_withdrawn: bool
    bytes: int
    manifest: Mapping[str, Any]


def read_summaries(releases: Path) -> list[ReleaseSummary]:
    """All releases that readers can see, oldest first."""
    current = folders.read_manifest(releases)
    found = []
    for release_id in folders.list_releases(releases):
        manifest = folders.read_manifest(releases, release_id)
        if manifest is None:
            continue
        as_of = datetime.fromisoformat(manifest["as_of"])
        found.append(
            ReleaseSummary(
                release_id=release_id,
                sequence=manifest["sequence"],
                as_of=as_of,
                last_day=last_full_day(as_of, ZoneInfo(manifest["time_zone"])),
                is_current=current is not None and current["id"] == release_id,
                is_withdrawn=folders.is_withdrawn(releases, release_id),
                bytes=sum(each.stat().st_size for each in (releases / release_id).iterdir()),
                manifest=manifest,
            )
        )
    return sorted(found, key=lambda each: each.sequence)


def find_release(found: Sequence[ReleaseSummary], named: str | None) -> ReleaseSummary:
    """The release of an id, of the number that its id begins with, or the current one.

    Raises:
        ReleaseChoiceError: If there is none.
    """
    if named is None:
        chosen = [each for each in found if each.is_current]
    else:
        number = int(named) if named.isdecimal() else None
        chosen = [each for each in found if named == each.release_id or number == each.sequence]
    if not chosen:
        if not found:
            raise ReleaseChoiceError(NO_RELEASE)
        latest = ", ".join(each.release_id for each in found[-3:])
        raise ReleaseChoiceError(f"There is no release {named}; the latest are {latest}.")
    return chosen[0]


def go_back(releases: Path, named: str | None) -> tuple[str, list[str]]:
    """Point `current` at an earlier release, and keep those after it from coming back.

    What was shown stays recorded as shown. A release that is published later becomes current as
    ever. The marks come first, so that a kill leaves them, and the same command finishes it.

    Args:
        releases: The folder of releases; nobody publishes meanwhile.
        named: Where to, one of `find_release`; without it, to the newest before the current one.

    Returns:
        The release that is current now, and those that are withdrawn.

    Raises:
        ReleaseChoiceError: If there is no such release.
    """
    found = read_summaries(releases)
    current = find_release(found, None)
    if named is not None:
        target = find_release(found, named)
    else:
        before = [
            each for each in found if each.sequence < current.sequence and not each.is_withdrawn
        ]
        if not before:
            raise ReleaseChoiceError(f"There is no release before {current.release_id}.")
        # A back-fill of an older day was never what readers had.
        target = max(before, key=_by_as_of)
    withdrawn = [
        each.release_id
        for each in found
        if each.sequence > target.sequence and each.as_of >= target.as_of
    ]
    for release_id in withdrawn:
        folders.withdraw(releases, release_id)
    folders.reinstate(releases, target.release_id)
    folders.flip(releases, target.release_id)
    return target.release_id, withdrawn


def find_superfluous(
    found: Sequence[ReleaseSummary], *, keep: int, evaluated: int
) -> list[ReleaseSummary]:
    """The releases that nobody needs: not among the last ones, nor a month's last (spec 70).

    Args:
        found: All releases, oldest first.
        keep: How many of the last ones stay.
        evaluated: Sequence of the last one that the alerts have seen; later ones stay.
    """
    good = [each for each in found if not each.is_withdrawn]
    month_ends = {
        (each.last_day.year, each.last_day.month): each for each in sorted(good, key=_by_as_of)
    }
    kept = {each.release_id for each in (*month_ends.values(), *good[-keep:], *found[-1:])}
    return [
        each
        for each in found
        if each.release_id not in kept and not each.is_current and each.sequence <= evaluated
    ]


def _by_as_of(release: ReleaseSummary) -> tuple[datetime, int]:
    return release.as_of, release.sequence
