"""What charts show of one module, feature or event: pairs that no condition or rule names."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import field_validator

from assets.seed_files import Located, Problem, SeedRow, label, read_rows, repeated
from assets.warehouse.health_rows import SCOPED_METRIC, Name, Scope, is_scope, is_scoped_metric

CHARTS_FILE = "chart_metrics.csv"


class ChartMetric(SeedRow):
    """A metric that a chart shows of one module, feature or event, or of every module."""

    chart: Name
    metric: Name
    scope: Scope
    enabled: bool = True

    @field_validator("scope")
    @classmethod
    def names_one(cls, scope: str) -> str:
        """Only modules can be had all at once: the catalogue says which there are."""
        if not is_scope(scope):
            message = f"'{scope}' names none; allowed is the name of one, or module:*"
            raise ValueError(message)
        return scope


def find_chart_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in what charts show."""
    problems: list[Problem] = []
    file = seeds / CHARTS_FILE
    charts = list(read_rows(file, ChartMetric, problems))
    problems += repeated(file, "chart", charts)
    problems += _without_scopes(file, charts)
    return problems


def _without_scopes(file: Path, charts: Sequence[Located[ChartMetric]]) -> Iterator[Problem]:
    for found in charts:
        if not is_scoped_metric(found.row.metric):
            kind = found.row.scope.partition(":")[0]
            yield Problem(
                file=label(file),
                line=found.line,
                column="metric",
                message=f"'{found.row.metric}' has no value of one {kind}",
                allowed=SCOPED_METRIC,
            )
