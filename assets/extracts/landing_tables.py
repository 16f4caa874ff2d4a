"""The two tables in which the loader keeps its books: one definition for SQL and for dbt."""

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
    _column("rows_loaded", "BIGINT", "Rows that are in the raw table."),
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
    _column("rule", "VARCHAR", "shape, required, type, allowed or minimum."),
    _column("reason", "VARCHAR", "What is wrong, in words."),
    _column("key_text", "VARCHAR", "The key as a JSON list, where it can be read.", required=False),
    _column("raw_text", "VARCHAR", "The row as it stands in the file; personal data."),
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
}
