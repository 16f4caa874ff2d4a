"""The usage marts against their re-computation in plain Python, on generated worlds."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, read_rows
from tests.integration.test_marts_agree_with_python import raw_tables
from tests.recompute.books import shifted
from tests.recompute.usage_daily import (
    custom_interactions_daily,
    unhandled_errors_daily,
    user_daily,
)
from tests.recompute.usage_entitlements import modules
from tests.recompute.usage_facts import Facts, gather
from tests.recompute.usage_licenses import (
    account_license_totals,
    account_licenses,
    licenses_daily,
)
from tests.recompute.usage_patterns import usage_patterns
from tests.recompute.usage_periods import (
    account_usage_by,
    dates,
    module_adoption_monthly,
    usage_by,
)
from tests.recompute.usage_statuses import accounts
from tests.recompute.usage_users import users
from tests.recompute.usage_windows import (
    account_usage,
    by_feature,
    by_module,
    leaderboard,
    user_usage,
)
from tests.recompute.usage_world import SEEDS, UsageWorld, moved, seeded_world

Mart = tuple[str, list[dict[str, Any]], list[str]]

ACCOUNT_USER = ["account_id", "user_id"]
LICENSE = ["account_id", "package", "license_id"]


def _marts(facts: Facts) -> Iterator[Mart]:
    """Every usage mart with its plain rows and its grain, and the accounts that it is about."""
    yield "dim_accounts", accounts(facts), ["account_id"]
    daily = [*ACCOUNT_USER, "package", "license_id", "day"]
    yield "fct_user_activity_daily", user_daily(facts), daily
    yield "fct_user_module_daily", user_daily(facts, "module"), [*daily, "module"]
    finest = user_daily(facts, "module", "feature")
    yield "fct_user_feature_daily", finest, [*daily, "module", "feature"]
    errors = ["account_id", "package", "app_version", "error_fingerprint", "day"]
    yield "fct_unhandled_errors_daily", unhandled_errors_daily(facts), errors
    named = ["account_id", "event_name", "day"]
    yield "fct_custom_interactions_daily", custom_interactions_daily(facts), named
    module, feature = ["account_id", "module"], ["account_id", "module", "feature"]
    yield "account_module_usage", account_usage(facts, by_module), module
    yield "account_feature_usage", account_usage(facts, by_feature), feature
    yield "user_module_usage", user_usage(facts, by_module), [*module, "user_id"]
    yield "user_feature_usage", user_usage(facts, by_feature), [*feature, "user_id"]
    yield "user_leaderboard", leaderboard(facts), [*ACCOUNT_USER, "period_days"]
    yield "dim_modules", modules(facts), ["module", "feature"]
    yield "dim_users", users(facts), [*ACCOUNT_USER, "is_anonymous"]
    yield "account_usage_patterns", usage_patterns(facts), ["account_id", "week"]
    for unit, period in (("month", "monthly"), ("quarter", "quarterly"), ("year", "yearly")):
        yield f"usage_{period}", usage_by(facts, unit), [*feature, "package", unit]
        yield f"account_usage_{period}", account_usage_by(facts, unit), ["account_id", unit]
    yield "module_adoption_monthly", module_adoption_monthly(facts), [*module, "month"]
    yield "dim_dates", dates(facts), ["day"]
    yield "fct_licenses_daily", licenses_daily(facts), [*LICENSE, "day"]
    held = account_licenses(facts)
    yield "account_licenses", held, LICENSE
    totals = account_license_totals(held, facts.today)
    yield "account_license_totals", totals, ["account_id"]


@pytest.mark.parametrize("seed", range(3))
def test_usage_agrees_on_a_generated_world(warehouse: Warehouse, seed: int) -> None:
    """Prevents any wrong number in a usage mart that shows up among many oddities."""
    _assert_agree(warehouse, seeded_world(seed))


@pytest.mark.parametrize("hours", [-2, -154 * 24 - 1])
def test_usage_agrees_in_a_zone_with_summer_time(warehouse: Warehouse, hours: int) -> None:
    """Prevents days of 24 hours: one of the last days had 23 or 25 of them."""
    world = seeded_world(11)
    by = timedelta(hours=hours)
    _assert_agree(warehouse, moved(world, by, shifted(world.books, by)), zone="Europe/Berlin")


def _assert_agree(warehouse: Warehouse, world: UsageWorld, *, zone: str = "UTC") -> None:
    facts = gather(world, ZoneInfo(zone))
    marts = list(_marts(facts))
    small = warehouse.only(*(name for name, _, _ in marts))
    tables = raw_tables(world.books) | world.tables()
    with closing(small.build(tables, world.books.as_of, zone=zone, seeds=SEEDS)) as build:
        for name, plain, key in marts:
            schema = "accounts" if name == "dim_accounts" else "usage"
            _assert_mart(build, f"{schema}.{name}", plain, key)


def _assert_mart(
    build: duckdb.DuckDBPyConnection, name: str, plain: list[dict[str, Any]], key: list[str]
) -> None:
    try:
        assert_agree(read_rows(build, name), plain, key)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error
