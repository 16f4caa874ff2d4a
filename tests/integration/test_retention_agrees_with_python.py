"""Bridge, retention, cohorts and renewals against their re-computation in plain Python."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, read_rows
from tests.recompute.accounts_monthly import accounts_monthly
from tests.recompute.books import Landing, SeededDice, landings, seeded_books, shifted
from tests.recompute.bridges import bridge, plan_moves
from tests.recompute.merges import of_survivors, survivors
from tests.recompute.renewal_books import lasting_books
from tests.recompute.renewals import Paid, renewal_rates, renewals, subscription_rows
from tests.recompute.retention import Facts, cohorts, drivers, retention

Rows = list[dict[str, Any]]

MARTS = (
    "dim_accounts_monthly", "mrr_bridge_monthly", "revenue_retention_monthly",
    "revenue_retention_drivers", "revenue_cohorts", "fct_subscriptions", "fct_renewals",
    "renewal_rate_monthly",
)  # fmt: skip
FEW = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def revenue(warehouse: Warehouse) -> Warehouse:
    """The marts of this module and what they are made from."""
    return warehouse.only(*MARTS)


@pytest.mark.parametrize("seed", range(2))
def test_retention_and_renewals_agree_on_big_books(revenue: Warehouse, seed: int) -> None:
    """Prevents a wrong ratio, transfer or renewal among many accounts that change segment."""
    _assert_marts_agree(revenue, seeded_books(seed, accounts=40, subscriptions=90), seed)


@pytest.mark.parametrize("seed", range(3))
def test_retention_and_renewals_agree_on_lasting_books(revenue: Warehouse, seed: int) -> None:
    """Prevents the same where accounts stay for years: twelve-month windows, rates, successors."""
    _assert_marts_agree(revenue, lasting_books(seed), seed, terms=False)


@FEW
@given(rows=landings(subscriptions=6, visits=0))
def test_retention_and_renewals_agree_on_small_books(revenue: Warehouse, rows: Landing) -> None:
    """Prevents the same, with an example small enough to read when it fails."""
    _assert_marts_agree(revenue, rows, 0)


@pytest.mark.parametrize("hours", [-1])
def test_retention_and_renewals_agree_in_a_zone_with_summer_time(
    revenue: Warehouse, hours: int
) -> None:
    """Prevents a renewal that falls on another day because a clock went forward in between."""
    rows = shifted(seeded_books(2, accounts=20, subscriptions=60), timedelta(hours=hours))
    _assert_marts_agree(revenue, rows, 2, zone="Europe/Berlin")


def _assert_marts_agree(
    warehouse: Warehouse, rows: Landing, seed: int, *, zone: str = "UTC", terms: bool = True
) -> None:
    tables = raw_tables(rows, SeededDice(np.random.default_rng([seed, 7])))
    if not terms:
        tables["invoices.subscriptions"] = rows.subscriptions
    seeds = {"billing_migrations": rows.migrations}
    with closing(warehouse.build(tables, rows.as_of, zone=zone, seeds=seeds)) as build:
        place = ZoneInfo(zone)
        dim = _assert_accounts_agree(build, rows, tables, place)
        facts = _facts(build, dim, rows.as_of, place)
        _assert_bridge_agrees(build, facts)
        _assert_retention_agrees(build, facts)
        _assert_renewals_agree(build, dim, facts)


def raw_tables(rows: Landing, dice: SeededDice) -> dict[str, Rows]:
    """The landing by raw table, with attributes that change, terms and people who look after it."""
    return {
        "crm.accounts": list(_versions(rows, dice)),
        "crm.account_merges": rows.merges,
        "crm.account_team": list(_team(rows, dice)),
        "invoices.subscriptions": [
            {
                **row,
                "renewal_term_months": dice.pick((None, 0, 1, 1, 2, 3, 12)),
                "notice_days": dice.pick((None, 0, 30)),
            }
            for row in rows.subscriptions
        ],
        "invoices.subscription_items": rows.items,
        "invoices.subscription_changes": rows.changes,
        "invoices.discounts": rows.discounts,
        "invoices.fx_rates": rows.rates,
        "invoices.invoices": rows.invoices,
        "invoices.invoice_lines": rows.lines,
    }


def _versions(rows: Landing, dice: SeededDice) -> Iterator[dict[str, Any]]:
    """Each account's first version without a date, and later ones on edges of months."""
    edges = (
        datetime(2024, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 20, 9, tzinfo=UTC),
        datetime(2024, 2, 1, tzinfo=UTC) - timedelta(microseconds=1),
        datetime(2024, 3, 1, tzinfo=UTC),
        rows.as_of,
    )
    for account in rows.accounts:
        yield {**account, **_attributes(dice), "updated_at": None}
        for at in sorted({dice.pick(edges) for _ in range(dice.pick((0, 1, 2)))}):
            yield {**account, **_attributes(dice), "updated_at": at, "_version_at": at}


