"""`csw status`: its exit code is what a monitor acts on."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assets.alerts.check_history import CheckOutcome, CheckWords, keep_words
from assets.alerts.ledger import create_ledger
from assets.alerts.operations import RunOutcome, record_runs
from assets.releases import folders
from orchestration.cli import app
from orchestration.cli_status import read_reds, read_status
from orchestration.settings import ROOT, Settings

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


def ran(
    settings: Settings,
    number: int,
    *red: str,
    is_green: bool = True,
    asked_by: str | None = "every_morning",
) -> None:
    checks = tuple(
        CheckOutcome(
            asset="crm/accounts",
            check=name,
            severity="warn",
            passed=False,
            summary="2 ids",
            rows_failed=2,
            rows_tested=1_000,
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
        asked_by=asked_by,
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


def test_only_a_home_with_a_schedule_or_a_deadline_can_be_late(settings: Settings) -> None:
    """A demo or a back-fill that is broken from its first minute on."""
    ran(settings, 1, asked_by=None)
    years_later = NOW + timedelta(days=1_000)
    assert levels(settings, years_later) == {}
    told = settings.model_copy(update={"release_deadline_hours": 48})
    assert levels(told, NOW + timedelta(hours=40)) == {}
    assert levels(told, NOW + timedelta(hours=43)) == {"release": 2}
    ran(settings, 2)
    assert levels(settings, years_later) == {"release": 2}


def test_a_source_that_has_not_come_is_shown(settings: Settings, tmp_path: Path) -> None:
    """A table that stops, seen first by whoever reads yesterday's numbers for today's."""
    ran(settings, 1)
    seeds, landing = tmp_path / "seeds", tmp_path / "landing"
    seeds.mkdir()
    (seeds / "expected_sources.csv").write_text("source,expected_by,on_days\ncrm,05:30,\n")
    told = settings.model_copy(update={"seeds": seeds, "landing": landing})
    assert levels(told) == {"late sources": 1}, "there is no landing at all"
    (landing / "crm/accounts/dt=2025-03-01").mkdir(parents=True)
    assert levels(told) == {"late sources": 1}, "and nothing in it"
    (landing / "crm/accounts/dt=2025-03-01/a.csv").write_text("x")
    assert levels(told) == {}


def test_a_red_check_says_how_much_since_when_whose_and_what_to_do(settings: Settings) -> None:
    """`1 check is red`, and a search for what it means begins."""
    engine = create_ledger(settings.ledger)
    words = CheckWords(
        asset="crm/accounts",
        check="has_its_parents",
        layer="raw",
        owner="data@example.com",
        means="Every parent has landed.",
        what_to_do="Land the parents shown.",
    )
    keep_words(engine, [words], "1")
    ran(settings, 1)
    ran(settings, 2, "has_its_parents")
    ran(settings, 3, "has_its_parents", "is_fresh")
    assert read_reds(settings)[1].splitlines() == [
        "has_its_parents on crm/accounts (warn, 2 of 1,000 rows, red since 2025-03-02 06:02 UTC)",
        "  2 ids",
        "  to do (data@example.com): Land the parents shown.",
    ]


def test_the_command_ends_with_the_worst(settings: Settings) -> None:
    """The sentence says one thing and the exit code another."""
    ran(settings, 1)
    done = CliRunner().invoke(app, ["status", "--home", str(settings.home)])
    assert done.exit_code == 2, "the release of 2025 is late by now"


def test_a_command_that_runs_nothing_loads_no_engine() -> None:
    """Seconds of imports before each line that a monitor or a person waits for."""
    loads = "import sys, orchestration.cli; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0  # noqa: S603


def test_a_terminal_of_another_encoding_stops_no_command(tmp_path: Path) -> None:
    """A run ends at its first tick where a scheduler has no UTF-8."""
    command = "import sys; from orchestration.cli import app; app(sys.argv[1:])"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", command, "status", "--home", str(tmp_path / "home")],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, b"")
    assert done.stdout.startswith(b"!  last run")
