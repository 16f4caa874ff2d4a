"""The file formats: what columns a file has, and the SQL that reads them as they stand.

A source is a SELECT of `_number` (the record's number, NULL for its place in the file) and of the
file's columns as c0, c1, … Text formats give text alone.
"""

import csv
import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.extracts.errors import RefusedFileError
from assets.extracts.inspection import header
from assets.extracts.landing import LandedFile
from assets.extracts.records import LONGEST, Record, read_csv_records, read_json_records
from assets.extracts.rejects import escaped
from assets.extracts.staged import FILE
from assets.sql_text import literal, quoted

NUMBER = "_csw_number"
PARQUET = "read_parquet(?, hive_partitioning = false)"
MOST_KEYS = 2000


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How one file is laid out: its columns with DuckDB's types for them, and its delimiter."""

    file: LandedFile
    names: tuple[str, ...]
    types: tuple[str, ...]
    delimiter: str

    @property
    def cell_types(self) -> tuple[str, ...]:
        """The types of c0, c1, …: what is nested is the text of its JSON."""
        return tuple("VARCHAR" if _is_nested(kind) else kind for kind in self.types)

    @property
    def has_twins(self) -> bool:
        """True where names differ by case alone, which DuckDB's columns can't."""
        return len({name.casefold() for name in self.names}) < len(self.names)

    @property
    def hides_file(self) -> bool:
        """True where a column has the name by which DuckDB tells the files of a scan apart."""
        return "file_index" in {name.casefold() for name in self.names}

    @property
    def described(self) -> str:
        """The columns with their types as the file has them, as a JSON object."""
        word = {"csv": "text", "jsonl": "json"}.get(self.file.format)
        said = {n: word or t for n, t in zip(self.names, self.types, strict=True)}
        return json.dumps(said, ensure_ascii=False)

    def source(self, *, cut: Path | None = None) -> str:
        """The SQL that reads the file, or what `cut` made of its sound records."""
        if self.file.format == "parquet":
            return self._parquet([self.file.location])
        return self._json(cut) if self.file.format == "jsonl" else self._csv(cut)

    def sources(self, files: Sequence[Path]) -> str:
        """The SQL that reads Parquet files laid out like this one, with each row's `_file`."""
        return self._parquet(files, f"file_index::bigint as {FILE}")

    def read_all(self) -> str:
        """The SQL that reads every value of a Parquet file and keeps none."""
        counts = ", ".join(f"count({quoted(name)})" for name in self.names)
        relation = PARQUET.replace("?", literal(escaped(self.file.location)))
        return f"select {counts or 'count(*)'} from {relation}"  # noqa: S608

    def records(self) -> Iterator[Record]:
        """The records of a text file, in order."""
        if self.file.format == "jsonl":
            return read_json_records(self.file)
        width = len(self.names)
        return read_csv_records(self.file, delimiter=self.delimiter, width=width)

    def numbered(self, record: Record) -> bytes:
        """A record's line with its number in it, as a cut file has it."""
        if self.file.format == "csv":
            return b"%d%s%s\n" % (record.number, self.delimiter.encode(), record.text)
        rest = record.text[1:].lstrip()
        comma = b"" if rest.startswith(b"}") else b","
        return b'{"%s":%d%s%s\n' % (NUMBER.encode(), record.number, comma, rest)

    def without(self, record: Record, never: Collection[str]) -> bytes:
        """A record's text with what is never stored emptied, or left out of its JSON."""
        banned = frozenset(name.casefold() for name in never)
        if not banned:
            return record.text
        if self.file.format == "jsonl":
            return json.dumps(_purged(json.loads(record.text), banned), ensure_ascii=False).encode()
        text = io.StringIO(record.text.decode("utf-8", "replace"), newline="")
        named = zip(next(csv.reader(text, delimiter=self.delimiter), []), self.names, strict=False)
        out = io.StringIO(newline="")
        kept = ["" if name.casefold() in banned else cell for cell, name in named]
        csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow(kept)
        return out.getvalue().encode()

    def _compression(self, cut: Path | None) -> str:
        return literal("none" if cut else self.file.compression)

    def _csv(self, cut: Path | None) -> str:
        cells = [f"c{n}" for n in range(len(self.names))]
        columns = ", ".join(f"{cell}: 'VARCHAR'" for cell in cells)
        number = "_number: 'BIGINT', " if cut else ""
        return f"""
            select {"" if cut else "cast(null as bigint) as "}_number, {", ".join(cells)}
            from read_csv(
                {literal(escaped(cut or self.file.location))}, auto_detect = false,
                header = {str(not cut).lower()}, delim = {literal(self.delimiter)}, quote = '"',
                escape = '"', strict_mode = true, columns = {{{number}{columns}}},
                compression = {self._compression(cut)}, hive_partitioning = false
            )
        """  # noqa: S608

    def _json(self, cut: Path | None) -> str:
        number = f"{quoted(NUMBER)} as _number" if cut else "cast(null as bigint) as _number"
        read = _json_arguments(cut or self.file.location, self._compression(cut))
        if self.has_twins:
            # As columns such names would be one: they are taken out of each object one by one.
            found = f"json_extract_string(json, {literal('$.' + NUMBER)})"
            number = f"try_cast({found} as bigint) as _number"
            cells = [
                f"json_extract_string(json, {literal('$.' + json.dumps(name))}) as c{n}"
                for n, name in enumerate(self.names)
            ]
            return f"select {', '.join([number, *cells])} from read_json_objects({read})"  # noqa: S608
        cells = [f"{quoted(name)} as c{n}" for n, name in enumerate(self.names)]
        every = [NUMBER, *self.names] if cut else [*self.names] or [NUMBER]
        columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in every)
        if cut:
            number = f"cast({quoted(NUMBER)} as bigint) as _number"
        return (
            f"select {', '.join([number, *cells])} from read_json("  # noqa: S608
            f"{read}, records = true, columns = {{{columns}}})"
        )

    def _parquet(self, files: Sequence[Path], *more: str) -> str:
        pairs = zip(self.names, self.types, strict=True)
        cells = [f"{_flat(name, kind)} as c{n}" for n, (name, kind) in enumerate(pairs)]
        paths = ", ".join(literal(escaped(file)) for file in files)
        number = "file_row_number + 1 as _number"
        relation = f"read_parquet([{paths}], hive_partitioning = false, file_row_number = true)"
        return f"select {', '.join([number, *cells, *more])} from {relation}"  # noqa: S608