def _attributes(dice: SeededDice) -> dict[str, Any]:
    return {
        "tier": dice.pick(("core", "gold", None)),
        "size_band": dice.pick(("1-50", "51-200", " ")),
        "region": dice.pick(("EMEA", None)),
        "product_line": dice.pick(("Cloud", "Desk")),
    }


def _team(rows: Landing, dice: SeededDice) -> Iterator[dict[str, Any]]:
    edges = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 10, tzinfo=UTC), rows.as_of)
    for account in rows.accounts[::2]:
        for name in ("ann", "bob"):
            yield {
                "account_id": account["account_id"],
                "team_member_id": name,
                "role": dice.pick(("csm", "csm", "sponsor")),
                "valid_from": dice.pick(edges),
                "valid_to": dice.pick((None, *edges)),
            }


def _assert_accounts_agree(
    build: duckdb.DuckDBPyConnection, rows: Landing, tables: dict[str, Rows], zone: ZoneInfo
) -> Rows:
    spine = [(row["account_id"], row["month"]) for row in _standard(build, "fct_mrr_monthly")]
    known = [a for a in tables["crm.accounts"] if a["created_at"] < rows.as_of]
    who = survivors(rows.merges, {row["account_id"] for row in known})
    team = of_survivors(tables["crm.account_team"], who)
    plain = accounts_monthly(spine, known, _phases(build), team, rows.as_of, zone)
    mart = read_rows(build, "accounts.dim_accounts_monthly")
    assert_agree(mart, plain, ["account_id", "month"])
    return mart


def _facts(build: duckdb.DuckDBPyConnection, dim: Rows, as_of: datetime, zone: ZoneInfo) -> Facts:
    return Facts(
        monthly=_standard(build, "fct_mrr_monthly"),
        movements=_standard(build, "fct_mrr_movements"),
        amounts=_amounts(build),
        dim=dim,
        rates=_rates(build),
        as_of=as_of,
        zone=zone,
    )


def _standard(build: duckdb.DuckDBPyConnection, mart: str) -> Rows:
    return [row for row in read_rows(build, f"revenue.{mart}") if row["policy"] == "standard"]


def _amounts(build: duckdb.DuckDBPyConnection) -> Rows:
    rows = read_rows(build, "intermediate.int_subscription_item_amounts")
    return [row for row in rows if row["policy"] == "standard"]


def _phases(build: duckdb.DuckDBPyConnection) -> Rows:
    rows = read_rows(build, "intermediate.int_subscription_phases")
    return [row for row in rows if row["policy"] == "standard" and row["is_latest"]]


def _rates(build: duckdb.DuckDBPyConnection) -> dict[tuple[str, date], Any]:
    rows = read_rows(build, "intermediate.int_fx_rates_monthly")
    return {(row["currency"], row["month"]): row["rate"] for row in rows}


def _assert_bridge_agrees(build: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    moves = plan_moves(facts.amounts, facts.movements, facts.as_of, facts.zone)
    plain = bridge(facts.monthly, facts.dim, moves, facts.as_of, facts.zone)
    mart = read_rows(build, "revenue.mrr_bridge_monthly")
    assert_agree(mart, plain, ["month", "segment_by", "segment"])


def _assert_retention_agrees(build: duckdb.DuckDBPyConnection, facts: Facts) -> None:
    mart = read_rows(build, "revenue.revenue_retention_monthly")
    assert_agree(mart, retention(facts), ["month", "window_months", "segment_by", "segment"])
    mart = read_rows(build, "revenue.revenue_retention_drivers")
    key = ["month", "window_months", "tier", "size_band", "account_id"]
    assert_agree(mart, drivers(facts), key)
    mart = read_rows(build, "revenue.revenue_cohorts")
    assert_agree(mart, cohorts(facts), ["cohort_month", "age_months"])


def _assert_renewals_agree(build: duckdb.DuckDBPyConnection, dim: Rows, facts: Facts) -> None:
    accounts = read_rows(build, "intermediate.int_accounts_dated")
    real = {row["account_id"] for row in accounts if not row["is_test"]}
    linked = read_rows(build, "intermediate.int_subscriptions_linked")
    paid = Paid(
        subscriptions=[s for s in linked if s["is_latest"] and s["account_id"] in real],
        phases=_phases(build),
        amounts=facts.amounts,
        as_of=facts.as_of,
        zone=facts.zone,
    )
    plain = renewals(paid)
    mart = read_rows(build, "revenue.fct_renewals")
    assert_agree(mart, plain, ["subscription_id", "renewal_on"])
    mart = read_rows(build, "revenue.renewal_rate_monthly")
    assert_agree(mart, renewal_rates(plain, dim), ["month", "segment_by", "segment"])
    mart = read_rows(build, "revenue.fct_subscriptions")
    assert_agree(mart, subscription_rows(paid), ["subscription_id"])
