"""`csw status`: its exit code is what a monitor acts on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assets.alerts.ledger import create_ledger
from assets.alerts.operations import CheckOutcome, RunOutcome, record_runs
from assets.releases import folders
from orchestration.cli import app
from orchestration.cli_status import read_status
from orchestration.settings import Settings

NOW = datetime(2025, 3, 2, 6, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path, ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}")
    folder = made.releases / "000001-2025-03-02"
    folder.mkdir(parents=True)
    manifest = {"id": folder.name, "as_of": "2025-03-02T00:00:00+00:00", "quarantine": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    folders.flip(made.releases, folder.name)
    return made


def ran(settings: Settings, number: int, *red: str, is_green: bool = True) -> None:
    checks = tuple(
        CheckOutcome(
            asset="crm/accounts", check=name, severity="warn", passed=False, summary="2 ids"
        )
        for name in red
    )
    outcome = RunOutcome(
        run_id=str(number),
        job="daily",
        as_of=NOW,
        is_green=is_green,
        failures=() if is_green else ("dbt_build: it broke",),
        ended_at=NOW + timedelta(minutes=number),
        checks=checks,
    )
    record_runs(create_ledger(settings.ledger), [outcome])


def levels(settings: Settings, now: datetime = NOW) -> dict[str, int]:
    return {line.name: line.level for line in read_status(settings, now=now) if line.level}


def test_all_is_well(settings: Settings) -> None:
    """A monitor that is never green is switched off."""
    ran(settings, 1)
    assert levels(settings) == {}


def test_a_red_that_is_new_is_told_from_one_that_is_known(settings: Settings) -> None:
    """Old reds hide new ones."""
    ran(settings, 1, "is_fresh")
    ran(settings, 2, "is_fresh", "has_its_parents")
    (reds,) = [line for line in read_status(settings, now=NOW) if line.name == "new reds"]
    assert reds.said == "1: has_its_parents on crm/accounts"
    assert levels(settings) == {"new reds": 1, "unlinked ids": 1}


def test_a_red_run_and_a_late_release_are_broken(settings: Settings) -> None:
    """Exit code 1 for a warehouse that stands still."""
    ran(settings, 1, is_green=False)
    assert levels(settings, NOW + timedelta(hours=31)) == {"last run": 2, "release": 2}


def test_the_command_ends_with_the_worst(settings: Settings) -> None:
    """The sentence says one thing and the exit code another."""
    ran(settings, 1)
    done = CliRunner().invoke(app, ["status", "--home", str(settings.home)])
    assert done.exit_code == 2, "the release of 2025 is late by now"
