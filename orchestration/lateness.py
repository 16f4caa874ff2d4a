"""What the clock says of a home: how old its release may be, and which sources have not come."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from assets.alerts.expected_sources import LateSource, arrivals, late_sources, read_expected
from assets.alerts.operations import is_scheduled
from assets.extracts.errors import ExtractError
from assets.extracts.landing import open_landing, profile_for
from orchestration.settings import Settings

_DEADLINE = timedelta(hours=36)


def deadline_of(engine: sa.Engine, settings: Settings) -> timedelta | None:
    """How old the release may be: what a person said, else the default of a scheduled home."""
    if settings.release_deadline_hours is not None:
        return timedelta(hours=settings.release_deadline_hours)
    return _DEADLINE if is_scheduled(engine) else None


def find_late_sources(settings: Settings, now: datetime) -> list[LateSource]:
    """The sources that should have landed by now and have not; asks the landing only for those."""
    expected = [found.row for found in read_expected(settings.seeds, [])]
    if not expected:
        return []
    try:
        landing = open_landing(settings.landing_place, spool=settings.spool)
        profile = profile_for(landing, settings.profile)
    except ExtractError as error:
        return [LateSource(source="landing", sentence=str(error))]
    arrived = arrivals(landing, profile, (row.source for row in expected))
    return list(late_sources(expected, arrived, now=now, zone=settings.zone))
