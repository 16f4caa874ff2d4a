"""Hands rows from DuckDB to Polars as an Arrow stream, without a further package."""

from collections.abc import Callable


class ArrowRows:
    """Rows as nothing but an Arrow stream.

    Polars remembers the class of what it is given for as long as the process lives. Were that
    DuckDB's own, or one of a module that imports DuckDB, DuckDB would print lines about leaked
    objects at the end; this module therefore knows nothing of it.
    """

    def __init__(self, stream: Callable[[object], object]) -> None:
        """Wraps the `__arrow_c_stream__` of a relation."""
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The protocol by which Polars reads."""
        return self._stream(requested_schema)
