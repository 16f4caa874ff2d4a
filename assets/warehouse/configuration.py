"""The seeds as a table of cells, and the fingerprints that say which of them were in force."""

import csv
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb

_COLUMNS = {
    "version": "Fingerprint of all seeds.",
    "file": "The seed file.",
    "row": "Row number in it; the header is not counted.",
    "column_name": "The column.",
    "value": "The text of the cell.",
}


def seed_files(seeds: Path) -> list[Path]:
    """The CSV files that a person edits, in order."""
    return sorted(seeds.glob("*.csv"))


def fingerprint(files: Iterable[Path]) -> str:
    """16 hex digits over the names and contents of files."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def health_version(seeds: Path) -> str:
    """Fingerprint of what health is judged by: an edited alert rule does not change a score."""
    return fingerprint(path for path in seed_files(seeds) if path.name.startswith("health_"))


def record_configuration(connection: duckdb.DuckDBPyConnection, seeds: Path) -> tuple[str, int]:
    """Write every cell of the seeds into `reference.configuration`, in place of what was there.

    Returns:
        The seeds' fingerprint and the number of cells.
    """
    version = fingerprint(seed_files(seeds))
    cells = list(_cells(seeds))
    connection.execute("create schema if not exists reference")
    connection.execute(
        "create or replace table reference.configuration "
        "(version varchar, file varchar, row bigint, column_name varchar, value varchar)"
    )
    for column, meaning in _COLUMNS.items():
        connection.execute(f"comment on column reference.configuration.{column} is '{meaning}'")
    if cells:
        # Columns in one statement: row by row, DuckDB took seconds over a few thousand cells.
        files, rows, columns, values = (list(part) for part in zip(*cells, strict=True))
        connection.execute(
            "insert into reference.configuration "
            "select ?, unnest(?), unnest(?), unnest(?), unnest(?)",
            [version, files, rows, columns, values],
        )
    return version, len(cells)


def _cells(seeds: Path) -> Iterator[tuple[str, int, str, str]]:
    for path in seed_files(seeds):
        with path.open(encoding="utf-8", newline="") as lines:
            for number, row in enumerate(csv.DictReader(lines), start=1):
                for column, value in row.items():
                    yield path.name, number, str(column), str(value)
