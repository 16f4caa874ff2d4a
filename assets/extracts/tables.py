"""The raw tables themselves: creating them, and the set-based rules across deliveries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.deliveries import Delivery
from assets.extracts.duplicates import LOSERS
from assets.extracts.event_days import note_table
from assets.extracts.landing_tables import LANDING_TABLES
from assets.extracts.staged import Sheaf, Staged, sheaves
from assets.sql_text import literal, quoted

# What the loader adds, to say that a full extract no longer names a key, stands in no file.
FROM_A_FILE = "_row > 0"
MOST_AT_ONCE = 50


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every schema and table that is not there, and columns that contracts gained."""
    connection.execute("set TimeZone = 'UTC'")
    there = _there(connection)
    for contract in load_contracts().values():
        _prepare(connection, there, contract.source, contract.table, _columns(contract))
    for name, (_, columns) in LANDING_TABLES.items():
        types = {c.name: c.duckdb_type + (" not null" if c.required else "") for c in columns}
        _prepare(connection, there, "landing", name, types)
        said = there.get(("landing", name), {})
        for column in (c for c in columns if said.get(c.name) != c.description):
            comment = literal(column.description)
            connection.execute(
                f"comment on column landing.{name}.{quoted(column.name)} is {comment}"
            )
    _note_tables(connection)


def _note_tables(connection: duckdb.DuckDBPyConnection) -> None:
    if connection.execute("select count(*) from landing.event_days").fetchone() == (0,):
        for contract in load_contracts().values():
            note_table(connection, contract)


def _there(connection: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """The columns of each table with their comments: asked once, since each answer takes long."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, name, comment in connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where database_name = current_database()"
    ).fetchall():
        found.setdefault((schema, table), {})[name] = comment
    return found


def _columns(contract: Contract) -> dict[str, str]:
    required = {c.name for c in contract.loader_columns() if c.required}
    return {
        name: kind + (" not null" if name in required else "")
        for name, kind in contract.duckdb_columns().items()
    }


def _prepare(
    connection: duckdb.DuckDBPyConnection,
    there: Mapping[tuple[str, str], Mapping[str, str]],
    schema: str,
    table: str,
    columns: Mapping[str, str],
) -> None:
    full_name = f"{quoted(schema)}.{quoted(table)}"
    if (schema, table) not in there:
        said = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
        connection.execute(f"create schema if not exists {quoted(schema)}")
        connection.execute(f"create table {full_name} ({said})")
        return
    for name in columns.keys() - there[schema, table].keys():
        kind = columns[name].removesuffix(" not null")
        connection.execute(f"alter table {full_name} add column {quoted(name)} {kind}")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A staged file's rows as they go in; whether some stand in `temp.losers` and are left out."""

    delivery: Delivery
    staged: Staged
    has_losers: bool = False


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    files: Sequence[Rows],
    *,
    is_full: bool,
) -> None:
    """Puts the sound rows of staged files into the raw table.

    Many files go in at once: DuckDB writes whole blocks then, and not a part of one per file. It
    keeps the order of insertion by itself; sorting would cost as much as the insert.
    """
    connection.execute("set preserve_insertion_order = true")
    own = [quoted(name) for name in contract.column_names]
    names = [*own, *(column.name for column in contract.loader_columns())]
    rows = {file.delivery.delivery_id: file for file in files}
    together = list(sheaves({number: file.staged for number, file in rows.items()}))
    for start in range(0, len(together), MOST_AT_ONCE):
        parameters: list[object] = []
        selects = []
        for sheaf in together[start : start + MOST_AT_ONCE]:
            held = [rows[number] for number in sheaf.deliveries]
            select, said = _select(contract, sheaf, held, is_full=is_full)
            selects.append(select)
            parameters += said
        connection.execute(
            f"insert into {raw_name(contract)} ({', '.join(names)}) " + " union all ".join(selects),
            parameters,
        )


