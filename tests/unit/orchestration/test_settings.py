"""Settings: what the environment may say."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.settings import ROOT, Settings
from orchestration.terminal import EXIT_CODE_RED, EXIT_CODE_USAGE


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CSW_{name.upper()}", raising=False)


def test_everything_that_is_written_lies_in_the_home(tmp_path: Path) -> None:
    """Files of one warehouse in another's folder, or in the repository."""
    settings = Settings(home=tmp_path)
    written = (
        settings.landing_folder,
        settings.build_database,
        settings.build_lock,
        settings.releases,
        settings.dagster_home,
        settings.outbox,
        Path(settings.ledger.removeprefix("sqlite:///")),
    )
    assert [path for path in written if tmp_path not in path.parents] == []


def test_paths_are_absolute_whatever_the_current_folder_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dbt and Dagster run in other folders: a relative path would lead elsewhere there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CSW_LANDING", "drop")
    settings = Settings(home=Path("here"))
    assert settings.home == tmp_path / "here"
    assert settings.landing_folder == tmp_path / "drop"
    assert settings.seeds == ROOT / "seeds"


def test_a_variable_that_is_set_to_nothing_is_not_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`CSW_HOME=` in an .env file would make a home of whatever folder one stands in."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.setenv(f"CSW_{name.upper()}", "")
    settings = Settings()
    assert settings.home == ROOT / ".csw"
    assert settings.reporting_time_zone == "UTC"


@pytest.mark.parametrize(
    "home", ["{file}", "{file}/below", "{folder}/" + "a" * 300, "~nobody_at_all"]
)
def test_a_home_that_cannot_be_is_one_sentence(tmp_path: Path, home: str) -> None:
    """A traceback in front of whoever mistyped a folder."""
    (tmp_path / "file").touch()
    given = home.format(file=tmp_path / "file", folder=tmp_path)
    said = CliRunner().invoke(app, ["status", "--home", given])
    assert said.exit_code in {EXIT_CODE_RED, EXIT_CODE_USAGE}
    assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reporting_time_zone", "Mars/Olympus"),
        ("reporting_time_zone", "../etc/passwd"),
        ("reporting_currency", "usd"),
        ("memory_limit", "plenty"),
        ("threads", "0"),
        ("lock_wait_minutes", "-1"),
        ("max_reject_share", "1.5"),
        ("first_day", "soon"),
    ],
)
def test_a_value_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A setting that is wrong and silently the default."""
    monkeypatch.setenv(f"CSW_{name.upper()}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_a_landing_may_be_a_url_and_is_handed_on_as_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`s3://bucket` taken for a folder of that name below the current one."""
    monkeypatch.setenv("CSW_LANDING", "s3://bucket/extracts/")
    settings = Settings(home=tmp_path)
    assert settings.landing_place == "s3://bucket/extracts"
    assert settings.landing_folder == tmp_path / "landing"
    monkeypatch.setenv("CSW_LANDING", "s3://key:word@bucket")
    with pytest.raises(ValidationError, match="carries credentials") as refused:
        Settings(home=tmp_path)
    assert "word@" not in refused.value.errors()[0]["msg"]
