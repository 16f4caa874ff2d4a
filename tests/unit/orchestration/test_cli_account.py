"""`csw account show`: the page of one account, from a release that is made by hand."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from assets.releases import folders
from orchestration.cli import app
from orchestration.cli_account import said, sparkline

LAST = date(2026, 6, 30)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A release with two accounts, the second of which was never judged."""
    folder = tmp_path / "releases" / "000001-2026-07-01"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / folders.RELEASE_FILE)) as release:
        for schema in ("accounts", "health", "meta"):
            release.execute(f"create schema {schema}")
        release.execute(
            "create table accounts.account_scorecard as select * from (values "
            "('a', 'Aqueduct [Ltd]', 'customer', 'poor', 41.25, '7 tickets open', 1200.0::decimal, "
            "0.5, 4, 6.5, true, null), "
            "('b', 'Bakery', 'trial', null, null, null, null, null, null, null, false, null)) as t "
            "(account_id, account_name, status, health_state, health_score, reason_1, arr, "
            "active_user_ratio, mau, mau_peer_median, is_renewal_upcoming, next_task)"
        )
        release.execute(
            "create table meta.metric_registry as select * from (values "
            "('active_user_ratio', 'Active share', 'ratio'), ('mau', 'Active users', 'users'), "
            "('mrr', 'MRR', 'money')) as t (metric, name, unit)"
        )
        release.execute(
            "create table accounts.account_metrics_daily_restated (account_id varchar, day date, "
            "mrr decimal(18, 2), mau bigint, use_count_30d bigint, open_tickets bigint)"
        )
        release.execute(
            "create table health.fct_account_health_daily "
            "(account_id varchar, day date, score decimal(9, 6))"
        )
        for weeks in range(4):
            day = LAST - timedelta(weeks=weeks)
            release.execute(
                "insert into accounts.account_metrics_daily_restated "
                "values ('a', ?, 100, ?, 5, null)",
                [day, 8 - weeks],
            )
            release.execute(
                "insert into health.fct_account_health_daily values ('a', ?, ?)", [day, 40 + weeks]
            )
    (folder / folders.MANIFEST_FILE).write_text("{}")
    folders.flip(folder.parent, folder.name)
    return tmp_path


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_page_says_what_is_known_and_nothing_else(
    home: Path, width: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a page that is cut off, has empty lines, or takes a name for markup."""
    monkeypatch.setattr("orchestration.cli_account.console.width", int(width))
    text = _show(home, "a")
    for told in ("Aqueduct [Ltd]", "customer", "poor", "7 tickets open", "1,200", "50 %", "6.5"):
        assert told in text
    assert "Renewal within 90 days" in text
    assert "Next task" not in text
    assert "▁▃▆█" in text
    assert all(len(line) <= int(width) for line in text.splitlines())


def test_an_account_that_nobody_judged_has_a_page(home: Path) -> None:
    """Prevents a page that fails on an account without a metric."""
    text = _show(home, "BAKERY")
    assert "unknown" in text
    assert "trial" in text


def test_an_unknown_account_is_answered_with_near_names(home: Path) -> None:
    """Prevents a stack trace, or silence, where somebody mistyped a name."""
    done = CliRunner().invoke(app, ["account", "show", "bakry", "--home", str(home)])
    assert done.exit_code == 2
    assert "No account has the id or name 'bakry'; did you mean b (Bakery)?" in done.output


def test_a_home_without_a_release_is_named(tmp_path: Path) -> None:
    """Prevents an error of the database where nothing has run yet."""
    done = CliRunner().invoke(app, ["account", "show", "a", "--home", str(tmp_path)])
    assert done.exit_code == 2
    assert "There is no release" in done.output


def test_a_line_over_time_has_gaps_and_a_middle() -> None:
    """Prevents a missing week that looks like a bad one, and a flat line that looks like a fall."""
    assert sparkline([1, None, 8]) == "▁ █"
    assert sparkline([Decimal(5), 5.0]) == "▄▄"


def test_values_read_as_people_read_them() -> None:
    """Prevents a share as 0.4167 and a score with six decimals."""
    assert said(0.4167, is_share=True).plain == "42 %"
    assert said(Decimal("41.250000")).plain == "41.2"
    assert said(12345).plain == "12,345"
    assert said(date(2026, 7, 1)).plain == "2026-07-01"


def _show(home: Path, account: str) -> str:
    from orchestration import cli_account

    with cli_account.console.capture() as printed:
        done = CliRunner().invoke(app, ["account", "show", account, "--home", str(home)])
    assert done.exit_code == 0, done.output
    return printed.get()
