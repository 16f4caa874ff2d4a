"""A build with every raw table, and rows and deliveries put there by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import duckdb

from assets.extracts.casting import raw_name
from assets.extracts.contracts import load_contracts
from assets.extracts.deliveries import Delivery, write_deliveries

AT = datetime(2025, 1, 1, tzinfo=UTC)
DELIVERY = Delivery(
    delivery_id=1,
    source="tickets",
    table_name="tickets",
    path="tickets/tickets/t.csv",
    content_hash="c",
    path_version=1,
    dt=None,
    size_bytes=1,
    first_as_of=AT,
    delivered_at=AT,
    run_id="r",
    loaded_at=AT,
)


class HandMade:
    """A build whose rows and deliveries are made by hand."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def deliver(
        self, table: str, number: int, rows: Sequence[Mapping[str, Any]] = (), **said: Any
    ) -> int:
        """One delivery with its rows; `said` is what differs in the loader's book."""
        contract = load_contracts()[table]
        delivery = replace(
            DELIVERY,
            delivery_id=number,
            source=contract.source,
            table_name=contract.table,
            path=f"{contract.source}/{contract.table}/{number}.csv",
            **said,
        )
        write_deliveries(self.connection, [delivery])
        for place, row in enumerate(rows, start=1):
            loader: dict[str, Any] = {"_delivery_id": number, "_row": place}
            if contract.is_entity:
                loader |= {"_is_deleted": False, "_load_order": f"{number:04d}"}
            full = loader | row
            names = ", ".join(f'"{name}"' for name in full)
            marks = ", ".join("?" * len(full))
            self.connection.execute(
                f"insert into {raw_name(contract)} ({names}) values ({marks})",  # noqa: S608
                list(full.values()),
            )
        return number


def day(number: int, month: int = 1) -> date:
    """A day of 2025."""
    return date(2025, month, number)
