"""The registry of metrics, which dbt makes from its own graph and so cannot unit-test."""

from contextlib import closing
from datetime import UTC, datetime

from tests.integration.compiled_warehouse import Warehouse, read_rows

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)


def test_a_metric_is_a_column_of_account_metrics_daily_and_nothing_else(
    warehouse: Warehouse,
) -> None:
    """Prevents a metric without a definition, and one that is registered and measured nowhere."""
    with closing(warehouse.build({}, AS_OF)) as build:
        registry = read_rows(build, "meta.metric_registry order by position")
        described = build.execute("describe accounts.account_metrics_daily").fetchall()
    columns = [name for name, *_ in described]
    assert columns[:3] == ["account_id", "day", "account_status"]
    assert [row["metric"] for row in registry] == columns[3:]
    assert [row["position"] for row in registry] == list(range(1, len(registry) + 1))
    for row in registry:
        assert all((row["name"], row["definition"], row["unit"])), row
        assert row["direction"] in ("higher", "lower"), row
        assert row["source_name"] in ("crm", "events", "invoices", "tickets"), row


def test_a_warehouse_without_a_row_builds(warehouse: Warehouse) -> None:
    """Prevents a model that fails before the first extract lands."""
    with closing(warehouse.build({}, AS_OF)) as build:
        assert read_rows(build, "accounts.account_scorecard") == []
