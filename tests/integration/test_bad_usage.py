"""What a person reads who typed something wrong: one sentence and an exit code, never a trace."""

import fcntl
import json
import shutil
from pathlib import Path

import pytest
import yaml

from tests.integration.main_job import ROOT, Ran, bytes_under, csw

USAGE, RED, BUSY = 2, 1, 75
SHIPPED = sorted(file.stem for file in (ROOT / "assets" / "extracts" / "profiles").glob("*.yml"))
MARTS = ROOT / "models" / "marts"
DAILY = ("accounts/account_metrics_daily.yml", "health/account_kpis_daily.yml")
MEASURED = [
    column["name"]
    for file in DAILY
    for column in yaml.safe_load((MARTS / file).read_text("utf-8"))["models"][0]["columns"]
    if column.get("config", {}).get("meta", {}).get("metric")
]
METRICS = ", ".join(sorted(MEASURED))
TYPO = (
    "seeds/alert_rules.csv, line 6, column metric: no metric is named 'use_count_chnge_ratio' "
    f"(did you mean 'use_count_change_ratio'?); allowed: {METRICS}."
)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """A landing in which one account lies."""
    file = tmp_path / "landing" / "crm" / "accounts" / "accounts.csv"
    file.parent.mkdir(parents=True)
    file.write_text("account_id,account_name,created_at\na,Acme,2024-01-01\n")
    return tmp_path / "landing"


@pytest.fixture
def typo(tmp_path: Path) -> Path:
    """Seeds in which one rule names a metric that there is not."""
    seeds = tmp_path / "seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    rules = seeds / "alert_rules.csv"
    text = rules.read_text("utf-8")
    rules.write_text(text.replace(",use_count_change_ratio,", ",use_count_chnge_ratio,", 1))
    return seeds


def run(tmp_path: Path, landing: Path, *arguments: str, **environment: str) -> Ran:
    command = ["run", "--home", str(tmp_path / "home"), "--landing", str(landing), *arguments]
    return csw(*command, environment=environment)


def test_a_landing_that_is_missing_is_named(tmp_path: Path) -> None:
    """An empty warehouse, made of nothing because of a typo in a path."""
    nowhere = tmp_path / "nowhere"
    ran = run(tmp_path, nowhere, "--as-of", "2025-01-01")
    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == (
        f"There is no landing folder {nowhere}: name one with --landing, or write a sample into it "
        "with csw sample.\n"
    )


@pytest.mark.parametrize("text", ["tomorrow", "2025-02-30", "31/12/2024", "0001-01-01"])
def test_an_as_of_that_is_none_shows_how_to_write_one(
    tmp_path: Path, landing: Path, text: str
) -> None:
    """A run for a day that nobody meant, or a trace from the depths of a calendar."""
    ran = run(tmp_path, landing, "--as-of", text)
    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == (
        f"'{text}' is no as-of: give a date (2025-01-01) or an instant (2025-01-01T08:00+00:00)\n"
    )


def test_an_unknown_profile_is_refused_with_those_that_there_are(
    tmp_path: Path, landing: Path
) -> None:
    """The same sentence once for every table, or files read by a profile nobody chose."""
    ran = run(tmp_path, landing, "--as-of", "2025-01-01", "--profile", "ravnstack")
    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == (
        f"There is no profile ravnstack; name a .yml file or one of {', '.join(SHIPPED)}.\n"
    )


def test_seeds_that_are_missing_are_named(tmp_path: Path, landing: Path) -> None:
    """A page of dbt's about a node that was not found."""
    nowhere = tmp_path / "nowhere"
    ran = run(tmp_path, landing, "--as-of", "2025-01-01", CSW_SEEDS=str(nowhere))
    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == (
        f"There is no seeds folder {nowhere}: let CSW_SEEDS name a copy of {ROOT / 'seeds'}, or "
        "unset it.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "CSW_REPORTING_TIME_ZONE",
            "Mars/Olympus",
            "'Mars/Olympus' is no time zone; use a name such as Europe/Paris",
        ),
        ("CSW_REPORTING_CURRENCY", "dollars", "String should match pattern '^[A-Z]{3}$'"),
        ("CSW_THREADS", "0", "Input should be greater than or equal to 1"),
    ],
)
def test_a_setting_that_is_wrong_is_named(
    tmp_path: Path, landing: Path, name: str, value: str, sentence: str
) -> None:
    """Days of another time zone than the one that was meant, since a wrong one was ignored."""
    ran = run(tmp_path, landing, "--as-of", "2025-01-01", **{name: value})
    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == f"{name}: {sentence}\n"


def test_a_day_of_a_sample_that_is_none_shows_how_to_write_one(tmp_path: Path) -> None:
    """Python's own words for a wrong date."""
    ran = csw("sample", str(tmp_path / "landing"), "--through", "never")
    assert (ran.code, ran.out) == (USAGE, "")
    assert ran.err == "'never' is no day: give one such as 2026-06-30\n"


def test_validate_says_where_a_typo_is_and_what_is_allowed(tmp_path: Path, typo: Path) -> None:
    """A rule that never fires, since it names a metric that there is not."""
    ran = csw("validate", "--home", str(tmp_path / "home"), environment={"CSW_SEEDS": str(typo)})
    assert (ran.code, ran.out, ran.err) == (RED, f"✗ {TYPO}\n", "")


def test_validate_refuses_a_profile_that_there_is_not(tmp_path: Path) -> None:
    """A profile's name that is found wrong only by tonight's run."""
    home = str(tmp_path / "home")
    ran = csw("validate", "--home", home, environment={"CSW_PROFILE": "ravnstack"})
    assert (ran.code, ran.err) == (RED, "")
    assert ran.out == (
        f"✗ There is no profile ravnstack; name a .yml file or one of {', '.join(SHIPPED)}.\n"
    )


def test_validate_says_that_nothing_is_wrong(tmp_path: Path) -> None:
    """Our own seeds refused by our own rules."""
    ran = csw("validate", "--home", str(tmp_path / "home"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "✓ seeds and profile name only what exists\n"


def test_a_run_stops_at_a_typo_before_it_loads_anything(
    tmp_path: Path, landing: Path, typo: Path
) -> None:
    """A typo found after an hour of loading, or after the alerts that it silenced."""
    seeds = bytes_under(typo)
    ran = run(tmp_path, landing, "--as-of", "2025-01-01", CSW_SEEDS=str(typo))
    assert ran.code == RED
    assert ran.out.splitlines() == [
        "reading definitions …",
        f"✗ check names_only_what_exists on reference/configuration: {TYPO}",
    ]
    log = tmp_path / "home" / "logs" / "run.log"
    assert ran.err == f"No release: there is no release yet. The log is {log}\n"
    assert not (tmp_path / "home" / "releases" / "current").exists()
    assert bytes_under(typo) == seeds


def test_a_build_that_another_run_holds_is_left_alone(tmp_path: Path, landing: Path) -> None:
    """Two runs that write into one build; or one that waits without saying for whom."""
    lock = tmp_path / "home" / "build.lock"
    lock.parent.mkdir()
    with lock.open("w") as held:
        json.dump({"holder": "run 17", "pid": 4711}, held)
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        ran = run(tmp_path, landing, "--as-of", "2025-01-01", CSW_LOCK_WAIT_MINUTES="0")
    assert (ran.code, ran.out) == (BUSY, "")
    assert ran.err == (f"run 17 (process 4711) still holds {lock}; try again when it has ended.\n")
    assert not (tmp_path / "home" / "build.duckdb").exists()
