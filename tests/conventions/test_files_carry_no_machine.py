"""No tracked file knows the machine that it was written on."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conventions.project_files import ROOT, short

HOMES = re.compile(r"(?<![\w.])/(home|Users|root|work|workspace)/\w")
INDEXES = re.compile(r"--(extra-)?index-url|--find-links|https?://[^\s/]+(/[^\s/]+)*/simple\b")


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout: nothing says which files are tracked")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(  # noqa: S603 - our own arguments
        command, cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def _finds(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in _tracked():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{short(path)}: {match[0]}" for match in pattern.finditer(text)]
    return found


def test_no_file_names_a_folder_of_this_machine() -> None:
    """Prevents a checkout that works in one place only."""
    assert _finds(HOMES) == []
    assert _finds(re.compile(re.escape(str(ROOT)) + r"\b")) == []


def test_no_file_names_a_package_index() -> None:
    """Prevents an installation that depends on somebody's mirror."""
    assert _finds(INDEXES) == []
