"""Refuses rules that name what does not exist, before a run is spent on them."""

import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from assets.alerts.expected_sources import FILE as EXPECTED_FILE
from assets.alerts.expected_sources import find_expected_problems
from assets.alerts.receivers import DEFAULT_ROUTE
from assets.alerts.rule_files import (
    FILTERS_FILE,
    ROUTES_FILE,
    RULES_FILE,
    STEPS_FILE,
    WORKFLOWS_FILE,
    RuleFiles,
    read_rule_files,
    unknown_rules,
)
from assets.alerts.rules import ACCOUNT_STATUS, HEALTH_SCORE, WORDS
from assets.seed_files import CUSTOM, Problem, is_custom_attribute, label, repeated

_FILES = (RULES_FILE, FILTERS_FILE, ROUTES_FILE, WORKFLOWS_FILE, STEPS_FILE, EXPECTED_FILE)


def validate_rules(seeds: Path, metrics: set[str], attributes: set[str]) -> list[Problem]:
    """Everything that is wrong in the alert rules, filters, routes, workflows and expected sources.

    Args:
        seeds: the folder with the `alert_*.csv` and `workflow*.csv` files.
        metrics: the metrics that a rule may name (`meta.metric_registry`); `health_score` always.
        attributes: what a filter may name (`dim_accounts`), beside the day's `account_status` and
            custom attributes.

    Returns:
        One problem per cell, in the order of file and line; nothing if the rules are sound.
    """
    files = read_rule_files(seeds)
    problems = [
        *files.problems,
        *unknown_rules(seeds, files),
        *_repeated(seeds, files),
        *_unknown_metrics(seeds, files, metrics | {HEALTH_SCORE}, attributes | set(WORDS)),
        *_unknown_attributes(seeds, files, attributes | {ACCOUNT_STATUS}),
        *_half_conditions(seeds, files),
        *_unknown_workflows(seeds, files),
        *_without_route(seeds, files),
        *find_expected_problems(seeds),
    ]
    order = [label(seeds / name) for name in _FILES]
    return sorted(problems, key=lambda problem: (order.index(problem.file), problem.line))


def _repeated(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    yield from repeated(seeds / RULES_FILE, "rule", files.rules)
    yield from repeated(seeds / WORKFLOWS_FILE, "workflow", files.workflows)
    routes = [(found.row.rule, found) for found in files.routes]
    steps = [(found.row.workflow, found) for found in files.steps]
    for file, listed in ((ROUTES_FILE, routes), (STEPS_FILE, steps)):
        counts = Counter((name, found.row.position) for name, found in listed)
        for name, found in listed:
            if counts[name, found.row.position] > 1:
                yield Problem(
                    file=label(seeds / file),
                    line=found.line,
                    column="position",
                    message=f"'{name}' has position {found.row.position} more than once",
                    allowed="each position once per rule"
                    if file == ROUTES_FILE
                    else "each position once per workflow",
                )


def _unknown_metrics(
    seeds: Path, files: RuleFiles, metrics: set[str], words: set[str]
) -> Iterator[Problem]:
    for found in files.rules:
        known, kind = (words, "word") if found.row.compares_words else (metrics, "metric")
        if found.row.metric not in known:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="metric",
                message=f"no {kind} is named {_guess(found.row.metric, known)}",
                allowed=", ".join(sorted(known)),
            )


def _unknown_attributes(seeds: Path, files: RuleFiles, attributes: set[str]) -> Iterator[Problem]:
    filters = [(FILTERS_FILE, found.line, found.row.attribute) for found in files.filters]
    conditions = [(WORKFLOWS_FILE, found.line, found.row.attribute) for found in files.workflows]
    for file, line, name in [*filters, *conditions]:
        if name is not None and name not in attributes and not is_custom_attribute(name):
            yield Problem(
                file=label(seeds / file),
                line=line,
                column="attribute",
                message=f"no attribute is named {_guess(name, attributes)}",
                allowed=", ".join([*sorted(attributes), f"{CUSTOM}NAME"]),
            )


def _half_conditions(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """A workflow's condition of which a part is missing would be none at all."""
    for found in files.workflows:
        parts = (found.row.attribute, found.row.operator, found.row.value)
        if any(parts) and not all(parts):
            yield Problem(
                file=label(seeds / WORKFLOWS_FILE),
                line=found.line,
                column="attribute",
                message="the condition is not whole",
                allowed="attribute, operator and value together, or none of them",
            )


def _unknown_workflows(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """Steps of no workflow and workflows without a step; not asked if a row can't be read."""
    files_of_both = {label(seeds / WORKFLOWS_FILE), label(seeds / STEPS_FILE)}
    if files_of_both & {problem.file for problem in files.problems}:
        return
    names = {found.row.workflow for found in files.workflows}
    stepping = {found.row.workflow for found in files.steps}
    for found in files.steps:
        if found.row.workflow not in names:
            yield Problem(
                file=label(seeds / STEPS_FILE),
                line=found.line,
                column="workflow",
                message=f"no workflow is named {_guess(found.row.workflow, names)}",
                allowed=", ".join(sorted(names)),
            )
    for each in files.workflows:
        if each.row.workflow not in stepping:
            yield Problem(
                file=label(seeds / WORKFLOWS_FILE),
                line=each.line,
                column="workflow",
                message=f"'{each.row.workflow}' has no step, so nothing would be done",
                allowed=f"a row in {STEPS_FILE} for it",
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
