"""A SQLAlchemy dialect for DuckDB that Great Expectations can read through.

Great Expectations fetches rows after the transaction ended, and DuckDB has dropped them by then;
so every statement's rows are fetched as soon as it has run. Counts are one row and samples a few;
the one statement that asks for the whole batch does so to learn its columns.
"""

from typing import Any

import duckdb_engine
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

_ENOUGH = 1_000


class BufferedContext(duckdb_engine.Dialect.execution_ctx_cls):  # type: ignore[misc, valid-type]
    """Fetches a statement's first rows at once."""

    def post_exec(self) -> None:
        """Keeps the rows where the result will look for them."""
        super().post_exec()
        cursor = self.cursor
        if cursor is not None and cursor.description:
            rows: list[Any] = cursor.fetchmany(_ENOUGH)
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                cursor, initial_buffer=rows
            )


class BufferedDialect(duckdb_engine.Dialect):
    """duckdb-engine's dialect, with rows that outlive their transaction."""

    driver = "buffered"
    supports_statement_cache = False
    execution_ctx_cls = BufferedContext


def register() -> str:
    """Makes the dialect known to SQLAlchemy; the scheme of its URLs."""
    registry.register("duckdb.buffered", __name__, BufferedDialect.__name__)
    return "duckdb+buffered"
