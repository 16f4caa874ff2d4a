"""Contracts: what a landed table holds, said once, as data; everything else is made from it.

A contract is `contracts/<source>/<table>.yml` beside this file.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from assets.extracts.errors import ConfigurationError, explain
from assets.yaml_files import read_yaml

FOLDER = Path(__file__).parent / "contracts"

Mode = Literal["append", "upsert", "full"]
ColumnType = Literal[
    "text", "bigint", "decimal", "price", "seconds", "double", "timestamp", "date", "boolean"
]

DUCKDB_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "text": "VARCHAR",
        "bigint": "BIGINT",
        "decimal": "DECIMAL(18,4)",
        "price": "DECIMAL(18,8)",
        "seconds": "DECIMAL(18,6)",
        "double": "DOUBLE",
        "timestamp": "TIMESTAMP WITH TIME ZONE",
        "date": "DATE",
        "boolean": "BOOLEAN",
    }
)


class Column(BaseModel):
    """One column of a contract.

    `instant` says what an instant that does not date the row is: a plan (kept even if it lies
    ahead of the as-of) or a happening (NULL until it has happened). `references` is information:
    a row whose parent has not landed yet is never rejected for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: ColumnType
    required: bool = False
    description: str
    personal: bool = False
    allowed: tuple[str, ...] | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    references: str | None = None
    instant: Literal["plan", "happening"] | None = None

    @property
    def duckdb_type(self) -> str:
        """The column's type as DuckDB writes it."""
        return DUCKDB_TYPES[self.type]


class Contract(BaseModel):
    """One landed table: its columns in order, its key and how its files are to be understood.

    `never_stored` names columns of the files that are dropped unread, in any case of letters:
    they do not reach the extras either. `rolled_up` tables tell the warehouse which days of which
    accounts a load changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    table: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = Field(pattern="^One row per ")
    mode: Mode
    key: tuple[str, ...] = Field(min_length=1)
    dated_by: str | None = None
    expected_within_days: int | None = None
    never_stored: tuple[str, ...] = ()
    rolled_up: bool = False
    columns: tuple[Column, ...]

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise ValueError("a column is named twice")
        required = {column.name for column in self.columns if column.required}
        if missing := [name for name in self.key if name not in required]:
            raise ValueError(f"key column {missing[0]} is not a required column")
        if self.dated_by is not None and self.dated_by not in names:
            raise ValueError(f"dated_by names {self.dated_by}, which is no column")
        if self.rolled_up and (self.dated_by is None or "account_id" not in names):
            raise ValueError("a rolled_up table needs dated_by and a column account_id")
        return self

    @property
    def name(self) -> str:
        """`source.table`."""
        return f"{self.source}.{self.table}"

    @property
    def is_entity(self) -> bool:
        """True where every landed version of a row is kept; False for append tables."""
        return self.mode != "append"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The contract's own columns, in order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        return {column.name: column for column in self.columns}[name]

    def duckdb_columns(self) -> dict[str, str]:
        """All columns of the raw table with their DuckDB types, in order.

        The contract's own first, then those that the loader adds, which begin with `_`.
        """
        own = {column.name: column.duckdb_type for column in self.columns}
        return own | {column.name: column.duckdb_type for column in self.loader_columns()}

    def loader_columns(self) -> tuple["LoaderColumn", ...]:
        """The columns that the loader adds to this table."""
        return tuple(c for c in LOADER_COLUMNS if self.is_entity or not c.entity_only)


class LoaderColumn(BaseModel):
    """A column that the loader adds to every raw table, or to every entity table."""

    model_config = ConfigDict(frozen=True)

    name: str
    duckdb_type: str
    description: str
    required: bool = False
    entity_only: bool = False
    personal: bool = False


LOADER_COLUMNS = (
    LoaderColumn(
        name="_extras",
        duckdb_type="JSON",
        description="Columns that no contract names, as a JSON object of text values.",
        personal=True,
    ),
    LoaderColumn(
        name="_is_deleted",
        duckdb_type="BOOLEAN",
        description="True on the row that says a full extract no longer names this key.",
        required=True,
        entity_only=True,
    ),
    LoaderColumn(
        name="_known_at",
        duckdb_type="TIMESTAMP WITH TIME ZONE",
        description="From when the row is known; empty means known when it happened.",
    ),
    LoaderColumn(
        name="_version_at",
        duckdb_type="TIMESTAMP WITH TIME ZONE",
        description="The instant of this version: updated_at, or the full extract's own instant.",
        entity_only=True,
    ),
    LoaderColumn(
        name="_load_order",
        duckdb_type="VARCHAR",
        description="Orders versions with equal _version_at: delivery, path, version of the path.",
        required=True,
        entity_only=True,
    ),
    LoaderColumn(
        name="_delivery_id",
        duckdb_type="BIGINT",
        description="The delivery in landing.deliveries that brought the row.",
        required=True,
    ),
    LoaderColumn(
        name="_row",
        duckdb_type="BIGINT",
        description="The row's number in its file, from 1; the header is not counted.",
        required=True,
    ),
)


def read_contract(path: Path) -> Contract:
    """Reads one contract; raises ConfigurationError with a sentence that names file and key."""
    try:
        return Contract.model_validate(read_yaml(path))
    except (yaml.YAMLError, ValidationError) as error:
        sentence = explain(path.as_posix(), error, Contract)
    raise ConfigurationError(sentence)


@cache
def load_contracts() -> Mapping[str, Contract]:
    """All contracts by `source.table`, in order of their names."""
    found = {}
    for path in sorted(FOLDER.glob("*/*.yml")):
        contract = read_contract(path)
        if (contract.source, contract.table) != (path.parent.name, path.stem):
            raise ConfigurationError(
                f"{path.as_posix()}: says it is {contract.name}; "
                f"name it {path.parent.name}.{path.stem} or move the file."
            )
        found[contract.name] = contract
    return MappingProxyType(found)
