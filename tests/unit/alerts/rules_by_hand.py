"""Rules as a test wants them, and what a ledger holds, without the wall clock."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from assets.alerts.filters import RuleFilter
from assets.alerts.ledger_tables import metadata
from assets.alerts.receivers import Route
from assets.alerts.rules import Rule, RuleSet
from assets.alerts.transitions import Evaluation


def rule(name: str = "health_fell_below_40", **changes: Any) -> Rule:
    """A warning below a health of 40 that recovers at 45, unless told otherwise."""
    row = {
        "rule": name,
        "sentence": "The health of {account} is {value}, below {threshold}.",
        "severity": "warning",
        "metric": "health_score",
        "operator": "below",
        "threshold": 40,
        "recover_at": 45,
    }
    return Rule.model_validate(row | changes)


def critical(**changes: Any) -> Rule:
    """The severer rule of the family `health`."""
    return rule(
        "health_turned_critical",
        **{"severity": "critical", "family": "health", "threshold": 25, "recover_at": 30} | changes,
    )


def ruleset(*rules: Rule, sends: str = "opened|resolved") -> RuleSet:
    """The rules, with one file that everything is told to."""
    route = {"rule": "*", "position": 1, "channel": "file", "target": "alerts.jsonl"}
    return RuleSet(rules=rules, routes=(Route.model_validate(route | {"sends": sends}),))


def only(attribute: str, operator: str, value: str, name: str = "health_fell_below_40") -> dict:
    """The `filters` of a rule: one condition."""
    row = {"rule": name, "attribute": attribute, "operator": operator, "value": value}
    return {"filters": (RuleFilter.model_validate(row),)}


def told(evaluations: list[Evaluation]) -> list[tuple[date, str, str, str]]:
    """Day, rule, transition and cause of everything that was found."""
    return [
        (found.day, found.rule, found.transition, found.cause)
        for evaluation in evaluations
        for found in evaluation.transitions
    ]


def contents(engine: sa.Engine, *without: str) -> dict[str, list[tuple]]:
    """Everything in the ledger but the wall clock, and the columns named."""
    left_out = {"recorded_at", "sent_at", *without}
    with engine.connect() as connection:
        return {
            table.name: sorted(
                repr(tuple(value for name, value in row.items() if name not in left_out))
                for row in connection.execute(sa.select(table)).mappings()
            )
            for table in metadata.sorted_tables
        }
