"""The marts about tickets against their re-computation in plain Python, on generated landings."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, read_rows
from tests.recompute.support_marts import account_support, fct_tickets, support_monthly
from tests.recompute.support_world import (
    Row,
    TicketLanding,
    TicketWorld,
    seeded_tickets,
    ticket_landings,
)

GRAIN = ("account_id", "month", "priority", "type")
MARTS = ("fct_tickets", "support_monthly", "account_support")
FEW = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("seed", range(4))
def test_support_agrees_on_a_big_landing(warehouse: Warehouse, seed: int) -> None:
    """Prevents any wrong number about tickets, among many oddities of their histories."""
    _assert_support_agrees(warehouse, seeded_tickets(seed))


@FEW
@given(rows=ticket_landings())
def test_support_agrees_on_small_landings(warehouse: Warehouse, rows: TicketLanding) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_support_agrees(warehouse, rows)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_support_agrees_in_another_zone(warehouse: Warehouse, zone: str) -> None:
    """Prevents a ticket of a month's first hours that counts in the month of UTC."""
    _assert_support_agrees(warehouse, seeded_tickets(7), zone=ZoneInfo(zone))


def test_a_past_month_stays_as_it_was(warehouse: Warehouse) -> None:
    """Prevents a month that another one reads otherwise, though nothing but time has passed."""
    first, later = datetime(2024, 4, 1, tzinfo=UTC), datetime(2024, 6, 10, 9, tzinfo=UTC)
    rows = seeded_tickets(11)
    told = replace(
        rows,
        merges=[],
        changes=[each for each in rows.changes if each["changed_at"] < first],
        tickets=[
            each for each in rows.tickets if not (_is_later(each) or _is_closed_before_solved(each))
        ],
    )
    months = []
    for as_of in (first, later):
        made = warehouse.only("support_monthly")
        with closing(made.build(told.raw_tables(), as_of)) as build:
            marts = read_rows(build, "support.support_monthly")
        months.append([row for row in marts if row["month"] < first.date()])
    assert len(months[0]) > 100
    assert_agree(months[1], months[0], GRAIN)


def _is_later(row: Row) -> bool:
    """A version of June: from then on the ticket reads otherwise, for all time."""
    return row["_version_at"] is not None


def _is_closed_before_solved(row: Row) -> bool:
    """Of such a ticket nobody knows when it was solved, until that has happened."""
    solved, closed = row.get("solved_at"), row.get("closed_at")
    return solved is not None and closed is not None and closed < solved


def _assert_support_agrees(
    warehouse: Warehouse, rows: TicketLanding, *, zone: tzinfo = UTC
) -> None:
    world = TicketWorld(landing=rows, zone=zone)
    made = warehouse.only(*MARTS)
    with closing(made.build(rows.raw_tables(), rows.as_of, zone=str(zone))) as build:
        marts = {name: read_rows(build, f"support.{name}") for name in MARTS}
    tickets = [
        row | {"open_intervals": _intervals(row["open_intervals"])} for row in marts["fct_tickets"]
    ]
    assert_agree(tickets, fct_tickets(world), ["ticket_id"])
    assert_agree(marts["support_monthly"], support_monthly(world), GRAIN)
    assert_agree(marts["account_support"], account_support(world), ["account_id"])


def _intervals(text: str | None) -> tuple[tuple[Any, Any], ...] | None:
    """The instants of an interval list."""
    if text is None:
        return None
    return tuple(
        (_instant(each["opened_at"]), _instant(each["closed_at"])) for each in json.loads(text)
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
