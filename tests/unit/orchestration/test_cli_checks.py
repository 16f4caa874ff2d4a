"""`csw checks` and `csw quarantine` as a person types them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from assets.alerts.check_history import CheckOutcome, CheckWords, keep_words
from assets.alerts.ledger import create_ledger
from assets.alerts.operations import RunOutcome, record_runs
from assets.releases import folders
from orchestration import cli_checks
from orchestration.settings import Settings
from tests.unit.orchestration import typed_commands
from tests.unit.orchestration.typed_commands import Said

NOW = datetime(2025, 3, 2, 6, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose last run had a green, a red and a blocking check, and set two rows aside."""
    settings = Settings(home=tmp_path, ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}")
    said = {"summary": "2 ids are nobody's", "rows_failed": 2, "rows_tested": 1000}
    rows = ({"ticket_id": "t1", "account_id": "[bold]"},)
    checks = (
        CheckOutcome(asset="crm/accounts", check="is_fresh", severity="info", passed=True,
                     summary="fresh"),
        CheckOutcome(asset="tickets/tickets", check="has_its_parents", severity="warn",
                     passed=False, failing_rows=rows, **said),
        CheckOutcome(asset="crm/accounts", check="has_its_parents", severity="block",
                     passed=False, **said),
    )  # fmt: skip
    run = RunOutcome(
        run_id="1", job="daily", as_of=NOW, is_green=False, failures=(), ended_at=NOW, checks=checks
    )
    ledger = create_ledger(settings.ledger)
    record_runs(ledger, [run])
    words = CheckWords(
        asset="tickets/tickets",
        check="has_its_parents",
        layer="raw",
        owner="data",
        means="Each row is somebody's.",
        what_to_do="Add a link.",
    )
    keep_words(ledger, [words], "v1")
    folder = settings.releases / "000001-2025-03-02"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "csw.duckdb")) as release:
        release.execute("""
            create schema meta;
            create table meta.deliveries as
            select 'crm' as source, unnest(['accounts', 'contacts']) as table_name;
            create table meta.quarantine as
            select
                'crm' as source, 'accounts' as table_name, 'dt=1/a.csv' as path, line,
                'tier' as column_name, 'allowed' as rule, 'tier is ' || line as reason
            from unnest([7, 5]) as lines (line)
        """)
    (folder / "manifest.json").write_text(json.dumps({"id": folder.name, "as_of": NOW.isoformat()}))
    folders.flip(settings.releases, folder.name)
    return tmp_path


def csw(home: Path, *arguments: str) -> Said:
    return typed_commands.csw(cli_checks, home, *arguments)


def test_red_checks_are_listed_and_explained(home: Path) -> None:
    """A red check whose meaning stands in the code alone is nobody's."""
    listed = csw(home, "checks", "list").output.splitlines()
    assert [line.split()[0] for line in listed[1:3]] == [
        "crm/accounts/has_its_parents",
        "tickets/tickets/has_its_parents",
    ]
    assert "2 of 3 checks are red" in listed[3]
    assert "is_fresh" in csw(home, "checks", "list", "--all").output
    shown = csw(home, "checks", "show", "tickets/").output
    for said in ("is red (warn)", "2 of 1,000", "data", "Add a link.", "t1", "[bold]"):
        assert said in shown


@pytest.mark.parametrize(
    ("named", "said"),
    [("nothing", "No check is named nothing"), ("has_its", "2 checks are named so")],
)
def test_a_check_that_is_not_told_apart_is_one_sentence(home: Path, named: str, said: str) -> None:
    """A stack trace tells a person nothing."""
    done = csw(home, "checks", "show", named)
    assert (done.exit_code, said in done.output) == (2, True)


def test_what_was_set_aside_is_shown_by_reason_and_row(home: Path) -> None:
    """Rows that are missing from every chart, and nobody can say which."""
    assert "tier is 5" in csw(home, "quarantine", "list").output
    shown = csw(home, "quarantine", "show", "crm.accounts").output.splitlines()
    assert [line.split()[1] for line in shown[1:]] == ["5", "7"]
    nothing = csw(home, "quarantine", "show", "crm.contacts").output
    assert "Nothing of crm.contacts was set aside." in nothing
    wrong = csw(home, "quarantine", "show", "crm.acounts")
    assert (wrong.exit_code, "there are crm.accounts, crm.contacts" in wrong.output) == (2, True)
