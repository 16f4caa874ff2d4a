"""Refuses rules that name what does not exist, before a run is spent on them."""

import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from assets.alerts.rule_files import (
    FILTERS_FILE,
    ROUTES_FILE,
    RULES_FILE,
    RuleFiles,
    read_rule_files,
    unknown_rules,
)
from assets.alerts.rules import ACCOUNT_STATUS, DEFAULT_ROUTE, HEALTH_SCORE
from assets.seed_files import Problem, label


def validate_rules(seeds: Path, metrics: set[str], attributes: set[str]) -> list[Problem]:
    """Everything that is wrong in the alert rules, their filters and routes.

    Args:
        seeds: the folder with the three `alert_*.csv` files.
        metrics: the metrics that a rule may name (`meta.metric_registry`); `health_score` always.
        attributes: what a filter may name (`dim_accounts`); the day's `account_status` always.

    Returns:
        One problem per cell, in the order of file and line; nothing if the rules are sound.
    """
    files = read_rule_files(seeds)
    problems = [
        *files.problems,
        *unknown_rules(seeds, files),
        *_repeated_rules(seeds, files),
        *_repeated_routes(seeds, files),
        *_unknown_metrics(seeds, files, metrics | {HEALTH_SCORE}),
        *_unknown_attributes(seeds, files, attributes | {ACCOUNT_STATUS}),
        *_without_route(seeds, files),
    ]
    order = [label(seeds / name) for name in (RULES_FILE, FILTERS_FILE, ROUTES_FILE)]
    return sorted(problems, key=lambda problem: (order.index(problem.file), problem.line))


def _repeated_rules(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    counts = Counter(found.row.rule for found in files.rules)
    for found in files.rules:
        if counts[found.row.rule] > 1:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="rule",
                message=f"'{found.row.rule}' stands here more than once",
                allowed="each rule on one line",
            )


def _repeated_routes(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    counts = Counter((found.row.rule, found.row.position) for found in files.routes)
    for found in files.routes:
        if counts[found.row.rule, found.row.position] > 1:
            yield Problem(
                file=label(seeds / ROUTES_FILE),
                line=found.line,
                column="position",
                message=f"'{found.row.rule}' has position {found.row.position} more than once",
                allowed="each position once per rule",
            )


def _unknown_metrics(seeds: Path, files: RuleFiles, metrics: set[str]) -> Iterator[Problem]:
    for found in files.rules:
        if found.row.metric not in metrics:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="metric",
                message=f"no metric is named {_guess(found.row.metric, metrics)}",
                allowed=", ".join(sorted(metrics)),
            )


def _unknown_attributes(seeds: Path, files: RuleFiles, attributes: set[str]) -> Iterator[Problem]:
    for found in files.filters:
        if found.row.attribute not in attributes:
            yield Problem(
                file=label(seeds / FILTERS_FILE),
                line=found.line,
                column="attribute",
                message=f"no attribute is named {_guess(found.row.attribute, attributes)}",
                allowed=", ".join(sorted(attributes)),
            )


def _without_route(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """A rule that nobody would hear of. Not asked while a route of the file can't be read."""
    if any(problem.file == label(seeds / ROUTES_FILE) for problem in files.problems):
        return
    routed = {found.row.rule for found in files.routes}
    for found in files.rules:
        if found.row.enabled and not routed & {found.row.rule, DEFAULT_ROUTE}:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="rule",
                message=f"'{found.row.rule}' has no route, so nobody would be told",
                allowed=f"a row in {ROUTES_FILE} for the rule or for '{DEFAULT_ROUTE}'",
            )


def _guess(name: str, known: set[str]) -> str:
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"'{name}' (did you mean '{close[0]}'?)" if close else f"'{name}'"
