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

from assets.extracts.contracts import Column, Contract, Mode, load_contracts
from assets.extracts.errors import ConfigurationError, explain
from assets.yaml_files import read_yaml

FOLDER = Path(__file__).parent / "profiles"
DIRECTIVES = "aAbBdfgHIjmMnpSuUwWxXyYzZG%-"
EPOCHS = ("epoch_seconds", "epoch_milliseconds", "epoch_microseconds")
OR = "|"


def _one_or_several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _with_known_names(value: Any) -> Any:
    """Patterns as they are; ValueError where braces hold no name that there is."""
    for pattern in _one_or_several(value) or ():
        try:
            pattern.format(source="", table="")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"{pattern} may have {{source}} and {{table}} in braces") from error
    return value


def _text(value: object) -> str:
    """A YAML scalar as the text that stands in a file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words_by_place(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    several = {k: v if isinstance(v, (list, tuple)) else [v] for k, v in value.items()}
    return {k: tuple(_text(word) for word in v) for k, v in several.items()}


class ColumnMap(BaseModel):
    """Where one contract column's value comes from.

    Exactly one of `from` (a place in the file, or several joined by `|`; by what `joined_by` says,
    those that are not empty), `first_of` (the first of several that is not empty), `constant` and
    `row_hash` (the hash of the row's text and its ordinal among equal rows of the file). A place
    is a column, or a column and a path into the JSON that it holds: `price.recurring.interval`;
    `taxes.*.amount` is the sum over an array.
    With `lookup`, `from` is a column of that lookup, in the row whose key is what stands in `by`
    (a place, or several of which the first that is not empty counts).

    A value that `map` does not list, not even as `*`, rejects its row, unless `unlisted` says to
    keep it or to take it as empty. `otherwise` stands where all is empty, as a word that `map`
    leaves alone. `minor_units` names the
    place of the currency (with `lookup`, its column there) whose minor units (cents) the amount is
    in; `scale` multiplies; `negative` names places and the words there that turn the sign.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    source: tuple[str, ...] | None = Field(default=None, alias="from")
    joined_by: str | None = None
    first_of: tuple[str, ...] | None = Field(default=None, min_length=2)
    constant: str | None = None
    row_hash: bool = False
    lookup: str | None = None
    by: tuple[str, ...] | None = None
    format: tuple[str, ...] = ()
    map: Mapping[str, str | None] | None = None
    unlisted: Literal["reject", "keep", "empty"] = "reject"
    otherwise: str | None = None
    minor_units: str | None = None
    scale: Decimal | None = None
    negative: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def places(self) -> tuple[str, ...]:
        """Every place in the file that the value is made from."""
        if self.by is not None:
            return (*self.by, *self.negative)
        own = (*(self.source or ()), *(self.first_of or ()), *self.negative)
        return own if self.minor_units is None else (*own, self.minor_units)

    @property
    def is_plain(self) -> bool:
        """True where the value is that of one place, as it is."""
        said = self.model_fields_set - {"source"}
        return not said and self.source is not None and len(self.source) == 1

    _tuples = field_validator("source", "format", "by", mode="before")(_one_or_several)
    _lists = field_validator("negative", mode="before")(_words_by_place)

    @field_validator("constant", "otherwise", mode="before")
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
        said = [text for text in value if text not in EPOCHS]
        for text in said:
            if "%" not in text:
                raise ValueError(f"{text} is no time format; use %Y and so on, or {EPOCHS}")
        for directive in re.findall("%(.?)", "".join(said)):
            if not directive or directive not in DIRECTIVES:
                raise ValueError(f"%{directive} is no directive of a time format")
        return value

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        ways = (self.source, self.first_of, self.constant, self.row_hash or None)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("say exactly one of from, first_of, constant and row_hash")
        if (self.lookup is None) != (self.by is None):
            raise ValueError("say lookup and by together")
        if self.lookup is not None and (self.source is None or len(self.source) != 1):
            raise ValueError("a lookup needs from: the one column of it that is wanted")
        return self


class Lookup(BaseModel):
    """Small files whose rows are found by a key: what a row needs and another file says.

    Of several rows with a key the one with the greatest text in `newest_by` counts, else the last.
    Where no file of an `optional` one has landed, nothing is found; else what needs it is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...]
    key: str
    newest_by: str | None = None
    optional: bool = False
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)

    _tuples = field_validator("files", mode="before")(_one_or_several)


class TableProfile(BaseModel):
    """How the files of one contract table are found and read; unset keys fall to the profile's.

    `rows` names a JSON array, as `items.data[]`, of which each element is a row; places in it
    begin with that name, also those in the one object of the column `rows_otherwise`, which is
    taken where the array holds no objects. `only` says by their cells which of the file's rows are
    of this table; `*` is any word, of places written `one|other` the first not empty one counts.
    `deleted` names the cells of which one is true where the row says that its key is gone, and
    `deleted_words` the cells that say so by a word (a voided credit note). `also` are further ways
    to read files of this table that have another shape; of the ways whose `files` fit a path the
    first is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] | None = None
    mode: Mode | None = None
    rows: str | None = Field(default=None, pattern=r"^[^\[\]]+\[\]$")
    rows_otherwise: str | None = None
    only: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    deleted_words: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    also: tuple["TableProfile", ...] = ()
    time_zone: str | None = None
    null_values: tuple[str, ...] | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    columns: Mapping[str, ColumnMap | None] = Field(default_factory=dict)

    _tuples = field_validator("files", "deleted", mode="before")(_one_or_several)
    _patterns = field_validator("files")(_with_known_names)

    _lists = field_validator("only", "deleted_words", mode="before")(_words_by_place)

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
    extends: tuple[str, ...] = ()
    files: str | None = None
    time_zone: str = "UTC"
    null_values: tuple[str, ...] = ()
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    minor_unit_digits: Mapping[str, int] = Field(default_factory=dict)
    lookups: Mapping[str, Lookup] = Field(default_factory=dict)
    tables: Mapping[str, TableProfile] = Field(default_factory=dict)

    _tuples = field_validator("extends", mode="before")(_one_or_several)
    _patterns = field_validator("files")(_with_known_names)

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return known_time_zone(value)

    @model_validator(mode="after")
    def _fits_the_contracts(self) -> Self:
        for name, table in self.tables.items():
            for way in (table, *table.also):
                _fits(name, way)
                _finds_its_lookups(name, way, self.lookups)
        return self

    def table(self, contract: Contract) -> "ReadPlan | None":
        """How this profile reads a contract table; None where it does not."""
        own = self.tables.get(contract.name, TableProfile())
        mode = own.mode or contract.mode
        first, *others = [self._way(contract, way, mode) for way in (own, *own.also)]
        if not first.files:
            return None
        if not others:
            return first
        ways = (first, *others)
        return first.model_copy(
            update={
                "files": tuple(pattern for way in ways for pattern in way.files),
                "lookups": {n: how for way in ways for n, how in way.lookups.items()},
                "ways": ways,
            }
        )

    def _way(self, contract: Contract, own: TableProfile, mode: Mode) -> "ReadPlan":
        files = own.files or (() if self.files is None else (self.files,))
        wanted = {how.lookup for how in own.columns.values() if how is not None}
        return ReadPlan(
            profile=self.name,
            files=tuple(f.format(source=contract.source, table=contract.table) for f in files),
            mode=mode,
            rows=own.rows,
            rows_otherwise=own.rows_otherwise,
            only=own.only,
            deleted=own.deleted,
            deleted_words=own.deleted_words,
            lookups={name: how for name, how in self.lookups.items() if name in wanted},
            minor_unit_digits=self.minor_unit_digits,
            time_zone=own.time_zone or self.time_zone,
            null_values=self.null_values if own.null_values is None else own.null_values,
            delimiter=own.delimiter or self.delimiter,
            columns=own.columns,
        )


