"""The manifest of the dbt project: whole, or not there."""

from pathlib import Path

import pytest

from orchestration import dbt
from orchestration.dbt import DbtParseError, prepare_project
from orchestration.settings import Settings

TRACE = """[ERROR]: Encountered an error:
Traceback (most recent call last):
  File "manifest.py", line 845, in write
OSError: [Errno 28] No space left on device

"""


def test_half_a_manifest_is_never_taken_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill while dbt writes it, and no run ever after but by somebody who deletes a file."""
    written = ["{", "{}"]

    def parse(_settings: Settings, _folder: Path, target: Path, *_arguments: str) -> None:
        (target / "partial_parse.msgpack").touch()
        (target / "manifest.json").write_text(written.pop(0))
        if written:
            raise KeyboardInterrupt

    monkeypatch.setattr(dbt, "_call_dbt", parse)
    settings = Settings(home=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        prepare_project(settings)
    project = prepare_project(settings)
    assert project.manifest_path.read_text() == "{}"
    assert prepare_project(settings).manifest_path == project.manifest_path
    assert not written


def test_what_dbt_says_of_itself_is_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of dbt's own code for a disk that is full."""
    monkeypatch.setattr(dbt.subprocess, "run", lambda *_, **__: type("", (), _FAILED))
    with pytest.raises(DbtParseError) as refused:
        prepare_project(Settings(home=tmp_path))
    assert str(refused.value).splitlines() == [
        "The dbt project does not parse:",
        "[ERROR]: Encountered an error:",
        "OSError: [Errno 28] No space left on device",
    ]


_FAILED = {"returncode": 2, "stdout": TRACE}
