"""The folder of releases: what a reader sees of it."""

from datetime import UTC, datetime
from pathlib import Path

from assets.releases import folders


def make(releases: Path, release_id: str, as_of: str = "2025-01-01T00:00:00+00:00") -> None:
    folder = folders.building_folder(releases, release_id)
    (folder / folders.RELEASE_FILE).touch()
    folders.seal(folder, {"id": release_id, "as_of": as_of})


def test_a_release_is_seen_once_it_has_its_name(tmp_path: Path) -> None:
    """Half a release in a list."""
    make(tmp_path, "000001-2025-01-01")
    assert folders.list_releases(tmp_path) == []
    assert folders.reveal(tmp_path, "000001-2025-01-01")
    assert folders.list_releases(tmp_path) == ["000001-2025-01-01"]
    assert not folders.reveal(tmp_path, "000001-2025-01-01")


def test_a_folder_that_was_never_sealed_is_not_revealed(tmp_path: Path) -> None:
    """A file without its manifest: nobody knows whether it is whole."""
    folders.building_folder(tmp_path, "000001-2025-01-01")
    assert not folders.reveal(tmp_path, "000001-2025-01-01")


def test_what_another_run_left_in_a_building_folder_is_gone(tmp_path: Path) -> None:
    """Tables of a killed run in the next one's file."""
    make(tmp_path, "000001-2025-01-01")
    assert list(folders.building_folder(tmp_path, "000001-2025-01-01").iterdir()) == []


def test_releases_are_listed_in_order_of_publication(tmp_path: Path) -> None:
    """An order by as-of, in which a back-fill would come before what it came after."""
    for release_id in ("000010-2025-01-01", "000002-2025-03-01"):
        make(tmp_path, release_id)
        folders.reveal(tmp_path, release_id)
    folders.flip(tmp_path, "000010-2025-01-01")
    assert folders.list_releases(tmp_path) == ["000002-2025-03-01", "000010-2025-01-01"]
    assert folders.sequence_of("000010-2025-01-01") == 10


def test_current_is_a_link_that_a_moved_folder_takes_along(tmp_path: Path) -> None:
    """An absolute link into a folder that was restored elsewhere from a backup."""
    make(tmp_path / "a", "000001-2025-01-01")
    folders.reveal(tmp_path / "a", "000001-2025-01-01")
    folders.flip(tmp_path / "a", "000001-2025-01-01")
    (tmp_path / "a").rename(tmp_path / "b")
    assert folders.current_as_of(tmp_path / "b") == datetime(2025, 1, 1, tzinfo=UTC)


def test_before_the_first_release_there_is_none(tmp_path: Path) -> None:
    """A trace in place of `there is no release yet`."""
    assert folders.list_releases(tmp_path / "releases") == []
    assert folders.read_manifest(tmp_path / "releases") is None
    assert folders.current_as_of(tmp_path / "releases") is None
    assert folders.remove_unfinished(tmp_path / "releases") == []
