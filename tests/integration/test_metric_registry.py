"""The registry of metrics, which dbt makes from its own graph and so cannot unit-test."""

from contextlib import closing
from datetime import UTC, datetime

import duckdb

from tests.integration.compiled_warehouse import Warehouse, read_rows

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
MARTS = ("account_metrics_daily", "account_kpis_daily")
# Figures that account_metrics_daily has, and words.
KEPT_BESIDE = (
    "active_seats", "purchased_seats", "seat_adoption_ratio", "is_time_to_value_censored",
    "renewal_on", "renewal_risk_band",
)  # fmt: skip


def test_a_metric_is_a_column_of_one_of_two_marts_and_nothing_else(warehouse: Warehouse) -> None:
    """Prevents a metric without a definition, and one that is registered and measured nowhere."""
    small = warehouse.only("metric_registry", *MARTS)
    with closing(small.build({}, AS_OF)) as build:
        registry = read_rows(build, "meta.metric_registry order by position")
        daily = _columns(build, "accounts.account_metrics_daily")
        kpis = _columns(build, "health.account_kpis_daily")
    assert daily[:3] == ["account_id", "day", "account_status"]
    names = {mart: [r["metric"] for r in registry if r["source_mart"] == mart] for mart in MARTS}
    assert names["account_metrics_daily"] == daily[3:]
    assert {*kpis} - {*names["account_kpis_daily"]} == {*KEPT_BESIDE, "account_id", "day"}
    assert [row["position"] for row in registry] == list(range(1, len(registry) + 1))
    assert len({row["metric"] for row in registry}) == len(registry)
    for row in registry:
        assert all((row["name"], row["definition"], row["unit"])), row
        assert row["direction"] in ("higher", "lower"), row
        assert row["source_name"] in ("crm", "events", "invoices", "tickets"), row


def test_a_warehouse_without_a_row_builds(warehouse: Warehouse) -> None:
    """Prevents a model that fails before the first extract lands."""
    with closing(warehouse.build({}, AS_OF)) as build:
        assert read_rows(build, "accounts.account_scorecard") == []


def _columns(build: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [name for name, *_ in build.execute(f"describe {relation}").fetchall()]