class ReadPlan(BaseModel):
    """A table profile with nothing left open; `ways`, if any, are those of files of other shapes.

    `files` and `lookups` are then those of all ways.
    """

    model_config = ConfigDict(frozen=True)

    profile: str
    files: tuple[str, ...]
    mode: Mode
    rows: str | None = None
    rows_otherwise: str | None = None
    only: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    deleted_words: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    lookups: Mapping[str, Lookup] = Field(default_factory=dict)
    minor_unit_digits: Mapping[str, int] = Field(default_factory=dict)
    time_zone: str
    null_values: tuple[str, ...]
    delimiter: str
    columns: Mapping[str, ColumnMap | None]
    ways: tuple["ReadPlan", ...] = ()

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
        _says_allowed_words(name, contract.column(column), table.columns[column])
    if table.mode is not None and (table.mode == "append") == contract.is_entity:
        allowed = "upsert or full" if contract.is_entity else "append"
        raise ValueError(f"tables.{name}.mode is {table.mode}; this table may be {allowed}")


def _says_allowed_words(name: str, column: Column, how: ColumnMap | None) -> None:
    """Raises ValueError where a column gives a word that the contract rejects."""
    if how is None or column.allowed is None:
        return
    said = {how.constant, how.otherwise, *(how.map or {}).values()} - {None}
    for word in sorted(said - set(column.allowed), key=str):
        allowed = ", ".join(column.allowed)
        raise ValueError(f"tables.{name}.columns.{column.name} says {word}; allowed is {allowed}")