def layout(
    connection: duckdb.DuckDBPyConnection, file: LandedFile, header_text: str, delimiter: str
) -> Layout:
    """What columns a file has.

    Raises:
        RefusedFileError: they can't be found out, or one is there twice.
    """
    if file.format == "parquet":
        columns = _parquet_columns(connection, file)
    else:
        is_csv = file.format == "csv"
        names = header(file, header_text, delimiter) if is_csv else _json_keys(connection, file)
        columns = [(name, "VARCHAR") for name in names]
    place = f"{file.path}, line 1" if file.format == "csv" else file.path
    names = tuple(name for name, _ in columns)
    for name in names:
        if names.count(name) > 1:
            raise RefusedFileError(f"{place}: the column {name} is there twice; keep one of them.")
    kinds = tuple(kind for _, kind in columns)
    return Layout(file=file, names=names, types=kinds, delimiter=delimiter)


def _purged(value: object, banned: frozenset[str]) -> object:
    """A JSON value without the keys that are banned, however deep they stand."""
    if isinstance(value, list):
        return [_purged(item, banned) for item in value]
    if isinstance(value, dict):
        return {k: _purged(v, banned) for k, v in value.items() if k.casefold() not in banned}
    return value


def _parquet_columns(
    connection: duckdb.DuckDBPyConnection, file: LandedFile
) -> list[tuple[str, str]]:
    try:
        rows = connection.execute(
            f"select column_name, column_type from (describe select * from {PARQUET})",  # noqa: S608
            [escaped(file.location)],
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable_parquet(file, error) from error
    return [(str(name), str(kind)) for name, kind in rows]


def unreadable_parquet(file: LandedFile, error: Exception) -> RefusedFileError:
    """What is said of a Parquet file that DuckDB cannot read, without its statement and folders."""
    said = str(error).partition("\nLINE ")[0].replace(str(file.location), file.path)
    said = " ".join(said.split())[:200]
    return RefusedFileError(f"{file.path}: cannot be read as Parquet ({said}); deliver it again.")


def _is_nested(duckdb_type: str) -> bool:
    return duckdb_type.startswith(("STRUCT", "MAP", "JSON", "UNION")) or duckdb_type.endswith("]")


def _flat(name: str, kind: str) -> str:
    column = quoted(name)
    return f"cast(to_json({column}) as varchar)" if _is_nested(kind) else column


def _json_arguments(path: Path, compression: str) -> str:
    return (
        f"{literal(escaped(path))}, format = 'newline_delimited', compression = {compression}, "
        f"maximum_object_size = {8 * LONGEST}"
    )


def _json_keys(connection: duckdb.DuckDBPyConnection, file: LandedFile) -> tuple[str, ...]:
    """Every key of the file's objects; those of the longest object first."""
    read = _json_arguments(file.location, literal(file.compression))
    try:
        rows = connection.execute(
            "select distinct json_keys(json) from "  # noqa: S608
            f"read_json_objects({read}) order by 1"
        ).fetchall()
        lists = sorted((keys for (keys,) in rows if keys), key=lambda keys: (-len(keys), keys))
        names = tuple(dict.fromkeys(name for keys in lists for name in keys))
    except duckdb.InvalidInputException:
        sound = (record for record in read_json_records(file) if record.problem is None)
        names = tuple(dict.fromkeys(name for record in sound for name in json.loads(record.text)))
    if len(names) > MOST_KEYS:
        raise RefusedFileError(
            f"{file.path}: its objects have {len(names)} different keys, more than {MOST_KEYS}; "
            "put what varies into one nested object, such as attributes."
        )
    return names
