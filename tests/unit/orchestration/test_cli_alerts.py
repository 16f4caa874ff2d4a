"""`csw alerts` as a person types it."""

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from assets.alerts.evaluation import evaluate
from assets.alerts.ledger import create_ledger
from orchestration import cli_alerts
from orchestration.settings import Settings
from tests.unit.alerts.releases_by_hand import RECORDED_AT, march, publish, series
from tests.unit.alerts.rules_by_hand import rule, ruleset
from tests.unit.orchestration import typed_commands
from tests.unit.orchestration.typed_commands import Said

SEEDS = Path(__file__).parents[3] / "seeds"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one open alert."""
    settings = Settings(home=tmp_path, ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}")
    for number in (1, 2):
        publish(settings.releases, number, march(number), series("a", [80, 39]))
    ledger = create_ledger(settings.ledger)
    evaluate(ledger, settings.releases, ruleset(rule()), recorded_at=RECORDED_AT)
    ledger.dispose()
    return tmp_path


def csw(home: Path, *arguments: str) -> Said:
    return typed_commands.csw(cli_alerts, home, "alerts", *arguments)


def alert_id(home: Path) -> str:
    listed = csw(home, "list").output
    return re.findall(r"\b[0-9a-f]{8}\b", listed)[0]


def test_an_alert_is_found_acknowledged_and_resolved(home: Path) -> None:
    """The life of an alert without a line of SQL."""
    found = alert_id(home)
    said = ("--by", "Ann", "--why", "on it")
    assert csw(home, "ack", found, *said).exit_code == 0
    assert csw(home, "snooze", found, "--until", "2025-03-09", *said).exit_code == 0
    assert csw(home, "resolve", found, *said).exit_code == 0
    assert "No alert is open." in csw(home, "list").output
    shown = csw(home, "show", found).output
    assert all(word in shown for word in ("acknowledged", "snoozed", "resolved", "Ann", "on it"))
    assert "4 rows" in csw(home, "verify").output


def test_what_cannot_be_done_is_one_sentence(home: Path) -> None:
    """A stack trace tells a person nothing."""
    done = csw(home, "ack", "zzz", "--by", "Ann", "--why", "x")
    assert done.exit_code == 2
    assert "no alert's id begins with 'zzz'" in done.output


def test_a_rule_is_replayed_and_compared_with_its_edit(home: Path, tmp_path: Path) -> None:
    """An edit that nobody tried on the past."""
    edited = tmp_path / "edited.csv"
    rules = (SEEDS / "alert_rules.csv").read_text("utf-8")
    edited.write_text(rules.replace("health_score,,below,50", "health_score,,below,30"))
    days = ("--from", "2025-03-01", "--to", "2025-03-02")
    done = csw(home, "replay", "--rule", "health_fell_below_50", *days, "--what-if", str(edited))
    assert done.exit_code == 0, done.output
    assert "1 alerts for 1 of 1 customers" in done.output
    assert "0 alerts for 0 of 1 customers" in done.output
    assert csw(home, "replay", "--rule", "nobody", *days).exit_code == 2


def test_a_rule_is_replayed_before_it_is_switched_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether to switch it on is what one asks the past about."""
    seeds = tmp_path / "seeds"
    shutil.copytree(SEEDS, seeds)
    rules = (seeds / "alert_rules.csv").read_text("utf-8").splitlines()
    off = [line.replace("ops,true", "ops,false") for line in rules]
    (seeds / "alert_rules.csv").write_text("\n".join(off) + "\n")
    monkeypatch.setenv("CSW_SEEDS", str(seeds))
    days = ("--from", "2025-03-01", "--to", "2025-03-02")
    done = csw(home, "replay", "--rule", "health_fell_below_50", *days)
    assert "1 alerts for 1 of 1 customers" in done.output


def test_a_damaged_release_or_ledger_is_one_sentence(home: Path) -> None:
    """A person who asks for a replay is shown where DuckDB raised what."""
    (home / "releases" / "r0002" / "csw.duckdb").write_text("torn")
    days = ("--from", "2025-03-01", "--to", "2025-03-02")
    done = csw(home, "replay", "--rule", "health_fell_below_50", *days)
    assert (done.exit_code, "The release r0002 can't be read" in done.output) == (1, True)
    with closing(sqlite3.connect(home / "ledger.db")) as ledger:
        ledger.execute("drop table alert_events")
    done = csw(home, "show", alert_id(home))
    assert (done.exit_code, "no such table: alert_events" in done.output) == (1, True)


def test_rules_that_nobody_could_want_end_in_an_exit_code(home: Path) -> None:
    """A pipeline that edits rules must be able to stop."""
    done = csw(home, "lint", "--days", "2")
    assert done.exit_code == 1
    assert "users_went_quiet never fired in 2 days" in done.output
    assert "mrr_shrank was not judged" not in done.output
