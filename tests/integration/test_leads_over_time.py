"""Leads that become accounts, as each day's run saw it and as one back-fill tells it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from assets.releases.history import SHOWN
from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import (
    Rows,
    Warehouse,
    land_anew,
    open_build,
    publish,
    read_rows,
)

ONE_DAY = timedelta(days=1)
FIRST = datetime(2024, 3, 1, tzinfo=UTC)
END = datetime(2024, 3, 12, tzinfo=UTC)
METRICS, HEALTH = "accounts.account_metrics_daily", "health.fct_account_health_daily"
COMPANIES = ("a", "b", "both", "open", "early", "stray", "soon")


def march(day: int) -> datetime:
    return datetime(2024, 3, day, tzinfo=UTC)


@pytest.fixture(scope="module")
def leads_warehouse(warehouse: Warehouse) -> Warehouse:
    return warehouse.only(*SHOWN)


def test_a_lead_is_an_account_from_the_day_on_which_both_are_known(
    leads_warehouse: Warehouse,
) -> None:
    """Prevents days that nobody has, days that two have, and a health of what is no customer.

    `early` became a on 4 March, told in the folder of the 5th; `soon` became b on the 6th, told
    that day, and b landed on the 8th; `both` is an account of its own id from the 7th on.
    """
    with closing(_built(leads_warehouse, END)) as build:
        metrics = read_rows(build, METRICS)
        judged = {(row["account_id"], row["day"]) for row in read_rows(build, HEALTH)}
    spans = {
        name: (min(days), max(days))
        for name in COMPANIES
        if (days := [row["day"] for row in metrics if row["account_id"] == name])
    }
    first, last = date(2024, 2, 25), date(2024, 3, 11)
    assert spans == {
        "a": (date(2024, 2, 20), last),
        "b": (date(2024, 3, 8), last),
        "both": (first, last),
        "open": (first, last),
        "early": (first, date(2024, 3, 4)),
        "stray": (first, last),
        "soon": (first, date(2024, 3, 7)),
    }
    leads = {
        (row["account_id"], row["day"])
        for row in metrics
        if row["account_id"] in ("open", "early", "stray", "soon")
        or (row["account_id"] == "both" and row["day"] < date(2024, 3, 7))
    }
    told = {(row["account_id"], row["day"]): row for row in metrics}
    assert judged == told.keys() - leads
    assert {told[key]["account_status"] for key in leads} == {"lead"}
    assert {told[key]["mrr"] for key in leads} == {0}
    before, after = (told["a", date(2024, 3, day)] for day in (4, 5))
    assert (before["account_status"], before["mau"], before["mrr"]) == ("churned", 1, 0)
    assert (after["account_status"], after["mau"], after["mrr"]) == ("customer", 2, 100)
    assert (before["open_tickets"], after["open_tickets"]) == (0, 1)
    assert told["open", last]["use_count_30d"] == 11


def test_a_run_a_day_shows_leads_as_one_back_fill_does(leads_warehouse: Warehouse) -> None:
    """Prevents leads that depend on how often the job ran: what was shown stays shown."""
    with closing(open_build()) as daily, closing(_built(leads_warehouse, END)) as once:
        for day in (2, 5, 6, 8, 12):
            _land_new(daily, march(day))
            leads_warehouse.run(daily, march(day))
            publish(daily, day, march(day))
        for relation in (METRICS, HEALTH):
            key = ["account_id", "day"]
            assert_agree(read_rows(daily, relation), read_rows(once, relation), key)


def _built(warehouse: Warehouse, as_of: datetime) -> duckdb.DuckDBPyConnection:
    build = open_build()
    _land_new(build, as_of)
    warehouse.run(build, as_of)
    return build


def _land_new(build: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
    """What had been delivered by an instant, and nothing else."""
    tables = {
        name: [row for row in rows if row["_known_at"] is None or row["_known_at"] <= as_of]
        for name, rows in _tables().items()
    }
    land_anew(build, tables | {"landing.deliveries": list(_deliveries(as_of))})


def _tables() -> dict[str, Rows]:
    return {
        "crm.accounts": [
            _account(march(1), "a", created=datetime(2024, 2, 20, 9, tzinfo=UTC)),
            _account(march(8), "b", created=march(6)),
            _account(march(7), "both", created=march(5)),
        ],
        "crm.leads": [
            *(_lead(march(1), name) for name in ("open", "early", "soon", "both")),
            _lead(march(5), "early", into="a", at=march(4) + timedelta(hours=10)),
            _lead(march(6), "soon", into="b", at=march(6) + timedelta(hours=9)),
            _lead(march(1), "stray", into="ghost", at=march(1)),
        ],
        "events.events": [
            _of(
                march(day),
                event_id=f"{name}{day}",
                account_id=name,
                user_id=f"u of {name}",
                occurred_at=march(day) + timedelta(hours=9),
                event_type="use",
            )
            for name in COMPANIES
            for day in range(1, 12)
        ],
        "invoices.subscriptions": [
            _of(
                march(1),
                subscription_id="s",
                account_id="early",
                status="active",
                currency="USD",
                started_at=datetime(2024, 2, 26, tzinfo=UTC),
            )
        ],
        "invoices.subscription_items": [
            _of(
                march(1),
                item_id="i",
                subscription_id="s",
                product="Seats",
                price=100,
                quantity=1,
                interval="month",
                valid_from=datetime(2024, 2, 26, tzinfo=UTC),
            )
        ],
        "tickets.tickets": [
            _of(march(2), ticket_id="t", account_id="early", created_at=march(2), status="open")
        ],
    }


def _account(folder: datetime, name: str, *, created: datetime) -> dict[str, Any]:
    told = {"account_name": name, "status": "Churned", "created_at": created}
    return _of(folder, account_id=name, **told)


def _lead(
    folder: datetime, name: str, *, into: str | None = None, at: datetime | None = None
) -> dict[str, Any]:
    return _of(
        folder,
        lead_id=name,
        lead_name=name,
        status="customer",
        created_at=datetime(2024, 2, 25, 9, tzinfo=UTC),
        converted_account_id=into,
        converted_at=at,
    )


def _of(folder: datetime, **row: Any) -> dict[str, Any]:
    """A row of a day's folder; what lies in the first one was known when it happened."""
    loader: dict[str, Any] = {"_known_at": None if folder == FIRST else folder + ONE_DAY}
    if "event_id" not in row:
        loader |= {"_version_at": folder, "_load_order": folder.isoformat()}
    return row | loader


def _deliveries(as_of: datetime) -> Iterator[dict[str, Any]]:
    """Every source delivers every day."""
    for number, table in enumerate(_tables()):
        source, name = table.split(".")
        for day in range(1, as_of.day):
            yield {
                "delivery_id": 100 * number + day,
                "source": source,
                "table_name": name,
                "path": f"{source}/{name}/dt=2024-03-{day:02}/rows.csv",
                "dt": march(day).date(),
                "first_as_of": march(day + 1),
                "delivered_at": march(day + 1),
                "known_at": None if day == 1 else march(day + 1),
                "watermark_at": march(day + 1),
            }
