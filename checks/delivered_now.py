"""What was delivered of one table since the last release, by the loader's own books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from assets.extracts.casting import TOO_OLD
from assets.extracts.contracts import Contract
from checks.findings import MASK, Cell

_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What was delivered of one table since the last release."""

    contract: Contract
    delivery_ids: tuple[int, ...]
    read: int
    rejected: int
    rejects: tuple[Mapping[str, Cell], ...]
    unaccounted: tuple[str, ...]
    refusals: tuple[str, ...]
    has_landed: bool


def _too_old(connection: duckdb.DuckDBPyConnection, delivery_ids: Sequence[int]) -> int:
    """Rows that are quarantined for nothing but their age: no extract is to be mended for them."""
    row = connection.execute(
        "select count(distinct (delivery_id, row_number)) from landing.quarantine "
        "where rule = ? and list_contains(?, delivery_id)",
        [TOO_OLD, list(delivery_ids)],
    ).fetchone()
    return int(row[0]) if row else 0


def _rejects(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> tuple[Mapping[str, Cell], ...]:
    """The first rejected rows: where they stand and why, without what they say of a person."""
    rows = connection.execute(
        "select path, line, column_name, rule, case when list_contains(?, column_name) then ? "
        "else reason end as reason from landing.quarantine "
        "where rule <> ? and list_contains(?, delivery_id) order by path, line limit ?",
        [
            [column.name for column in contract.columns if column.personal],
            MASK,
            TOO_OLD,
            list(delivery_ids),
            _SHOWN,
        ],
    ).fetchall()
    names = ("path", "line", "column_name", "rule", "reason")
    return tuple(dict(zip(names, row, strict=True)) for row in rows)


def read_delivered(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Delivered:
    """What is to be judged of a table, and what was ever loaded or refused of it."""
    # A batch that stopped one run is judged again by the next, until a release holds it or the
    # file was delivered anew: an entity table keeps the versions of before as history. What was
    # read again since then is as new.
    rows = connection.execute(
        "select delivery_id, path, rows_read, rows_loaded, rows_rejected, rows_duplicate, refusal, "
        "state, path_version = max(path_version) over (partition by path) and ("
        "delivery_id > (select coalesce(max(last_delivery_id), 0) from history.releases) "
        "or delivery_id in (select delivery_id from landing.reloads where reloaded_at > "
        "(select coalesce(max(published_at), timestamptz 'epoch') from history.releases))) "
        "from landing.deliveries where source = ? and table_name = ?",
        [contract.source, contract.table],
    ).fetchall()
    loaded = [row for row in rows if row[7] == "loaded"]
    mine = [row for row in loaded if row[8]]
    ids = tuple(row[0] for row in mine)
    rejected = sum(row[4] for row in mine)
    return Delivered(
        contract=contract,
        delivery_ids=ids,
        read=sum(row[2] for row in mine),
        rejected=rejected - _too_old(connection, ids),
        rejects=_rejects(connection, contract, ids) if rejected else (),
        unaccounted=tuple(row[1] for row in loaded if row[2] != row[3] + row[4] + row[5]),
        refusals=tuple(row[6] for row in rows if row[7] == "refused"),
        has_landed=bool(loaded),
    )
