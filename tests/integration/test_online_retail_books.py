"""Online Retail's invoices through the marts: the totals that others published come out of them.

A cancellation is an invoice of its own with negative lines, so it takes revenue back in the month
in which it was written. Invoices without a customer are of no account: they stand in no mart, and
what the marts say and what waits outside make the published total together.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.compiled_warehouse import Warehouse, open_build

RETAIL = Path(__file__).parents[2].parent / "shared" / "data" / "online_retail"
AS_OF = datetime(2012, 1, 1, tzinfo=UTC)
RATE = Decimal("1.55")
CENT = Decimal("0.01")

pytestmark = pytest.mark.skipif(
    not RETAIL.is_dir(), reason="../shared/data is not beside the project"
)

SOLD = """
create temp table sold as
select
    *,
    Quantity * UnitPrice as amount,
    InvoiceDate[:10]::date as day,
    row_number() over () as place,
    false as _is_deleted,
    '0' as _load_order,
    1 as _delivery_id
from read_parquet($file)
"""
LANDED = """
insert into invoices.invoices by name
select
    InvoiceNo as invoice_id,
    coalesce(any_value(CustomerID), '(none)') as account_id,
    InvoiceNo as number,
    'paid' as status,
    'GBP' as currency,
    min(day)::timestamptz as created_at,
    _is_deleted, _load_order, _delivery_id,
    min(place) as _row
from sold
group by all;

insert into invoices.invoice_lines by name
select
    place::varchar as line_id,
    InvoiceNo as invoice_id,
    'one_time' as kind,
    Quantity as quantity,
    amount,
    _is_deleted, _load_order, _delivery_id,
    place as _row
from sold;

insert into crm.accounts by name
select distinct
    CustomerID as account_id,
    CustomerID as account_name,
    '2010-12-01'::timestamptz as created_at,
    _is_deleted, _load_order, _delivery_id,
    1 as _row
from sold
where CustomerID is not null;
"""
RATES = """
insert into invoices.fx_rates by name
select
    'GBP' as currency,
    days.day::date as day,
    $rate::decimal(18, 8) as rate,
    false as _is_deleted,
    '0' as _load_order,
    1 as _delivery_id,
    1 as _row
from generate_series('2010-11-30'::date, '2011-12-31'::date, interval 1 day) as days (day)
"""


@pytest.fixture(scope="module")
def books(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """The marts about invoices, made from all of Online Retail."""
    build = open_build()
    build.execute("set TimeZone = 'UTC'")
    build.execute(SOLD, {"file": str(RETAIL / "online_retail.parquet")})
    build.execute(LANDED)
    build.execute(RATES, {"rate": str(RATE)})
    warehouse.only("fct_revenue_monthly", "receivables_monthly").run(build, AS_OF)
    yield build
    build.close()


def published() -> dict[date, Decimal]:
    """Revenue by month, cancellations taken off."""
    with (RETAIL / "by_month.csv").open(newline="") as file:
        return {
            date.fromisoformat(f"{row['month']}-01"): Decimal(row["revenue"])
            for row in csv.DictReader(file)
        }


def rows(books: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return books.execute(sql).fetchall()


def test_invoices_and_what_waits_outside_make_the_published_months(
    books: duckdb.DuckDBPyConnection,
) -> None:
    """Prevents invoices lost between raw and mart, and a cancellation that counts as a sale."""
    months: dict[date, Decimal] = defaultdict(Decimal)
    for month, amount in rows(
        books, "select month, sum(net_amount_original) from revenue.fct_invoices group by month"
    ):
        months[month] += amount
    for month, amount in rows(
        books,
        "select date_trunc('month', created_at)::date, sum(amount) from invoices.invoice_lines "
        "join invoices.invoices using (invoice_id) where account_id = '(none)' group by all",
    ):
        months[month] += amount
    assert dict(months) == published()
    assert sum(months.values()) == Decimal("9747747.9340")
    ((inside, outside),) = rows(
        books,
        "select (select count(*) from revenue.fct_invoices), "
        "(select count(*) from invoices.invoices where account_id = '(none)')",
    )
    assert (inside + outside, inside) == (25_900, 22_190)


def test_revenue_by_month_is_that_of_the_lines_rounded_once(
    books: duckdb.DuckDBPyConnection,
) -> None:
    """Prevents money rounded by invoice or month, or at another month's rate."""
    wanted: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for account, month, amount in rows(
        books,
        "select account_id, date_trunc('month', created_at)::date, amount "
        "from invoices.invoice_lines join invoices.invoices using (invoice_id) "
        "where account_id <> '(none)'",
    ):
        wanted[account, month] += (amount * RATE).quantize(CENT, ROUND_HALF_EVEN)
    found = {
        (account, month): revenue
        for account, month, revenue in rows(
            books, "select account_id, month, net_revenue from revenue.fct_revenue_monthly"
        )
    }
    assert {key: amount for key, amount in found.items() if amount} == {
        key: amount for key, amount in wanted.items() if amount
    }
    # 4,372 customers, from December 2010 to December 2011.
    assert len(found) == 4_372 * 13


def test_what_is_paid_by_its_word_is_owed_by_nobody(books: duckdb.DuckDBPyConnection) -> None:
    """Prevents receivables that pile up where payments never land, also of negative invoices."""
    assert rows(
        books,
        "select sum(closing_amount), sum(outstanding_amount), "
        "sum(invoiced_amount) = sum(settled_amount) from revenue.receivables_monthly",
    ) == [(Decimal(0), Decimal(0), True)]
    assert rows(
        books,
        "select count(*) from revenue.fct_invoices "
        "where total_amount_original <> 0 and payment_match <> 'paid_without_payment'",
    ) == [(0,)]
