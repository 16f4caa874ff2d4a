"""Settings: what the environment may say."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestration.settings import ROOT, Settings


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
