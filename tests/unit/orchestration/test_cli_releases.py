"""`csw releases` as a person types it."""

from pathlib import Path

import pytest

from assets.releases import folders
from orchestration import cli_releases
from tests.unit.orchestration import typed_commands
from tests.unit.releases.small_build import ONE, THREE, TWO, run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two releases that no alert has seen."""
    folder = tmp_path_factory.mktemp("home")
    run(folder, TWO, {ONE: 10})
    run(folder, THREE, {ONE: 10, TWO: 20})
    return folder


def csw(home: Path, *arguments: str) -> tuple[int, str]:
    """How a command ended, and all that it printed."""
    said = typed_commands.csw(cli_releases, home, "releases", *arguments)
    return said.exit_code, said.output


def test_releases_are_listed_shown_and_compared(home: Path) -> None:
    """A number that differs from yesterday's, and no command that says why."""
    listed = csw(home, "list")[1].splitlines()
    assert "000001-2025-01-02" in listed[1]
    assert listed[2].rstrip().endswith("current")
    shown = csw(home, "show")[1]
    assert "000002-2025-01-03" in shown
    assert "landed through  crm 2025-01-02" in shown
    code, told = csw(home, "diff", "2", "1")
    assert code == 0
    assert "000001-2025-01-02, then 000002-2025-01-03" in told
    assert "time: as of 2025-01-02T00:00:00+00:00, then 2025-01-03T00:00:00+00:00" in told
    (row,) = [line for line in told.splitlines() if "accounts.account_metrics_daily" in line]
    assert row.split() == ["accounts.account_metrics_daily", "1", "2", "1", "a"]


def test_readers_are_given_an_earlier_release_and_back(home: Path) -> None:
    """A bad release at night, and a link that one has to move by hand."""
    code, told = csw(home, "rollback")
    assert (code, "withdrawn: 000002-2025-01-03" in told) == (0, True)
    assert folders.read_manifest(home / "releases") == folders.read_manifest(
        home / "releases", "000001-2025-01-02"
    )
    assert csw(home, "list")[1].splitlines()[2].rstrip().endswith("withdrawn")
    assert csw(home, "rollback", "--to", "2")[0] == 0
    assert csw(home, "list")[1].splitlines()[2].rstrip().endswith("current")


def test_what_no_alert_has_seen_is_not_removed(home: Path) -> None:
    """Alerts of a day that were never told, since its release made room."""
    code, told = csw(home, "prune", "--keep", "1")
    assert (code, "0 of 2 releases, 0.0 MB are gone" in told) == (0, True)


@pytest.mark.parametrize("left", [b'{"id": ', b"[]", b"{}", b"7"])
def test_a_damaged_manifest_is_one_sentence(home: Path, left: bytes) -> None:
    """A traceback where somebody looks for the release that is damaged."""
    manifest = home / "releases" / "000001-2025-01-02" / folders.MANIFEST_FILE
    whole = manifest.read_bytes()
    manifest.write_bytes(left)
    try:
        code, told = csw(home, "list")
    finally:
        manifest.write_bytes(whole)
    assert code == 1
    assert told.startswith("The manifest 000001-2025-01-02/manifest.json can't be read: ")
    assert told.rstrip().endswith("publish the release again or delete its folder.")


def test_a_release_that_is_none_is_one_sentence(home: Path, tmp_path: Path) -> None:
    """A traceback in front of a user."""
    assert csw(home, "show", "9") == (
        2,
        "There is no release 9; the latest are 000001-2025-01-02, 000002-2025-01-03.\n",
    )
    for command in (("list",), ("show",), ("diff", "1", "2"), ("rollback",)):
        assert csw(tmp_path, *command) == (2, "There is no release yet: csw run makes one.\n")
