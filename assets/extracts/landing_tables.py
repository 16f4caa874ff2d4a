"""The tables in which the loader keeps its books: one definition for SQL and for dbt."""

from collections.abc import Sequence
from typing import Any

import duckdb

from assets.extracts.contracts import LoaderColumn

INSTANT = "TIMESTAMP WITH TIME ZONE"


def _column(
    name: str, duckdb_type: str, description: str, *, required: bool = True
) -> LoaderColumn:
    return LoaderColumn(
        name=name, duckdb_type=duckdb_type, description=description, required=required
    )


DELIVERIES = (
    _column("delivery_id", "BIGINT", "Number of the delivery in this build; differs elsewhere."),
    _column("source", "VARCHAR", "The contract's source."),
    _column("table_name", "VARCHAR", "The contract's table."),
    _column("path", "VARCHAR", "The file, relative to the landing."),
    _column("content_hash", "VARCHAR", "SHA-256 of the file as it lies there."),
    _column("path_version", "BIGINT", "The how manieth content under this path, from 1."),
    _column("dt", "DATE", "The day of the dt= folder, if it lies in one.", required=False),
    _column("size_bytes", "BIGINT", "Size of the file as it lies there."),
    _column("rows_read", "BIGINT", "Loaded, rejected and duplicate rows together."),
    _column(
        "rows_loaded", "BIGINT", "Rows that went into the raw table; retention may have cut some."
    ),
    _column("rows_rejected", "BIGINT", "Rows that are in landing.quarantine."),
    _column("rows_duplicate", "BIGINT", "Rows whose key was there already (append tables)."),
    _column("first_as_of", INSTANT, "The as-of of the run that first loaded it."),
    _column("delivered_at", INSTANT, "Its place in order: end of the dt day, else first_as_of."),
    _column(
        "known_at",
        INSTANT,
        "From when its rows are known; empty: as they happened.",
        required=False,
    ),
    _column(
        "watermark_at", INSTANT, "End of the dt day, else its newest dated row.", required=False
    ),
    _column("state", "VARCHAR", "loaded, refused, or superseded by another content of its path."),
    _column(
        "refusal", "VARCHAR", "Why the whole file was refused, and what to do.", required=False
    ),
    _column(
        "file_columns",
        "VARCHAR",
        "The file's own columns with their types there, as a JSON object.",
        required=False,
    ),
    _column("run_id", "VARCHAR", "The run that loaded it."),
    _column("loaded_at", INSTANT, "Wall clock, for people; enters no mart."),
)

QUARANTINE = (
    _column("delivery_id", "BIGINT", "The delivery in landing.deliveries."),
    _column("source", "VARCHAR", "The contract's source."),
    _column("table_name", "VARCHAR", "The contract's table."),
    _column("path", "VARCHAR", "The file, relative to the landing."),
    _column("row_number", "BIGINT", "The row's number in its file, from 1, without the header."),
    _column("line", "BIGINT", "Line of the file where the row begins, from 1; Parquet: the row."),
    _column(
        "column_name",
        "VARCHAR",
        "The column that broke a rule; empty: the row's shape.",
        required=False,
    ),
    _column("rule", "VARCHAR", "shape, required, type, allowed, minimum, maximum or too_old."),
    _column("reason", "VARCHAR", "What is wrong, in words."),
    _column("key_text", "VARCHAR", "The key as a JSON list, where it can be read.", required=False),
    _column(
        "raw_text", "VARCHAR", "The row as it stands in the file; personal data. Empty if too old."
    ),
)

FILES = (
    _column("source", "VARCHAR", "The contract's source."),
    _column("table_name", "VARCHAR", "The contract's table."),
    _column("path", "VARCHAR", "The file, relative to the landing."),
    _column("size_bytes", "BIGINT", "Size of the file as it lies there."),
    _column("stamp", "VARCHAR", "Another one after the file was written to: its times, or etag."),
    _column("content_hash", "VARCHAR", "SHA-256 of the file as it lies there."),
    _column("refusal", "VARCHAR", "Why its content is refused as a whole.", required=False),
    _column("judged_by", "VARCHAR", "Hash of the contract and profile that judged it."),
)

RELOADS = (
    _column("reload_id", "VARCHAR", "The call of csw land reload."),
    _column("reloaded_at", INSTANT, "Wall clock, for people; enters no mart."),
    _column("delivery_id", "BIGINT", "The delivery that was read again."),
    _column("source", "VARCHAR", "The contract's source."),
    _column("table_name", "VARCHAR", "The contract's table."),
    _column("path", "VARCHAR", "The file, relative to the landing."),
    _column("content_hash", "VARCHAR", "SHA-256 of the file, which is what it was."),
    _column("reason", "VARCHAR", "Why: named, rejected rows, or refused until now."),
    _column("profile", "VARCHAR", "The connector profile that read it."),
    _column("rows_read_before", "BIGINT", "Rows that it had."),
    _column("rows_loaded_before", "BIGINT", "Of these, rows in the raw table."),
    _column("rows_rejected_before", "BIGINT", "Of these, rows in the quarantine."),
    _column("rows_read", "BIGINT", "Rows that it has."),
    _column("rows_loaded", "BIGINT", "Of these, rows in the raw table."),
    _column("rows_rejected", "BIGINT", "Of these, rows in the quarantine."),
)

EVENT_DAYS = (
    _column("change_id", "BIGINT", "Which change it was; later ones are greater."),
    _column("account_id", "VARCHAR", "The account as the events name it."),
    _column(
        "first_at", INSTANT, "The first event of that UTC day which came, went or was dated anew."
    ),
    _column("last_at", INSTANT, "The last one."),
)

RETENTION = (
    _column("source", "VARCHAR", "The contract's source."),
    _column("table_name", "VARCHAR", "The contract's table."),
    _column("retained_from", INSTANT, "Rows dated before it come too late; it never moves back."),
)

CUTS = (
    _column("delivery_id", "BIGINT", "The delivery in landing.deliveries."),
    _column("rows_cut", "BIGINT", "Rows that were in the raw table until then."),
)

LANDING_TABLES = {
    "deliveries": (
        "One row per delivery (table, path, content) that was loaded or refused.",
        DELIVERIES,
    ),
    "quarantine": (
        "One row per rejected row of a delivery; its first broken rule.",
        QUARANTINE,
    ),
    "files": (
        "One row per file of a table that was read whole and need not be read again.",
        FILES,
    ),
    "reloads": (
        "One row per delivery that csw land reload read again.",
        RELOADS,
    ),
    "event_days": (
        "One row per change of the raw events, account and UTC day that it touched.",
        EVENT_DAYS,
    ),
    "retention": (
        "One row per table whose old raw rows were cut, since rollups keep what they said.",
        RETENTION,
    ),
    "cuts": (
        "One row per delivery of which retention cut rows, and cut.",
        CUTS,
    ),
}


def insert_many(
    connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[Sequence[Any]]
) -> None:
    """Adds rows to one of these tables, in the order of its columns, in one statement."""
    if not rows:
        return
    columns = LANDING_TABLES[name][1]
    names = ", ".join(column.name for column in columns)
    places = ", ".join(f"unnest(?::{column.duckdb_type}[])" for column in columns)
    connection.execute(
        f"insert into landing.{name} ({names}) select {places}",
        [list(values) for values in zip(*rows, strict=True)],
    )