def _select(
    contract: Contract, sheaf: Sheaf, files: Sequence[Rows], *, is_full: bool
) -> tuple[str, list[object]]:
    """The rows of files in the order of the table's columns, and the values of its `?`."""
    deliveries = [rows.delivery for rows in files]
    delivered = [delivery.delivered_at for delivery in deliveries]
    values: dict[str, tuple[str, list[object]]] = {
        "_extras": ("_extras", []),
        "_is_deleted": ("_deleted", []) if contract.is_entity else ("", []),
        "_known_at": (sheaf.each("timestamptz"), [[d.known_at for d in deliveries]]),
        "_version_at": (_version_at(contract, sheaf, is_full=is_full), [delivered]),
        "_load_order": (sheaf.each("varchar"), [[d.load_order for d in deliveries]]),
        "_delivery_id": (sheaf.each("bigint"), [list(sheaf.deliveries)]),
        "_row": (sheaf.row_number, []),
    }
    wanted = [values[column.name] for column in contract.loader_columns()]
    said = [value for _, found in wanted for value in found]
    cells = [*(quoted(name) for name in contract.column_names), *(sql for sql, _ in wanted)]
    select = f"select {', '.join(cells)} from {sheaf.relation} where _broken is null"  # noqa: S608
    if not any(rows.has_losers for rows in files):
        return select, said
    number = f"({sheaf.each('bigint')}, {sheaf.row_number})"
    return (
        f"{select} and {number} not in (select (delivery_id, row_number) from temp.{LOSERS})",  # noqa: S608
        [*said, list(sheaf.deliveries)],
    )


def _version_at(contract: Contract, sheaf: Sheaf, *, is_full: bool) -> str:
    """The instant of a version; one that says that its key is gone always has one."""
    delivered = sheaf.each("timestamptz")
    if is_full:
        return delivered
    updated = "updated_at" if "updated_at" in contract.column_names else "null"
    return f"coalesce({updated}, case when _deleted then {delivered} end)"


def insert_rejects(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, *, rejects: str
) -> None:
    """Puts the rejected rows of a staged file into the quarantine."""
    connection.execute(
        f"""
        insert into landing.quarantine (
            delivery_id, source, table_name, path, row_number, line, column_name, rule, reason,
            raw_text, key_text
        )
        select ?, ?, ?, ?, row_number, line, column_name, rule, reason, raw_text, key_text
        from temp.{quoted(rejects)} order by row_number
        """,  # noqa: S608
        [delivery.delivery_id, delivery.source, delivery.table_name, delivery.path],
    )


def take_back(
    connection: duckdb.DuckDBPyConnection, contract: Contract, deliveries: Collection[int]
) -> None:
    """Removes the rows and rejects of deliveries."""
    numbers = list(deliveries)
    for table in (raw_name(contract), "landing.quarantine", "landing.cuts"):
        connection.execute(
            f"delete from {table} where _delivery_id in (select unnest(?))".replace(  # noqa: S608
                "_delivery_id", "delivery_id" if table.startswith("landing") else "_delivery_id"
            ),
            [numbers],
        )


def set_known_at(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery: Delivery
) -> None:
    """Says anew from when the rows of a delivery are known."""
    connection.execute(
        f"update {raw_name(contract)} set _known_at = ? where _delivery_id = ?",  # noqa: S608
        [delivery.known_at, delivery.delivery_id],
    )


def count_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, deliveries: Collection[int]
) -> dict[int, int]:
    """Rows of some deliveries that are in the raw table, or were until retention cut them.

    What says that a key is gone is none.
    """
    alive = FROM_A_FILE if contract.is_entity else "true"
    rows = connection.execute(
        f"""
        with wanted as (select unnest(?::bigint[]) as number)
        select number, cast(sum(rows) as bigint) from (
            select _delivery_id as number, count(*) as rows from {raw_name(contract)}
            where {alive} and _delivery_id in (from wanted) group by 1
            union all
            select delivery_id, rows_cut from landing.cuts where delivery_id in (from wanted)
        )
        group by 1 order by 1
        """,  # noqa: S608
        [list(deliveries)],
    ).fetchall()
    return {int(delivery): int(count) for delivery, count in rows}
