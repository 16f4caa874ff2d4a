"""The seeds as cells: which configuration was in force is a query."""

from pathlib import Path

import duckdb
import pytest

from assets.warehouse.configuration import (
    fingerprint,
    health_version,
    record_configuration,
    seed_files,
)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    (tmp_path / "health_profiles.csv").write_text('profile,text\na,"one, two"\nb,\n')
    (tmp_path / "alert_rules.csv").write_text("rule\nr\n")
    (tmp_path / "_notes.yml").write_text("seeds: []\n")
    return tmp_path


def test_every_cell_is_recorded_with_its_place(seeds: Path) -> None:
    """A cell with a comma split in two, or an empty one that is missing."""
    with duckdb.connect() as connection:
        version, count = record_configuration(connection, seeds)
        rows = connection.execute("select * from reference.configuration order by all").fetchall()
    assert count == 5
    assert rows == [
        (version, "alert_rules.csv", 1, "rule", "r"),
        (version, "health_profiles.csv", 1, "profile", "a"),
        (version, "health_profiles.csv", 1, "text", "one, two"),
        (version, "health_profiles.csv", 2, "profile", "b"),
        (version, "health_profiles.csv", 2, "text", ""),
    ]


def test_what_was_recorded_before_is_replaced(seeds: Path) -> None:
    """Cells of last week beside today's, in a release that had only today's."""
    with duckdb.connect() as connection:
        record_configuration(connection, seeds)
        (seeds / "alert_rules.csv").write_text("rule\n")
        version, count = record_configuration(connection, seeds)
        versions = connection.execute("select distinct version from reference.configuration")
        assert (versions.fetchall(), count) == ([(version,)], 4)


def test_the_fingerprint_changes_with_any_name_or_byte(seeds: Path) -> None:
    """Two configurations that a release takes for one."""
    before = fingerprint(seed_files(seeds))
    (seeds / "alert_rules.csv").write_text("rule\ns\n")
    edited = fingerprint(seed_files(seeds))
    (seeds / "alert_rules.csv").rename(seeds / "alert_ruled.csv")
    assert len({before, edited, fingerprint(seed_files(seeds))}) == 3


def test_an_edited_alert_rule_does_not_change_what_health_is_judged_by(seeds: Path) -> None:
    """Scores that seem to change with their definition whenever somebody edits a rule."""
    before = health_version(seeds)
    (seeds / "alert_rules.csv").write_text("rule\ns\n")
    assert health_version(seeds) == before
    (seeds / "health_profiles.csv").write_text("profile,text\na,three\n")
    assert health_version(seeds) != before


def test_a_folder_without_a_seed_has_no_cell(tmp_path: Path) -> None:
    """An insert of nothing that ends in a traceback."""
    with duckdb.connect() as connection:
        _, count = record_configuration(connection, tmp_path)
        rows = connection.execute("select * from reference.configuration").fetchall()
    assert (count, rows) == (0, [])
