"""`csw health explain` and `diff` over a release: what they say is what its rows say."""

from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from assets.health.explaining import compare, explain
from orchestration import cli_health
from orchestration.cli import app
from tests.integration.compiled_warehouse import Warehouse, open_build
from tests.integration.test_health_agrees_with_python import END, MARTS, OVERRIDES, land_new
from tests.recompute.deliveries import seeded_folders
from tests.recompute.health_landings import edgy_seeds

TABLES = ("fct_account_health_daily", "fct_health_conditions_daily", "fct_health_changes")


@pytest.fixture(scope="module")
def home(warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose current release shows the health of a generated landing."""
    folder = tmp_path_factory.mktemp("health")
    release = folder / "releases" / "current"
    release.mkdir(parents=True)
    with closing(open_build()) as build:
        land_new(build, seeded_folders(24), END, OVERRIDES)
        warehouse.only(*MARTS).run(build, END, seeds=edgy_seeds())
        build.execute(f"attach '{release / 'csw.duckdb'}' as release")
        build.execute("create schema release.health; create schema release.meta")
        for table in TABLES:
            build.execute(f"create table release.health.{table} as from health.{table}")
        build.execute("create table release.meta.metric_registry as from meta.metric_registry")
        build.execute(
            "create table release.meta.releases as "
            "select 1 as sequence, timestamptz '2024-04-05 00:00:00+00' as as_of"
        )
        build.execute(
            "create table release.meta.configuration as select * from (values "
            "('health_conditions.csv', 1, 'condition', 'c5', timestamptz '2024-01-01 00:00:00+00'),"
            "('health_conditions.csv', 1, 'sentence', '{value} tickets', '2024-01-01'),"
            "('health_conditions.csv', 1, 'condition', 'c5', '2024-04-06'),"
            "('health_conditions.csv', 1, 'sentence', 'later words', '2024-04-06')"
            ") as t (file, row, column_name, value, valid_from)"
        )
        build.execute("detach release")
    return folder


def say(home: Path, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit code and output of a command, on a wide terminal."""
    from rich.console import Console

    runner = CliRunner()
    with (home / "said.txt").open("w") as file:
        monkeypatch.setattr(cli_health, "console", Console(file=file, width=200))
        done = runner.invoke(app, ["health", *arguments, "--home", str(home)])
    return done.exit_code, (home / "said.txt").read_text()


def read(home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(home / "releases" / "current" / "csw.duckdb"), read_only=True)


def test_an_explanation_adds_up_and_has_the_words_of_then(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Points that are not the score's, or sentences that were configured after the day."""
    with read(home) as release:
        row = release.execute(
            "select account_id, day from health.fct_health_conditions_daily "
            "where condition = 'c5' and influences_state and metric_value is not null "
            "order by day desc limit 1"
        ).fetchone()
        assert row is not None
        found = explain(release, *row)
    assert found is not None
    assert sum(r["contribution"] for r in found.conditions) == found.health["raw_score"]
    (ticket,) = [r for r in found.conditions if r["condition"] == "c5"]
    assert found.reason(ticket) == f"{ticket['metric_value']:g} tickets".replace(".000000", "")
    code, said = say(home, "explain", row[0], "--on", str(row[1]), monkeypatch=monkeypatch)
    assert code == 0
    assert f"• {found.reason(ticket)}" in said
    assert "later words" not in said


def test_a_difference_is_the_sum_of_its_days(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change over a month that is not what its days' changes add up to."""
    with read(home) as release:
        row = release.execute(
            "select account_id, day - 5, day from health.fct_health_changes "
            "qualify count(change) over (partition by account_id order by day "
            "rows between 4 preceding and current row) = 5 order by abs(change) desc limit 1"
        ).fetchone()
        assert row is not None
        found = compare(release, *row)
    assert found is not None
    assert found.parts is not None
    assert sum(found.parts.values()) == found.last["score"] - found.first["score"]
    code, said = say(home, "diff", row[0], str(row[2]), str(row[1]), monkeypatch=monkeypatch)
    assert code == 0
    assert f"{found.last['score'] - found.first['score']:+.2f} points between them" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain", "nobody"), "shows no health of 'nobody'"),
        (("explain", "a", "--on", "soon"), "'soon' is no day; write it as 2026-03-31."),
        (("diff", "a", "1999-01-01", "2024-02-01"), "no health of 'a' on 1999-01-01 or 2024-02-01"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(
    home: Path, arguments: tuple[str, ...], words: str
) -> None:
    """A traceback, or an empty table that reads as all is well."""
    done = CliRunner().invoke(app, ["health", *arguments, "--home", str(home)])
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())
