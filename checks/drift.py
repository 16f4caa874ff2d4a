"""What a batch looks like beside the run before it: its columns, its dates, how much it ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Contract
from assets.sql_text import quoted
from checks.findings import Cell, Said

Columns = Mapping[str, str]

# A table's rows may be dated a year ahead of their delivery (what begins is planned) and as far
# before everything so far as that reaches, a year at least; milliseconds read as seconds are not.
YEAR = "interval 366 days"
NOTHING_IS_OLDER = "timestamptz '1980-01-01 00:00:00+00'"
MOST_JUMPED = 0.01
MOST_ENDED = 0.1
FEW_ENDED = 10


@dataclass(frozen=True, kw_only=True)
class Dates:
    """How many rows of a batch are dated, and how many of them where no row belongs."""

    dated: int
    ahead: int
    before: int
    first_at: datetime | None
    last_at: datetime | None


def judge_drift(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> Said:
    """Whether a batch looks like the run before it; only what changed is in the sentence."""
    if not delivery_ids:
        return Said(passed=True, sentence="nothing new to compare")
    before, now = _file_columns(connection, contract, delivery_ids)
    changes = compare_columns(before, now)
    said = [str(change["change"]) for change in changes]
    facts: dict[str, Cell] = {}
    if contract.dated_by is not None:
        dates = _dates(connection, contract, delivery_ids)
        facts |= {"first_row": _text(dates.first_at), "last_row": _text(dates.last_at)}
        said += _jumps(contract.dated_by, dates)
    if contract.is_entity:
        ended, there = _ended(connection, contract, delivery_ids)
        facts |= {"keys_ended": ended, "keys_before": there}
        if ended > max(there * MOST_ENDED, FEW_ENDED):
            said.append(f"the full extract ended {ended} of {there} keys ({ended / there:.1%})")
    return Said(
        passed=not said,
        sentence="; ".join(said) or "columns, types and dates are like those before",
        rows=changes,
        facts=facts,
    )


# Columns


def compare_columns(before: Sequence[Columns], now: Sequence[Columns]) -> list[dict[str, Cell]]:
    """What every file before had and some file now lacks, what is new, and what changed its type.

    Each of `before` and `now` is one file: its columns with their types. Nothing to compare with is
    no change.
    """
    if not before or not now:
        return []
    names = sorted({name for file in (*before, *now) for name in file})
    return [
        {"column": name, "change": f"{name} {change}"}
        for name in names
        if (change := _change(name, before, now))
    ]


def _change(name: str, before: Sequence[Columns], now: Sequence[Columns]) -> str | None:
    missing = sum(name not in file for file in now)
    if missing and all(name in file for file in before):
        return f"is gone from {missing} of {len(now)} files"
    types, earlier = _types(name, now), _types(name, before)
    if not earlier:
        return f"({', '.join(types)}) is new"
    if not set(types) <= set(earlier):
        return f"was {', '.join(earlier)} and is {', '.join(types)}"
    return None


def _types(name: str, files: Sequence[Columns]) -> list[str]:
    return sorted({file[name] for file in files if name in file})


def _file_columns(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> tuple[list[Columns], list[Columns]]:
    """The columns of the files of the last run before the batch, and of the batch's."""
    rows = connection.execute(
        """
        select distinct
            delivery_id in (select unnest($batch::bigint[])) as is_new,
            file_columns
        from landing.deliveries
        where source = $source and table_name = $table and file_columns is not null
            and (
                delivery_id in (select unnest($batch::bigint[]))
                or run_id = (
                    select arg_max(run_id, delivery_id) from landing.deliveries
                    where source = $source and table_name = $table and state = 'loaded'
                        and delivery_id < (select min(id) from unnest($batch::bigint[]) as b(id))
                )
                and delivery_id < (select min(id) from unnest($batch::bigint[]) as b(id))
            )
        order by all
        """,
        {"batch": list(delivery_ids), "source": contract.source, "table": contract.table},
    ).fetchall()
    files = [(is_new, json.loads(columns)) for is_new, columns in rows]
    return [file for new, file in files if not new], [file for new, file in files if new]


# Dates


def _dates(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> Dates:
    at = f"cast({quoted(contract.dated_by or '')} as timestamptz)"
    row = connection.execute(
        f"""
        with so_far as (
            select min({at}) as first_at, max({at}) as last_at from {raw_name(contract)}
            where _delivery_id < (select min(id) from unnest($batch::bigint[]) as b(id))
        ),
        bounds as (
            select coalesce(
                first_at - greatest(last_at - first_at, {YEAR}), {NOTHING_IS_OLDER}
            ) as least_at
            from so_far
        )
        select
            count({at}),
            count(*) filter (where {at} > deliveries.delivered_at + {YEAR}),
            count(*) filter (where {at} < bounds.least_at),
            min({at}),
            max({at})
        from {raw_name(contract)} as raw
        inner join landing.deliveries as deliveries on raw._delivery_id = deliveries.delivery_id
        cross join bounds
        where raw._delivery_id in (select unnest($batch::bigint[]))
        """,  # noqa: S608
        {"batch": list(delivery_ids)},
    ).fetchone()
    dated, ahead, before, first_at, last_at = row or (0, 0, 0, None, None)
    return Dates(dated=dated, ahead=ahead, before=before, first_at=first_at, last_at=last_at)


def _jumps(dated_by: str, dates: Dates) -> list[str]:
    found = (
        (dates.ahead, "lie more than a year after their delivery"),
        (dates.before, "lie far before everything so far"),
    )
    return [
        f"{rows} of {dates.dated} {dated_by} {where} ({_text(dates.first_at)} to "
        f"{_text(dates.last_at)}): is its unit or its format right?"
        for rows, where in found
        if rows > dates.dated * MOST_JUMPED
    ]


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant.strftime("%Y-%m-%d %H:%M:%S")


# Volume


def _ended(
    connection: duckdb.DuckDBPyConnection, contract: Contract, delivery_ids: Sequence[int]
) -> tuple[int, int]:
    """Keys that a full extract of the batch no longer names, and keys that the table had before."""
    key = ", ".join(quoted(name) for name in contract.key)
    row = connection.execute(
        f"""
        with ended as (
            select count(distinct ({key})) as keys from {raw_name(contract)}
            where _is_deleted and _delivery_id in (select unnest($batch::bigint[]))
        )
        select ended.keys, case when ended.keys > 0 then (
            select count(distinct ({key})) from {raw_name(contract)}
            where _delivery_id < (select min(id) from unnest($batch::bigint[]) as b(id))
        ) else 0 end
        from ended
        """,  # noqa: S608
        {"batch": list(delivery_ids)},
    ).fetchone()
    ended, there = row or (0, 0)
    return int(ended), int(there)
