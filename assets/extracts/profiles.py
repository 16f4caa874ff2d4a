"""Connector profiles: how a vendor's files become the contracts' columns; data, not code.

A profile is `profiles/<name>.yml` beside this file, or `profile.yml` at the root of a landing.
A contract column that a profile does not name is taken from the file's column of the same name,
where there is one; `column: null` leaves it empty.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from assets.extracts.contracts import Contract, Mode, load_contracts
from assets.extracts.errors import ConfigurationError, explain

FOLDER = Path(__file__).parent / "profiles"
DIRECTIVES = "aAbBdfgHIjmMnpSuUwWxXyYzZG%-"


class ColumnMap(BaseModel):
    """Where one contract column's value comes from.

    Exactly one of `from` (a column of the file, or several joined by `|`), `constant` and
    `row_hash` (the hash of the row's text and its ordinal among equal rows of the file).
    A value that `map` does not list rejects its row, unless `unlisted: keep`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: tuple[str, ...] | None = Field(default=None, alias="from")
    constant: str | None = None
    row_hash: bool = False
    format: tuple[str, ...] = ()
    map: Mapping[str, str | None] | None = None
    unlisted: Literal["reject", "keep"] = "reject"
    scale: Decimal | None = None

    @field_validator("source", "format", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("constant", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return None if value is None else _text(value)

    @field_validator("map", mode="before")
    @classmethod
    def _words_as_text(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {_text(k): None if v is None else _text(v) for k, v in value.items()}

    @field_validator("format")
    @classmethod
    def _directives_exist(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for directive in re.findall("%(.?)", "".join(value)):
            if not directive or directive not in DIRECTIVES:
                raise ValueError(f"%{directive} is no directive of a time format")
        return value

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [self.source is not None, self.constant is not None, self.row_hash]
        if sum(said) != 1:
            raise ValueError("say exactly one of from, constant and row_hash")
        return self


def _text(value: object) -> str:
    """A YAML scalar as the text that stands in a file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class TableProfile(BaseModel):
    """How the files of one contract table are found and read; unset keys fall to the profile's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: str | None = None
    mode: Mode | None = None
    time_zone: str | None = None
    null_values: tuple[str, ...] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    columns: Mapping[str, ColumnMap | None] = Field(default_factory=dict)

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {k: {"from": v} if isinstance(v, str) else v for k, v in value.items()}

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return value if value is None else known_time_zone(value)


class Profile(BaseModel):
    """A set of table profiles with what they share.

    `files` is a pattern for every contract table, with `{source}` and `{table}` in it; without
    it only the tables that are named are read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    extends: str | None = None
    files: str | None = None
    time_zone: str = "UTC"
    null_values: tuple[str, ...] = ()
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    tables: Mapping[str, TableProfile] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return known_time_zone(value)

    @model_validator(mode="after")
    def _fits_the_contracts(self) -> Self:
        for name, table in self.tables.items():
            _fits(name, table)
        return self

    def table(self, contract: Contract) -> "ReadPlan | None":
        """How this profile reads a contract table; None where it does not."""
        own = self.tables.get(contract.name, TableProfile())
        files = own.files or self.files
        if files is None:
            return None
        return ReadPlan(
            profile=self.name,
            files=files.format(source=contract.source, table=contract.table),
            mode=own.mode or contract.mode,
            time_zone=own.time_zone or self.time_zone,
            null_values=self.null_values if own.null_values is None else own.null_values,
            delimiter=own.delimiter or self.delimiter,
            columns=own.columns,
        )


class ReadPlan(BaseModel):
    """A table profile with nothing left open."""

    model_config = ConfigDict(frozen=True)

    profile: str
    files: str
    mode: Mode
    time_zone: str
    null_values: tuple[str, ...]
    delimiter: str
    columns: Mapping[str, ColumnMap | None]

    def column(self, name: str) -> ColumnMap | None:
        """Where a contract column comes from: what the profile says, else its own name."""
        return self.columns[name] if name in self.columns else _of_its_own_name(name)


def _of_its_own_name(name: str) -> ColumnMap:
    return ColumnMap.model_validate({"from": name})


def known_time_zone(value: str) -> str:
    """The zone's name, if there is such a zone."""
    if value not in available_timezones():
        raise ValueError(f"{value} is no IANA time zone such as {ZoneInfo('Europe/Berlin').key}")
    return value


def _fits(name: str, table: TableProfile) -> None:
    """Raises ValueError where a table profile speaks of what the contracts do not have."""
    contracts = load_contracts()
    if name not in contracts:
        raise ValueError(f"tables.{name} is no contract table; there are {', '.join(contracts)}")
    contract = contracts[name]
    for column in table.columns:
        if column not in contract.column_names:
            allowed = ", ".join(contract.column_names)
            raise ValueError(f"tables.{name}.columns.{column} is no column; there are {allowed}")
    if table.mode is not None and (table.mode == "append") == contract.is_entity:
        allowed = "upsert or full" if contract.is_entity else "append"
        raise ValueError(f"tables.{name}.mode is {table.mode}; this table may be {allowed}")


def load_profile(name_or_path: str | Path) -> Profile:
    """Reads a shipped profile by name, or any by the path of its YAML file.

    Raises:
        ConfigurationError: there is none, or it does not validate; one sentence.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yml", ".yaml"}:
        path = FOLDER / f"{name_or_path}.yml"
    if not path.is_file():
        shipped = ", ".join(sorted(found.stem for found in FOLDER.glob("*.yml")))
        raise ConfigurationError(
            f"There is no profile {name_or_path}; name a .yml file or one of {shipped}."
        )
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Profile.model_validate(_with_parent(path, said))
    except (yaml.YAMLError, ValidationError) as error:
        sentence = explain(path.name, error, Profile)
    # Not inside the handler: pydantic's error would live on in the chain, and DuckDB's client
    # would print what it holds as leaked when the process ends.
    raise ConfigurationError(sentence)


def profile_of(landing: Path, *, default: str = "canonical") -> Profile:
    """The landing's own `profile.yml`, else the shipped one of that name."""
    own = landing / "profile.yml"
    return load_profile(own if own.is_file() else default)


def _with_parent(path: Path, said: Any) -> Any:
    """What a profile says, over what the one that it extends says; table by table."""
    if not isinstance(said, dict):
        return said
    said = {"name": path.stem, "description": f"The profile {path.name}."} | said
    if not said.get("extends"):
        return said
    parent = load_profile(str(said["extends"])).model_dump(
        by_alias=True, exclude_unset=True, exclude={"name", "description", "extends"}
    )
    tables = dict(parent.get("tables", {}))
    for name, table in (said.get("tables") or {}).items():
        tables[name] = tables.get(name, {}) | (table or {})
    return parent | said | {"tables": tables}
