"""The log of what the loader changed, by account and day: rollups recompute these days alone.

Only contracts that say `rolled_up` are logged. Every change logs the rows that it adds, takes away
or dates anew, in the transaction that does it, so that a kill loses neither.
"""

from collections.abc import Collection
from datetime import UTC, datetime, time

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Contract
from assets.extracts.duplicates import IS_A_LOSER
from assets.sql_text import quoted


def note_deliveries(
    connection: duckdb.DuckDBPyConnection, contract: Contract, deliveries: Collection[int]
) -> None:
    """Logs the days of all rows that deliveries have in the raw table now."""
    if contract.rolled_up and deliveries:
        _note(
            connection,
            contract,
            "where _delivery_id in (select unnest(?::bigint[]))",
            [list(deliveries)],
        )


def note_losers(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Logs the days of the older rows that `find_duplicates` found to be duplicates."""
    if contract.rolled_up:
        _note(connection, contract, f"inner join temp.losers on {IS_A_LOSER}", [])


def note_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Logs the days of all rows: a build that is older than this log knows none of them."""
    if contract.rolled_up:
        _note(connection, contract, "", [])


def _note(
    connection: duckdb.DuckDBPyConnection, contract: Contract, which: str, values: list[object]
) -> None:
    dated_by = quoted(str(contract.dated_by))
    connection.execute(
        f"""
        insert into landing.event_days (change_id, account_id, first_at, last_at)
        select
            (select coalesce(max(change_id), 0) + 1 from landing.event_days),
            account_id, min({dated_by}), max({dated_by})
        from {raw_name(contract)} {which}
        group by account_id, date_trunc('day', {dated_by})
        """,  # noqa: S608
        values,
    )


def cut_events(connection: duckdb.DuckDBPyConnection, contract: Contract, before: datetime) -> int:
    """Removes raw rows dated before an instant, and their days from the log.

    What was rolled up of them stays as it is: a day that is not in the log is never made anew.

    Args:
        connection: the build, inside a transaction: half of this would be a day made of nothing.
        contract: a table that is rolled up.
        before: the first instant that stays; the first of a UTC day, so that no day is halved.

    Returns:
        How many rows went.

    Raises:
        ValueError: the table is not rolled up, so its history would be lost, or a day is halved.
    """
    if not contract.rolled_up:
        raise ValueError(f"{contract.name} has no rollups, which would keep its history.")
    if before.astimezone(UTC).time() != time.min:
        raise ValueError(f"{before.isoformat()} is not the first instant of a UTC day.")
    older = f"from {raw_name(contract)} where {quoted(str(contract.dated_by))} < ?"
    connection.execute(
        "insert into landing.cuts (delivery_id, rows_cut) "
        f"select _delivery_id, count(*) {older} group by _delivery_id",
        [before],
    )
    gone = connection.execute(f"delete {older}", [before]).fetchone()
    connection.execute("delete from landing.event_days where first_at < ?", [before])
    return int(gone[0]) if gone else 0
