"""Marts that Python makes: their columns stand in code as those of the others do in YAML."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb


@dataclass(frozen=True, kw_only=True)
class MadeTable:
    """A table in the schema health.

    Attributes:
        description: What one row is.
        columns: Name, type and meaning of each column.
    """

    name: str
    description: str
    columns: Sequence[tuple[str, str, str]]

    @property
    def relation(self) -> str:
        """Its address in the build."""
        return f"health.{self.name}"

    def write(
        self, connection: duckdb.DuckDBPyConnection, rows: Iterable[Mapping[str, Any]]
    ) -> None:
        """Makes the table anew with its comments, in place of what was there."""
        columns = ", ".join(f"{name} {kind}" for name, kind, _ in self.columns)
        connection.execute(f"create or replace table {self.relation} ({columns})")
        # COMMENT ON takes no parameters; the texts stand in this folder.
        connection.execute(f"comment on table {self.relation} is '{self.description}'")
        for name, _, meaning in self.columns:
            connection.execute(f"comment on column {self.relation}.{name} is '{meaning}'")
        marks = ", ".join("?" * len(self.columns))
        for row in rows:
            connection.execute(
                f"insert into {self.relation} values ({marks})",  # noqa: S608 - our own name
                [row[name] for name, _, _ in self.columns],
            )
