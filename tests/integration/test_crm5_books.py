"""crm5, books that nobody here wrote: MRR, churn and net retention by month, counted once more.

Its rows are service periods of 1, 6 or 12 months, with seats and two add-ons; `mrr` is what a
period costs by the month, after its discount. So a row lands as a subscription that ends with its
period, and a renewal is the next one, at the same instant. One number is published: 302 accounts
pay on 1 March 2022, and 11 of them don't on 1 April.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.compiled_warehouse import Rows, Warehouse

ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "crm5"
AS_OF = datetime(2023, 1, 1, tzinfo=UTC)
MONTHS = [date(2022, month, 1) for month in range(1, 13)]
ENDS = [*MONTHS[1:], date(2023, 1, 1)]

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"there is no {FOLDER.relative_to(ROOT.parent)} here"
)

Periods = dict[str, list[tuple[date, date, int]]]


@pytest.fixture(scope="module")
def periods() -> list[dict[str, str]]:
    """The file as it is."""
    with (FOLDER / "subscription.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def build(
    warehouse: Warehouse, periods: list[dict[str, str]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The revenue marts of crm5 as of 1 January 2023."""
    marts = ("fct_mrr_monthly", "fct_mrr_movements", "revenue_retention_monthly")
    connection = warehouse.only(*marts).build(_tables(periods), AS_OF)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def own(periods: list[dict[str, str]]) -> Periods:
    """Every account's periods: start, end (exclusive) and MRR."""
    found: Periods = defaultdict(list)
    for row in periods:
        start, end = date.fromisoformat(row["start_date"]), date.fromisoformat(row["end_date"])
        found[row["account_id"]].append((start, end, int(row["mrr"])))
    return found


def _tables(periods: list[dict[str, str]]) -> dict[str, Rows]:
    accounts = sorted({row["account_id"] for row in periods})
    begun = datetime(2022, 1, 1, tzinfo=UTC)
    return {
        "crm.accounts": [{"account_id": name, "created_at": begun} for name in accounts],
        "invoices.subscriptions": [_subscription(n, row) for n, row in enumerate(periods)],
        "invoices.subscription_items": [_item(n, row) for n, row in enumerate(periods)],
    }


def _subscription(number: int, row: dict[str, str]) -> dict[str, Any]:
    return {
        "subscription_id": str(number),
        "account_id": row["account_id"],
        "status": "active",
        "plan": row["product"],
        "currency": "USD",
        "started_at": row["start_date"],
        "ended_at": row["end_date"],
    }


def _item(number: int, row: dict[str, str]) -> dict[str, Any]:
    """A seat's price for a whole period: six months of 123 for 10 users are 73.80 each."""
    whole = Decimal(row["mrr"]) * int(row["bill_period_months"])
    return {
        "item_id": str(number),
        "subscription_id": str(number),
        "product": row["product"],
        "price": whole / int(row["quantity"]),
        "quantity": row["quantity"],
        "interval": "month",
        "interval_count": int(row["bill_period_months"]),
        "valid_from": row["start_date"],
    }


def _just_before(own: Periods, day: date) -> dict[str, int]:
    """What each paying account pays in the last moment before a day."""
    sums = {
        name: sum(mrr for start, end, mrr in rows if start < day <= end)
        for name, rows in own.items()
    }
    return {name: mrr for name, mrr in sums.items() if mrr > 0}


def _moved(own: Periods) -> Counter[tuple[date, str]]:
    """What moves in each month, by kind, dated by the day."""
    found: Counter[tuple[date, str]] = Counter()
    for rows in own.values():
        balance, was_paying = 0, False
        changes: Counter[date] = Counter()
        for start, end, mrr in rows:
            changes[start] += mrr
            changes[end] -= mrr
        for day in sorted(day for day in changes if day < AS_OF.date()):
            after = balance + changes[day]
            if after != balance:
                kind = _kind(balance, after, was_paying=was_paying)
                found[day.replace(day=1), kind] += abs(after - balance)
            balance, was_paying = after, was_paying or after > 0
    return found


def _kind(before: int, after: int, *, was_paying: bool) -> str:
    if before == 0:
        return "reactivation" if was_paying else "new"
    if after == 0:
        return "churn"
    return "expansion" if after > before else "contraction"


def test_mrr_of_every_account_and_month(build: duckdb.DuckDBPyConnection, own: Periods) -> None:
    """Six months' price counted as one, seats left out, an add-on lost, a renewal counted twice."""
    rows = build.execute(
        "select month, account_id, ending_mrr from revenue.fct_mrr_monthly "
        "where policy = 'standard' and ending_mrr <> 0"
    ).fetchall()
    counted = {
        (month, name): Decimal(mrr)
        for month, end in zip(MONTHS, ENDS, strict=True)
        for name, mrr in _just_before(own, end).items()
    }
    assert {(month, name): mrr for month, name, mrr in rows} == counted


def test_what_moves_in_every_month(build: duckdb.DuckDBPyConnection, own: Periods) -> None:
    """A renewal, a longer period or another plan as churn and new."""
    rows = build.execute(
        "select month, movement, sum(amount) from revenue.fct_mrr_movements "
        "where policy = 'standard' group by all"
    ).fetchall()
    assert {(month, kind): Decimal(mrr) for month, kind, mrr in rows} == {
        key: Decimal(mrr) for key, mrr in _moved(own).items()
    }


def test_the_published_month(build: duckdb.DuckDBPyConnection) -> None:
    """302 accounts pay on 1 March 2022; 11 of them don't on 1 April: at the instants themselves."""
    found = build.execute(
        "select count(*), count(*) filter (where april.subscription_mrr = 0) "
        "from revenue.fct_mrr_monthly as march "
        "inner join revenue.fct_mrr_monthly as april using (account_id, policy) "
        "where policy = 'standard' and march.month = date '2022-03-01' "
        "and april.month = date '2022-04-01' and march.subscription_mrr > 0"
    ).fetchall()
    assert found == [(302, 11)]


@pytest.mark.parametrize("window", [1, 3])
def test_churn_and_net_retention_by_month(
    build: duckdb.DuckDBPyConnection, own: Periods, window: int
) -> None:
    """New accounts in the numerator, returns as retention, or a start of another month."""
    rows = build.execute(
        "select month, starting_accounts, churned_accounts, starting_mrr, "
        "net_revenue_retention_ratio from revenue.revenue_retention_monthly "
        "where window_months = ? and segment_by = 'all' order by month",
        [window],
    ).fetchall()
    counted = []
    for place in range(window - 1, len(MONTHS)):
        start, end = (
            _just_before(own, MONTHS[place - window + 1]),
            _just_before(own, ENDS[place]),
        )
        if start:
            kept = sum(end.get(name, 0) for name in start)
            gone = sum(name not in end for name in start)
            total = sum(start.values())
            counted.append((MONTHS[place], len(start), gone, total, kept / total))
    assert [row[:4] for row in rows if row[1]] == [row[:4] for row in counted]
    for row, own_row in zip([row for row in rows if row[1]], counted, strict=True):
        assert row[4] == pytest.approx(own_row[4], rel=1e-12)
