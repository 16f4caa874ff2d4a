"""One row per key in tables of what happened: which rows of which deliveries are duplicates.

They are found before the rows go in: DuckDB takes whole blocks of new rows over as they are only
where none of them is deleted again in the same transaction.
"""

from collections.abc import Mapping, Sequence

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Contract
from assets.extracts.staged import Staged, sheaves
from assets.sql_text import quoted

LOSERS = "losers"
# Which rows of the raw table the losers are, once they are in it.
IS_A_LOSER = "_delivery_id = losers.delivery_id and _row = losers.row_number"
TABLES = ("fresh_keys", "ranks", "clashes", LOSERS)


def find_duplicates(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    staged: Mapping[int, Staged],
    order: Sequence[int],
) -> dict[int, int]:
    """Leaves the duplicates' delivery and row in temp.losers: all but the first in order of a key.

    Keys are compared as 64-bit hashes, and only those of the staged rows are looked for.

    Args:
        connection: the build.
        contract: an append table.
        staged: the rows that are about to go in, by the number of their delivery.
        order: all deliveries of the table, first to last.

    Returns:
        How many rows each delivery loses, staged or not.
    """
    key = f"hash({', '.join(quoted(name) for name in contract.key)})"
    _gather(connection, key, staged)
    connection.execute(
        "create or replace temp table ranks as "
        "select unnest(?::bigint[]) as delivery_id, unnest(?::bigint[]) as load_rank",
        [list(order), list(range(len(order)))],
    )
    raw = raw_name(contract)
    connection.execute(
        f"""
        create or replace temp table clashes as
        select key_hash from temp.fresh_keys group by key_hash having count(*) > 1
        union
        select {key} from {raw} where {key} in (select key_hash from temp.fresh_keys)
        """  # noqa: S608
    )
    connection.execute(
        f"""
        create or replace temp table losers as
        with candidates as (
            select key_hash, delivery_id, row_number from temp.fresh_keys
            where key_hash in (select key_hash from temp.clashes)
            union all
            select {key}, _delivery_id, _row from {raw}
            where {key} in (select key_hash from temp.clashes)
        )
        select candidates.delivery_id, candidates.row_number
        from candidates inner join temp.ranks on candidates.delivery_id = ranks.delivery_id
        qualify row_number() over (
            partition by candidates.key_hash order by ranks.load_rank, candidates.row_number
        ) > 1
        """  # noqa: S608
    )
    lost = connection.execute(
        "select delivery_id, count(*) from temp.losers group by 1 order by 1"
    ).fetchall()
    return {int(delivery): int(rows) for delivery, rows in lost}


def _gather(connection: duckdb.DuckDBPyConnection, key: str, staged: Mapping[int, Staged]) -> None:
    connection.execute(
        "create or replace temp table fresh_keys "
        "(key_hash ubigint, delivery_id bigint, row_number bigint)"
    )
    for sheaf in sheaves(staged):
        connection.execute(
            "insert into temp.fresh_keys "  # noqa: S608
            f"select {key}, {sheaf.each('bigint')}, {sheaf.row_number} from {sheaf.relation} "
            "where _broken is null",
            [list(sheaf.deliveries)],
        )


def remove_older(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Deletes the duplicates that were in the table before; staged ones never get there."""
    connection.execute(
        f"delete from {raw_name(contract)} using temp.losers "  # noqa: S608
        f"where {IS_A_LOSER}"
    )


def forget_duplicates(connection: duckdb.DuckDBPyConnection) -> None:
    """Drops what `find_duplicates` left."""
    for table in TABLES:
        connection.execute(f"drop table if exists temp.{table}")
