"""Full extracts: a key that an extract no longer names ends there, until it comes back."""

from collections.abc import Sequence

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Contract
from assets.extracts.deliveries import Delivery
from assets.extracts.tables import FROM_A_FILE
from assets.sql_text import quoted


def mark_deleted(
    connection: duckdb.DuckDBPyConnection, contract: Contract, ordered: Sequence[Delivery]
) -> None:
    """Writes all rows of a table that say that a key is gone, anew, from all its deliveries.

    A key whose row was rejected is still there. An extract with a row whose key cannot be read
    ends nothing: the missing key may be that one.
    """
    raw = raw_name(contract)
    connection.execute(f"delete from {raw} where not {FROM_A_FILE}")  # noqa: S608
    connection.execute(
        """
        create or replace temp table extracts as
        select
            unnest($ids::bigint[]) as delivery_id, unnest($ranks::bigint[]) as load_rank,
            unnest($orders::varchar[]) as load_order, unnest($at::timestamptz[]) as delivered_at,
            unnest($known::timestamptz[]) as known_at
        """,
        {
            "ids": [delivery.delivery_id for delivery in ordered],
            "ranks": list(range(len(ordered))),
            "orders": [delivery.load_order for delivery in ordered],
            "at": [delivery.delivered_at for delivery in ordered],
            "known": [delivery.known_at for delivery in ordered],
        },
    )
    _insert(connection, contract)
    connection.execute("drop table temp.extracts")


def _insert(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    raw = raw_name(contract)
    keys = ", ".join(quoted(name) for name in contract.key)
    parts = ", ".join(f"cast({quoted(name)} as varchar)" for name in contract.key)
    values = ", ".join(f"any_value(raw.{quoted(name)})" for name in contract.key)
    connection.execute(
        f"""
        insert into {raw} (
            {keys}, _is_deleted, _known_at, _version_at, _load_order, _delivery_id, _row
        )
        with named as (
            select cast(to_json([{parts}]) as varchar) as key_text, _delivery_id as delivery_id
            from {raw}
            union
            select key_text, delivery_id from landing.quarantine
            where key_text is not null and delivery_id in (select delivery_id from extracts)
        ),
        complete as (
            select extracts.* from extracts
            where delivery_id not in (
                select delivery_id from landing.quarantine where key_text is null
            )
        ),
        spans as (
            select
                named.key_text,
                extracts.load_rank as last_rank,
                lead(extracts.load_rank) over (
                    partition by named.key_text order by extracts.load_rank
                ) as next_rank
            from named inner join extracts on named.delivery_id = extracts.delivery_id
        ),
        gone as (
            select spans.key_text, complete.load_rank
            from spans asof join complete on spans.last_rank < complete.load_rank
            where spans.next_rank is null or complete.load_rank < spans.next_rank
        ),
        keys as (
            select cast(to_json([{parts}]) as varchar) as key_text, {values}
            from {raw} as raw group by 1
        )
        select
            keys.* exclude (key_text), true, extracts.known_at, extracts.delivered_at,
            extracts.load_order, extracts.delivery_id, 0
        from gone
        inner join extracts on gone.load_rank = extracts.load_rank
        inner join keys on gone.key_text = keys.key_text
        order by extracts.load_rank, gone.key_text
        """  # noqa: S608
    )
