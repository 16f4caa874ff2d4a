"""What notices and asks for runs; nothing here computes anything."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg

from assets.alerts.evaluation import last_evaluated_sequence
from assets.extracts.landing import fingerprint_of_names, newest_day, open_landing
from assets.releases import folders
from orchestration.jobs import AssetJob
from orchestration.operations import GOING_ON, has_news
from orchestration.settings import Settings

_NO_DAYS = (
    "Nothing lies in a dt= folder under {}; a landing without days is run by hand, with an as-of."
)


def build_schedule(settings: Settings, job: AssetJob) -> dg.ScheduleDefinition:
    """The daily schedule: the days up to the landing's watermark that no release has yet."""

    @dg.schedule(
        job=job,
        cron_schedule="15 5 * * *",
        execution_timezone=settings.reporting_time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        name="every_morning",
        description="Asks for the newest day that has landed, if no release has it yet.",
    )
    def every_morning() -> dg.RunRequest | dg.SkipReason:
        return ask_for_days(settings)

    return every_morning


def build_landing_sensor(settings: Settings, job: AssetJob) -> dg.SensorDefinition:
    """The sensor that notices a day that has landed before the morning comes."""

    @dg.sensor(
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        name="a_day_landed",
        description="Asks for the newest day that has landed, if no release has it yet.",
    )
    def a_day_landed() -> dg.RunRequest | dg.SkipReason:
        return ask_for_days(settings)

    return a_day_landed


def build_release_sensor(settings: Settings, job: AssetJob) -> dg.SensorDefinition:
    """The sensor that wakes the alerts after each release, in order of publication."""

    @dg.sensor(
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        name="a_release_was_published",
        description="Asks for an evaluation for each release after the ledger's last one.",
    )
    def a_release_was_published(
        context: dg.SensorEvaluationContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        last = last_evaluated_sequence(settings.ledger)
        waiting = [
            name
            for name in folders.list_releases(settings.releases)
            if folders.sequence_of(name) > last
        ]
        if not waiting:
            yield dg.SkipReason("Every release has been evaluated.")
        for release_id in waiting:
            failed = _failed_attempts(context.instance, release_id)
            yield dg.RunRequest(run_key=f"{release_id}-{failed}", tags={"csw/release": release_id})

    return a_release_was_published


def build_operations_sensor(settings: Settings, job: AssetJob) -> dg.SensorDefinition:
    """The sensor that notices what ops must hear of: no release will come that could say it."""

    @dg.sensor(
        job=job,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        name="something_needs_a_person",
        description="Asks for a run where a run ended, a check turned red, a release is late, or "
        "something is to be told again.",
    )
    def something_needs_a_person(
        context: dg.SensorEvaluationContext,
    ) -> dg.RunRequest | dg.SkipReason:
        going_on = dg.RunsFilter(job_name=job.name, statuses=GOING_ON)
        if context.instance.get_runs_count(going_on):
            return dg.SkipReason("Ops is being told.")
        if has_news(settings, context.instance, now=datetime.now(settings.zone)):
            return dg.RunRequest()
        return dg.SkipReason("Nothing began and nothing ended that ops should hear of.")

    return something_needs_a_person


def ask_for_days(settings: Settings) -> dg.RunRequest | dg.SkipReason:
    """A run for the days up to the landing's watermark that no release has, or why not."""
    place = settings.landing_place
    if isinstance(place, Path) and not place.is_dir():
        return dg.SkipReason(_NO_DAYS.format(place))
    landing = open_landing(place, spool=settings.spool)
    newest = newest_day(landing)
    if newest is None:
        return dg.SkipReason(_NO_DAYS.format(place))
    # A day that is not over has no partition yet, whatever has landed of it.
    newest = min(newest, datetime.now(settings.zone).date() - timedelta(days=1))
    # One that was withdrawn counts: to run its day at once would bring it back.
    as_of_day = folders.newest_as_of_day(settings.releases)
    released = as_of_day - timedelta(days=1) if as_of_day else None
    if released is not None and newest <= released:
        return dg.SkipReason(f"Released through {released}, and no later day has landed.")
    first = released + timedelta(days=1) if released else newest
    return dg.RunRequest(
        # A red run is asked for again once something else has landed, and not before.
        run_key=f"{newest.isoformat()}-{fingerprint_of_names(landing)}",
        tags={
            "dagster/asset_partition_range_start": first.isoformat(),
            "dagster/asset_partition_range_end": newest.isoformat(),
        },
    )


def _failed_attempts(instance: dg.DagsterInstance, release_id: str) -> int:
    failed = dg.RunsFilter(tags={"csw/release": release_id}, statuses=[dg.DagsterRunStatus.FAILURE])
    return instance.get_runs_count(failed)