def _finds_its_lookups(name: str, table: TableProfile, lookups: Mapping[str, Lookup]) -> None:
    for column, how in table.columns.items():
        if how is not None and how.lookup is not None and how.lookup not in lookups:
            there = ", ".join(lookups) or "none"
            raise ValueError(
                f"tables.{name}.columns.{column}.lookup is {how.lookup}; there is {there}"
            )


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
        said = read_yaml(path)
        return Profile.model_validate(_with_parent(path, said))
    except (yaml.YAMLError, ValidationError) as error:
        sentence = explain(path.name, error, Profile)
    # Not inside the handler: pydantic's error would live on in the chain, and DuckDB's client
    # would print what it holds as leaked when the process ends.
    raise ConfigurationError(sentence)


def _with_parent(path: Path, said: Any) -> Any:
    """What a profile says, over what those that it extends say; table by table."""
    if not isinstance(said, dict):
        return said
    said = {"name": path.stem, "description": f"The profile {path.name}."} | said
    base: dict[str, Any] = {}
    for name in _one_or_several(said.get("extends")) or ():
        base = _over(base, _shared_pushed_down(load_profile(str(name)), said))
    return _over(base, said)


def _over(base: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """One profile's words over another's: tables key by key, their columns name by name."""
    tables = dict(base.get("tables", {}))
    for name, own in (said.get("tables") or {}).items():
        table = own if isinstance(own, dict) else {}
        before = tables.get(name, {})
        columns = before.get("columns", {}) | (table.get("columns") or {})
        tables[name] = before | table | ({"columns": columns} if columns else {})
    merged = {
        key: base.get(key, {}) | (said.get(key) or {})
        for key in ("lookups", "minor_unit_digits")
        if key in base or key in said
    }
    return base | said | merged | {"tables": tables}


def _shared_pushed_down(parent: Profile, said: dict[str, Any]) -> dict[str, Any]:
    """A parent's words; what it says for all its tables stands in each, unless the child says it.

    Several parents are of several vendors: the zone of one must not become the other's.
    """
    words = parent.model_dump(
        by_alias=True, exclude_unset=True, exclude={"name", "description", "extends"}
    )
    for key in ("time_zone", "null_values", "delimiter"):
        if key in words and key not in said:
            value = words.pop(key)
            for table in words.get("tables", {}).values():
                table.setdefault(key, value)
            if not words.get("tables"):
                words[key] = value
    return words
