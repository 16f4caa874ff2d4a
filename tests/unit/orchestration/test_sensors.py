"""What asks for runs: for which days, under which key, and why not."""

import json
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from assets.releases import folders
from orchestration import sensors
from orchestration.sensors import ask_for_days, build_release_sensor
from orchestration.settings import Settings

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, landing=tmp_path / "landing", reporting_time_zone="UTC")


def land(settings: Settings, day: str, content: str = "x") -> None:
    file = settings.landing_folder / f"crm/accounts/dt={day}/accounts.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def release(settings: Settings, sequence: int, as_of: str) -> str:
    release_id = f"{sequence:06d}-{as_of}"
    folder = settings.releases / release_id
    folder.mkdir(parents=True)
    manifest = {"id": release_id, "as_of": f"{as_of}T00:00:00+00:00"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    folders.flip(settings.releases, release_id)
    return release_id


def asked(settings: Settings) -> tuple[str | None, str | None]:
    request = ask_for_days(settings)
    assert isinstance(request, dg.RunRequest), request
    return request.tags[RANGE[0]], request.tags[RANGE[1]]


def key(settings: Settings) -> str | None:
    request = ask_for_days(settings)
    assert isinstance(request, dg.RunRequest), request
    return request.run_key


def test_a_landing_without_days_is_left_to_people(settings: Settings) -> None:
    """Runs for no day at all, or a tick that fails where there is no landing yet."""
    (said,) = {str(ask_for_days(settings).skip_message) for _ in range(2)}  # type: ignore[union-attr]
    assert said == (
        f"Nothing lies in a dt= folder under {settings.landing_folder}; a landing without days is "
        "run by hand, with an as-of."
    )


def test_the_first_run_is_for_the_newest_day_alone(settings: Settings) -> None:
    """A first run as a range of partitions over years, of which no release was ever made."""
    land(settings, "2025-01-01")
    land(settings, "2025-01-03")
    assert asked(settings) == ("2025-01-03", "2025-01-03")


def test_missed_days_are_asked_for_in_one_range(settings: Settings) -> None:
    """A weekend that nobody asks for, or a release for each of its days."""
    land(settings, "2025-01-06")
    release(settings, 1, "2025-01-04")  # through the 3rd
    assert asked(settings) == ("2025-01-04", "2025-01-06")


def test_released_days_are_not_asked_for_again(settings: Settings) -> None:
    """A release per minute of a day that has one."""
    land(settings, "2025-01-03")
    release(settings, 1, "2025-01-04")
    skipped = ask_for_days(settings)
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message == "Released through 2025-01-03, and no later day has landed."


def test_a_day_that_was_withdrawn_is_not_asked_for_again(settings: Settings) -> None:
    """A rollback that the next tick undoes, with the very data that were withdrawn."""
    land(settings, "2025-01-03")
    release(settings, 1, "2025-01-03")
    release(settings, 2, "2025-01-04")
    folders.withdraw(settings.releases, "000002-2025-01-04")
    folders.flip(settings.releases, "000001-2025-01-03")
    skipped = ask_for_days(settings)
    assert isinstance(skipped, dg.SkipReason)
    land(settings, "2025-01-04")
    assert asked(settings) == ("2025-01-04", "2025-01-04")


def test_a_red_day_is_asked_for_again_once_something_landed(settings: Settings) -> None:
    """A red run repeated every minute, or never again after its file was mended."""
    land(settings, "2025-01-03", "bad")
    first = key(settings)
    assert key(settings) == first
    land(settings, "2025-01-03", "mended")
    assert key(settings) != first


def release_keys(settings: Settings, evaluated: int, failed: Sequence[str] = ()) -> list[str]:
    """The run keys that the release sensor asks for, or why it asks for none."""
    job = dg.define_asset_job("alerts")
    with pytest.MonkeyPatch.context() as patch, dg.instance_for_test() as instance:
        patch.setattr(sensors, "last_evaluated_sequence", lambda _: evaluated)
        for release_id in failed:
            instance.create_run_for_job(
                _nothing, tags={"csw/release": release_id}, status=dg.DagsterRunStatus.FAILURE
            )
        context = dg.build_sensor_context(instance=instance)
        found = build_release_sensor(settings, job).evaluate_tick(context)
    return [str(r.run_key) for r in found.run_requests or ()] or [str(found.skip_message)]


@dg.job
def _nothing() -> None:
    """A job to have failed."""


def test_every_release_is_evaluated_in_order(settings: Settings) -> None:
    """A release that was published between two ticks and whose alerts nobody got."""
    for number, day in enumerate(("2025-01-02", "2025-01-03", "2025-01-04"), start=1):
        release(settings, number, day)
    assert release_keys(settings, evaluated=1) == ["000002-2025-01-03-0", "000003-2025-01-04-0"]


def test_a_failed_evaluation_is_asked_for_again(settings: Settings) -> None:
    """A run key that was used up by the attempt that failed."""
    release_id = release(settings, 1, "2025-01-02")
    assert release_keys(settings, 0, failed=[release_id]) == [f"{release_id}-1"]


def test_without_a_new_release_the_sensor_says_so(settings: Settings) -> None:
    """An evaluation every half minute."""
    release(settings, 1, "2025-01-02")
    assert release_keys(settings, evaluated=1) == ["Every release has been evaluated."]
