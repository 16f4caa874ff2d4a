"""How dbt is called: the project, and its manifest made once per state of the models."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dagster_dbt import DbtCliResource, DbtProject
from packaging.version import Version

from assets.warehouse.configuration import health_version
from orchestration.settings import ROOT, Settings

PROJECT = ROOT / "dbt_project"
_MANIFEST = "manifest.json"
_DBT = str(Path(sys.executable).parent / "csw-dbt")  # this environment's, whatever is on PATH
_PARTS = (ROOT / "models", PROJECT / "macros", PROJECT / "tests")


class _InstalledDbt(DbtCliResource):
    """Dbt of this environment, without what takes seconds: its version is known unasked.

    Nor does anything here look at the tables through dbt, in Dagster's process, which would parse
    every macro for it.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ARG002
        return None


class DbtParseError(Exception):
    """The dbt project does not parse or build; what dbt said is in the text."""


def code_fingerprint() -> str:
    """16 hex digits over everything that makes a mart: models, macros, tests and assets."""
    digest = hashlib.sha256()
    for path in _files((*_PARTS, ROOT / "assets", PROJECT / "dbt_project.yml")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def code_version() -> str:
    """The package's version and the fingerprint of its code, as a release records them."""
    return f"{version('cs-warehouse')}+{code_fingerprint()}"


def prepare_project(settings: Settings) -> DbtProject:
    """The dbt project with a manifest that fits its files, made here if there is none.

    The manifest is a function of the files alone, so that it is made once (`dbt parse` costs
    seconds) and never stale. It is made elsewhere and given its name last: half of one, which a
    kill or a full disk leaves, would be taken for whole ever after.

    Raises:
        DbtParseError: If the project does not parse.
    """
    folder = _project_folder(settings)
    target = settings.home / "dbt" / f"target-{_project_fingerprint(settings)}"
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / _MANIFEST).is_file():
            for left in target.glob("parsing-*"):
                shutil.rmtree(left)
            _parse(folder, target, settings)
    return DbtProject(project_dir=folder, profiles_dir=PROJECT, target_path=target)


def build_models(settings: Settings, *selected: str) -> None:
    """Builds some models and seeds alone, without their tests.

    Raises:
        DbtParseError: If the project does not parse, or a model fails.
    """
    prepare_project(settings)
    said = _call_dbt(
        settings,
        _project_folder(settings),
        build_target(settings),
        *("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"),
        *("--select", *selected),
    )
    if said is not None:
        raise DbtParseError(f"The models could not be built:\n{said}")


def build_target(settings: Settings) -> Path:
    """The folder that builds compile into."""
    return settings.home / "dbt" / "build"


def dbt_variables(settings: Settings) -> str:
    """What parsing and building are told, as JSON: the same, so that no build parses anew."""
    return json.dumps(
        {
            "reporting_time_zone": settings.reporting_time_zone,
            "reporting_currency": settings.reporting_currency,
            "configuration_version": health_version(settings.seeds),
        }
    )


def dbt_resource(project: DbtProject) -> DbtCliResource:
    """Dbt as the assets call it."""
    return _InstalledDbt(
        project_dir=project,  # type: ignore[arg-type]  # the parent takes a project too
        profiles_dir=str(PROJECT),
        dbt_executable=_DBT,
        # Dagster reads what dbt prints; a log file with every query was a tenth of a small run.
        global_config_flags=["--no-use-colors", "--log-level-file", "none"],
    )


def _project_folder(settings: Settings) -> Path:
    """The project's folder; for seeds elsewhere, one in the home that has them as its `../seeds`.

    dbt writes what it compiles to the same place below its target, so that a path with more than
    one `..`, or an absolute one, would lead out of it.
    """
    if settings.seeds == ROOT / "seeds":
        return PROJECT
    house = settings.home / "dbt" / "house"
    folder = house / PROJECT.name
    folder.mkdir(parents=True, exist_ok=True)
    _link(house / "models", ROOT / "models")
    _link(house / "seeds", settings.seeds)
    for name in ("dbt_project.yml", "macros", "tests"):
        _link(folder / name, PROJECT / name)
    return folder


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _parse(folder: Path, target: Path, settings: Settings) -> None:
    with tempfile.TemporaryDirectory(prefix="parsing-", dir=target) as made:
        said = _call_dbt(settings, folder, Path(made), "parse")
        if said is not None:
            raise DbtParseError(f"The dbt project does not parse:\n{said}")
        build_target(settings).mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(made) / "partial_parse.msgpack", build_target(settings))
        for file in sorted(Path(made).iterdir(), key=lambda file: file.name == _MANIFEST):
            file.replace(target / file.name)


def _call_dbt(settings: Settings, folder: Path, target: Path, *arguments: str) -> str | None:
    """Calls dbt with what every call is told; returns the end of what it said if it failed."""
    command = [
        _DBT,
        "--no-use-colors",
        *arguments,
        "--vars",
        dbt_variables(settings),
        "--project-dir",
        str(folder),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        str(target),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)  # noqa: S603
    return _without_trace(done.stdout)[-2000:] if done.returncode else None


def _without_trace(said: str) -> str:
    """What dbt said; of an error of its own, a full disk, the last line alone."""
    before, trace, after = said.partition("Traceback (most recent call last)")
    return before + after.strip().rpartition("\n")[2] if trace else said


def _project_fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256(str(settings.seeds).encode())
    for path in _files((*_PARTS, settings.seeds, PROJECT / "dbt_project.yml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _files(parts: tuple[Path, ...]) -> list[Path]:
    suffixes = {".sql", ".yml", ".md", ".py", ".csv"}
    found = [
        path
        for part in parts
        for path in ([part] if part.is_file() else part.rglob("*"))
        if path.suffix in suffixes
    ]
    return sorted(found)
