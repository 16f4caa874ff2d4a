"""Deliveries: what was loaded when, in which order it counts, and from when it is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb

from assets.extracts.contracts import Contract
from assets.extracts.landing_tables import DELIVERIES, insert_many

UTC = ZoneInfo("UTC")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One content of one file for one table, with what became of its rows.

    rows_read = rows_loaded + rows_rejected + rows_duplicate, for every one that was loaded. The
    numbers of a superseded delivery are those of the time when its rows were taken back.
    """

    delivery_id: int
    source: str
    table_name: str
    path: str
    content_hash: str
    path_version: int
    dt: date | None
    size_bytes: int
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_duplicate: int = 0
    first_as_of: datetime
    delivered_at: datetime
    known_at: datetime | None = None
    watermark_at: datetime | None = None
    state: str = "loaded"
    refusal: str | None = None
    file_columns: str | None = None
    run_id: str
    loaded_at: datetime

    @property
    def load_order(self) -> str:
        """Text that sorts deliveries as they count: when delivered, path, version of the path."""
        return load_order(self.delivered_at, self.path, self.path_version)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """When a delivery came: its dt= day or the first run that loaded it."""

    dt: date | None
    first_as_of: datetime
    delivered_at: datetime


COLUMNS = tuple(field.name for field in fields(Delivery))


def load_order(delivered_at: datetime, path: str, version: int) -> str:
    """`<delivered at, UTC>/<path>/<version of the path>`, which sorts as deliveries count."""
    return f"{delivered_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}/{path}/{version:06d}"


def delivered_at(dt: date | None, first_as_of: datetime, time_zone: str) -> datetime:
    """The end of the dt= day in the reporting time zone; without one, the first as-of."""
    if dt is None:
        return first_as_of.astimezone(UTC)
    local = datetime.combine(dt + timedelta(days=1), time(), tzinfo=ZoneInfo(time_zone))
    return local.astimezone(UTC)


def known_instants(
    arrivals: Mapping[int, Arrival], history: Iterable[Arrival]
) -> dict[int, datetime | None]:
    """From when the rows of each delivery are known; None: known when they happened.

    That is the table's first delivery: the files of its earliest dt= day, and those without one
    of the run that first loaded the table. A dt= day that ends after such a run was delivered to
    a table that was there already, so it is no first one. It depends on what arrived, never on
    the order in which it was loaded.
    """
    everything = [*arrivals.values(), *history]
    if not everything:
        return {}
    first_run = min(arrival.first_as_of for arrival in everything)
    days = [arrival.delivered_at for arrival in everything if arrival.dt is not None]
    began_undated = any(a.dt is None and a.first_as_of == first_run for a in everything)
    first_day = min(days, default=None)
    if began_undated and first_day is not None and first_day > first_run:
        first_day = None

    def known(arrival: Arrival) -> datetime | None:
        first = first_run if arrival.dt is None else first_day
        return None if arrival.delivered_at == first else arrival.delivered_at

    return {number: known(arrival) for number, arrival in arrivals.items()}


def read_deliveries(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    states: Sequence[str] = ("loaded", "superseded", "refused"),
) -> tuple[Delivery, ...]:
    """The manifest of one table, or what of it has these states, in order of its numbers."""
    names = ", ".join(COLUMNS)
    rows = connection.execute(
        f"select {names} from landing.deliveries "  # noqa: S608
        "where source = ? and table_name = ? and state in (select unnest(?::varchar[])) "
        "order by delivery_id",
        [contract.source, contract.table, list(states)],
    ).fetchall()
    return tuple(Delivery(**dict(zip(COLUMNS, row, strict=True))) for row in rows)


def write_deliveries(connection: duckdb.DuckDBPyConnection, deliveries: Iterable[Delivery]) -> None:
    """Puts deliveries into the manifest, in place of those of the same number."""
    written = list(deliveries)
    forget_deliveries(connection, written)
    names = [column.name for column in DELIVERIES]
    rows = [[getattr(delivery, name) for name in names] for delivery in written]
    insert_many(connection, "deliveries", rows)


def forget_deliveries(
    connection: duckdb.DuckDBPyConnection, deliveries: Iterable[Delivery]
) -> None:
    """Takes deliveries out of the manifest."""
    numbers = [delivery.delivery_id for delivery in deliveries]
    if numbers:
        connection.execute(
            "delete from landing.deliveries where delivery_id in (select unnest(?::bigint[]))",
            [numbers],
        )


def next_delivery_id(connection: duckdb.DuckDBPyConnection) -> int:
    """The number that the next delivery of this build gets."""
    row = connection.execute(
        "select coalesce(max(delivery_id), 0) + 1 from landing.deliveries"
    ).fetchone()
    return 1 if row is None else int(row[0])
