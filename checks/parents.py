"""Rows whose parent has not landed: they wait in raw and join on the run that brings it.

Two queries per table at most: the ids that nobody knows, of all referring columns at once, and,
only where there are some, the latest rows that name them.
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import Column, Contract, load_contracts
from assets.sql_text import literal, quoted
from checks.findings import MASK, Said

ACCOUNTS = "crm.accounts"
# What a lead becomes is an account; whatever else names an account may name a lead.
NAMES_NO_LEAD = {("crm.leads", "converted_account_id"), ("crm.account_merges", "into_account_id")}
# An event of a user whom `users` does not know creates that user: no event lacks its user.
CREATES_ITS_PARENT = {("events.events", "user_id")}
MOST_IDS = 1_000
SHOWN = 20


def find_waiting_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Said:
    """What of a table's latest rows names a parent that nobody knows.

    A parent whose table never landed is not missed, accounts excepted.
    """
    landed = _landed(connection)
    columns = [column for column in _referring(contract) if _is_missed(column, landed)]
    if contract.name not in landed or not columns:
        return Said(passed=True, sentence="no parent to look for")
    unknown = _unknown_ids(connection, contract, columns)
    counted = _latest_rows(connection, contract, unknown) if unknown else []
    if not counted:
        said = ", ".join(column.name for column in columns)
        return Said(passed=True, sentence=f"every {said} is known")
    personal = {column.name for column in columns if column.personal}
    return Said(
        passed=False,
        sentence=_sentence(columns, counted, is_cut=len(unknown) == MOST_IDS),
        rows=[
            {"column": name, "id": MASK if name in personal else key, "rows": rows}
            for name, key, rows in counted[:SHOWN]
        ],
        rows_failed=sum(rows for _, _, rows in counted),
        rows_tested=_count_latest_rows(connection, contract),
    )


def _referring(contract: Contract) -> Iterator[Column]:
    for column in contract.columns:
        is_created = (contract.name, column.name) in CREATES_ITS_PARENT
        if column.references is not None and not is_created:
            yield column


def _landed(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "select distinct source || '.' || table_name from landing.deliveries where state = 'loaded'"
    ).fetchall()
    return {str(row[0]) for row in rows}


def _is_missed(column: Column, landed: set[str]) -> bool:
    table = _parent_table(column)
    return table == ACCOUNTS or table in landed


def _parent_table(column: Column) -> str:
    return (column.references or "").rpartition(".")[0]


def _known_ids(contract: Contract, column: Column) -> str:
    """The SQL of all ids that a column may name, from whatever says that there is such a parent."""
    table, _, name = (column.references or "").rpartition(".")
    known = [f"select {quoted(name)} as id from {raw_name(load_contracts()[table])}"]  # noqa: S608
    if table == ACCOUNTS:
        source = literal(contract.source)
        known += [
            f"select source_account_id from crm.account_links where source = {source}",  # noqa: S608
            "select from_account_id from crm.account_merges",
        ]
        if (contract.name, column.name) not in NAMES_NO_LEAD:
            known.append("select lead_id from crm.leads")
    if table == "events.users":
        known.append("select user_id from events.events")
    return " union all ".join(known)


def _unknown_ids(
    connection: duckdb.DuckDBPyConnection, contract: Contract, columns: Sequence[Column]
) -> list[tuple[str, str]]:
    alive = " and not _is_deleted" if contract.is_entity else ""
    parts = (
        f"""
        select {literal(column.name)} as column_name, named.id
        from (
            select distinct {quoted(column.name)} as id from {raw_name(contract)}
            where {quoted(column.name)} is not null{alive}
        ) as named
        anti join ({_known_ids(contract, column)}) as known on named.id = known.id
        """  # noqa: S608
        for column in columns
    )
    found = connection.execute(
        f"{' union all '.join(parts)} order by all limit {MOST_IDS}"
    ).fetchall()
    return [(str(name), str(key)) for name, key in found]


def _latest_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, unknown: Sequence[tuple[str, str]]
) -> list[tuple[str, str, int]]:
    """Column, id and number of latest rows, most rows first."""
    by_column: Mapping[str, list[str]] = {
        name: [key for column, key in unknown if column == name]
        for name in sorted({column for column, _ in unknown})
    }
    parts = (
        f"select {literal(name)} as column_name, {quoted(name)} as id, count(*) as row_count "  # noqa: S608
        f"from latest where {quoted(name)} in (select unnest(?)) group by all"
        for name in by_column
    )
    rows = connection.execute(
        f"with latest as ({_latest(contract)}) {' union all '.join(parts)} "
        "order by row_count desc, column_name, id",
        list(by_column.values()),
    ).fetchall()
    return [(str(name), str(key), int(count)) for name, key, count in rows]


def _count_latest_rows(connection: duckdb.DuckDBPyConnection, contract: Contract) -> int:
    row = connection.execute(f"select count(*) from ({_latest(contract)})").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def _latest(contract: Contract) -> str:
    if not contract.is_entity:
        return f"select * from {raw_name(contract)}"  # noqa: S608
    key = ", ".join(quoted(name) for name in contract.key)
    newest_first = "_version_at desc nulls last, _load_order desc, _row desc"
    return (
        f"select * from {raw_name(contract)} qualify not _is_deleted and "  # noqa: S608
        f"row_number() over (partition by {key} order by {newest_first}) = 1"
    )


def _sentence(
    columns: Sequence[Column], counted: Sequence[tuple[str, str, int]], *, is_cut: bool
) -> str:
    said = []
    for column in columns:
        own = [(key, rows) for name, key, rows in counted if name == column.name]
        if own:
            many = f"{len(own)}{' or more' if is_cut else ''}"
            such = ", such as " + ", ".join(key for key, _ in own[:3])
            said.append(
                f"{sum(rows for _, rows in own)} rows of {many} {column.name} unknown to "
                f"{_parent_table(column)}{'' if column.personal else such}"
            )
    return f"{'; '.join(said)}; they wait in raw and join when their parent lands"
