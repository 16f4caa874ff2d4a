"""Instants of the sample: months that are counted from an anchor, and what has happened by then."""

from calendar import monthrange
from datetime import datetime

import polars as pl

INSTANT = pl.Datetime("us", "UTC")


def add_months(start: datetime, months: int) -> datetime:
    """The same day of the month, or the last one where the month is too short."""
    year, month = divmod(start.month - 1 + months, 12)
    last = monthrange(start.year + year, month + 1)[1]
    return start.replace(year=start.year + year, month=month + 1, day=min(start.day, last))


def happened(column: str, moment: pl.Expr) -> pl.Expr:
    """The instant where it lies before `moment`, else nothing."""
    return pl.when(pl.col(column) < moment).then(pl.col(column)).alias(column)


def frame(
    rows: list[dict[str, object]], instants: tuple[str, ...], columns: tuple[str, ...] = ()
) -> pl.DataFrame:
    """Rows as a table that has these columns even where there is no row."""
    types = dict.fromkeys(instants, INSTANT)
    if not rows:
        texts = dict.fromkeys(columns, pl.String)
        return pl.DataFrame(schema={**texts, **types})
    return pl.DataFrame(rows, schema_overrides=types, infer_schema_length=None)
