"""What a rule's metric is narrowed to: one module, feature or event, each a dimension of alerts.

A scope is written `module:Planning` in the seeds and in `account_scoped_metrics_daily`; the ledger
holds it as the alert's dimensions, canonical JSON: `{"module":"Planning"}`.
"""

import json

from assets.warehouse.health_rows import EVERY_MODULE, SCOPE_KINDS

ALLOWED_SCOPES = (
    f"{', '.join(f'{kind}:NAME' for kind in SCOPE_KINDS)}, several separated by '|', or "
    f"{EVERY_MODULE} for each module of module_catalogue.csv"
)
NO_DIMENSIONS = "{}"


def split_scopes(cell: str) -> tuple[str, ...]:
    """The scopes of a seed's cell, each once, in their order."""
    return tuple(dict.fromkeys(part.strip() for part in cell.split("|")))


def names_several(cell: str) -> bool:
    """Whether a seed's cell makes more than one alert of an account."""
    return cell.strip() == EVERY_MODULE or len(split_scopes(cell)) > 1


def dimensions_of(scope: str | None) -> str:
    """What the ledger calls a scope; an alert without one has no dimensions."""
    if scope is None:
        return NO_DIMENSIONS
    kind, _, name = scope.partition(":")
    return json.dumps({kind: name}, separators=(",", ":"), ensure_ascii=False)


def scope_of_dimensions(dimensions: str) -> str | None:
    """The scope that dimensions hold, if they hold one."""
    held: dict[str, str] = json.loads(dimensions)
    return next((f"{kind}:{name}" for kind, name in held.items()), None)


def spoken(scope: str) -> str:
    """A scope as a person says it: `module Planning`."""
    return " ".join(scope.split(":", 1))


def metric_in_words(metric: str) -> str:
    """What a person calls a metric that has scopes: `use in 30 days`."""
    days = metric.rpartition("_")[2].removesuffix("d")
    return f"{'days of use' if metric.startswith('days_used_') else 'use'} in {days} days"


def name_of(scope: str) -> str:
    """The name alone: `Planning`."""
    return scope.partition(":")[2]
