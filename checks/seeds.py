"""What is wrong in the seeds: a sentence each, with file, line, column and what is allowed."""

from pathlib import Path
from typing import Any

from assets.alerts.validation import validate_rules
from assets.extracts.retention import find_retention_problems
from assets.seed_files import Problem
from assets.warehouse.chart_files import find_chart_problems
from assets.warehouse.configuration_changes import find_change_problems
from assets.warehouse.health_files import find_health_problems
from assets.warehouse.revenue_files import find_revenue_problems
from assets.warehouse.scorecard_files import find_scorecard_problems
from assets.warehouse.usage_files import find_usage_problems
from assets.yaml_files import read_yaml


def find_problems(seeds: Path, models: Path) -> list[Problem]:
    """Everything that is wrong in the seeds, against the metrics and attributes of the models."""
    marts = models / "marts" / "accounts"
    metrics = _metrics(marts / "account_metrics_daily.yml")
    kpis = _metrics(models / "marts" / "health" / "account_kpis_daily.yml")
    scorecard = {column["name"] for column in _columns(marts / "account_scorecard.yml")}
    attributes = {column["name"] for column in _columns(marts / "dim_accounts.yml")}
    return [
        *find_change_problems(seeds),
        *find_chart_problems(seeds),
        *find_retention_problems(seeds),
        *find_health_problems(seeds, metrics, kpis),
        *find_revenue_problems(seeds),
        *find_scorecard_problems(seeds, scorecard, metrics | kpis),
        *find_usage_problems(seeds),
        *validate_rules(seeds, metrics | kpis, attributes),
    ]


def _metrics(path: Path) -> set[str]:
    """The columns of a mart that are metrics."""
    return {
        column["name"]
        for column in _columns(path)
        if "metric" in column.get("config", {}).get("meta", {})
    }


def _columns(path: Path) -> list[dict[str, Any]]:
    return list(read_yaml(path)["models"][0]["columns"])
