"""The raw tables themselves: creating them, and the set-based rules across deliveries."""

from collections.abc import Collection, Mapping, Sequence

import duckdb

from assets.extracts.casting import literal, quoted
from assets.extracts.contracts import Contract, load_contracts
from assets.extracts.deliveries import Delivery
from assets.extracts.landing_tables import LANDING_TABLES
from assets.extracts.rejects import Staged

# What the loader adds, to say that a full extract no longer names a key, stands in no file.
FROM_A_FILE = "_row > 0"


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every schema and table that is not there, and columns that contracts gained."""
    connection.execute("set TimeZone = 'UTC'")
    for contract in load_contracts().values():
        _prepare(connection, contract.source, contract.table, _columns(contract))
    for name, (_, columns) in LANDING_TABLES.items():
        types = {c.name: c.duckdb_type + (" not null" if c.required else "") for c in columns}
        _prepare(connection, "landing", name, types)
        for column in columns:
            said = literal(column.description)
            connection.execute(f"comment on column landing.{name}.{quoted(column.name)} is {said}")


def _columns(contract: Contract) -> dict[str, str]:
    required = {c.name for c in contract.loader_columns() if c.required}
    return {
        name: kind + (" not null" if name in required else "")
        for name, kind in contract.duckdb_columns().items()
    }


def _prepare(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Mapping[str, str]
) -> None:
    connection.execute(f"create schema if not exists {quoted(schema)}")
    said = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    full_name = f"{quoted(schema)}.{quoted(table)}"
    connection.execute(f"create table if not exists {full_name} ({said})")
    there = connection.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ? "
        "and database_name = current_database()",
        [schema, table],
    ).fetchall()
    for name in columns.keys() - {row[0] for row in there}:
        kind = columns[name].removesuffix(" not null")
        connection.execute(f"alter table {full_name} add column {quoted(name)} {kind}")


def raw_name(contract: Contract) -> str:
    """The raw table as SQL names it."""
    return f"{quoted(contract.source)}.{quoted(contract.table)}"


def insert_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    delivery: Delivery,
    *,
    staged: Staged,
    is_full: bool,
) -> None:
    """Puts the sound rows of a staged file into the raw table, in the file's order.

    DuckDB keeps the order of insertion by itself; sorting would cost as much as the insert.
    """
    connection.execute("set preserve_insertion_order = true")
    own = [quoted(name) for name in contract.column_names]
    added = {"_extras": "_extras", "_known_at": "$known_at"}
    parameters: dict[str, object] = {
        "known_at": delivery.known_at,
        "delivery_id": delivery.delivery_id,
    }
    if contract.is_entity:
        added |= {"_is_deleted": "_deleted", "_load_order": "$load_order"}
        added["_version_at"] = _version_at(contract, is_full=is_full)
        parameters["load_order"] = delivery.load_order
        parameters["delivered_at"] = delivery.delivered_at
    added |= {"_delivery_id": "$delivery_id", "_row": staged.row_number}
    connection.execute(
        f"""
        insert into {raw_name(contract)} ({", ".join([*own, *added])})
        select {", ".join([*own, *added.values()])}
        from temp.{quoted(staged.rows)} where _broken is null
        """,  # noqa: S608
        parameters,
    )


def _version_at(contract: Contract, *, is_full: bool) -> str:
    """The instant of a version; one that says that its key is gone always has one."""
    if is_full:
        return "$delivered_at"
    updated = "updated_at" if "updated_at" in contract.column_names else "null"
    return f"coalesce({updated}, case when _deleted then $delivered_at::timestamptz end)"


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
    for table in (raw_name(contract), "landing.quarantine"):
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


def remove_duplicates(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    *,
    fresh: Collection[int],
    order: Sequence[int],
) -> dict[int, int]:
    """Leaves one row per key in an append table: the first in the deliveries' order.

    Keys are compared as 64-bit hashes, and only those of the fresh deliveries are looked for.

    Args:
        connection: the build.
        contract: an append table.
        fresh: the deliveries that were just inserted.
        order: all deliveries of the table, first to last.

    Returns:
        How many rows each delivery lost, fresh or not.
    """
    raw = raw_name(contract)
    hashed = f"hash({', '.join(quoted(name) for name in contract.key)})"
    connection.execute(
        "create or replace temp table ranks as "
        "select unnest(?) as delivery_id, unnest(?) as load_rank",
        [list(order), list(range(len(order)))],
    )
    connection.execute(
        "create or replace temp table fresh as select unnest(?::bigint[]) as delivery_id",
        [list(fresh)],
    )
    connection.execute(
        f"""
        create or replace temp table fresh_keys as
        select {hashed} as key_hash, count(*) as row_count
        from {raw} where _delivery_id in (select delivery_id from fresh) group by 1
        """  # noqa: S608
    )
    connection.execute(
        f"""
        create or replace temp table clashes as
        select key_hash from fresh_keys where row_count > 1
        union
        select {hashed} from {raw}
        where _delivery_id not in (select delivery_id from fresh)
            and {hashed} in (select key_hash from fresh_keys)
        """  # noqa: S608
    )
    return _remove_losers(connection, raw, hashed)


def _remove_losers(connection: duckdb.DuckDBPyConnection, raw: str, hashed: str) -> dict[int, int]:
    connection.execute(
        f"""
        create or replace temp table losers as
        select _delivery_id as delivery_id, _row as row_number
        from {raw} inner join ranks on {raw}._delivery_id = ranks.delivery_id
        where {hashed} in (select key_hash from clashes)
        qualify row_number() over (partition by {hashed} order by ranks.load_rank, _row) > 1
        """  # noqa: S608
    )
    lost = connection.execute(
        "select delivery_id, count(*) from losers group by 1 order by 1"
    ).fetchall()
    if lost:
        connection.execute(
            f"delete from {raw} using losers "  # noqa: S608
            "where _delivery_id = losers.delivery_id and _row = losers.row_number"
        )
    for table in ("ranks", "fresh", "fresh_keys", "clashes", "losers"):
        connection.execute(f"drop table temp.{table}")
    return {int(delivery): int(rows) for delivery, rows in lost}


def count_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, deliveries: Collection[int]
) -> dict[int, int]:
    """Rows of some deliveries that are in the raw table; what says that a key is gone is none."""
    alive = FROM_A_FILE if contract.is_entity else "true"
    rows = connection.execute(
        f"select _delivery_id, count(*) from {raw_name(contract)} "  # noqa: S608
        f"where {alive} and _delivery_id in (select unnest(?::bigint[])) group by 1 order by 1",
        [list(deliveries)],
    ).fetchall()
    return {int(delivery): int(count) for delivery, count in rows}
