"""Refuses rules that name what does not exist, before a run is spent on them."""

import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from assets.alerts.expected_sources import FILE as EXPECTED_FILE
from assets.alerts.expected_sources import find_expected_problems
from assets.alerts.receivers import DEFAULT_ROUTE
from assets.alerts.rule_files import (
    CONDITIONS_FILE,
    FILTERS_FILE,
    ROUTES_FILE,
    RULES_FILE,
    STEPS_FILE,
    WORKFLOWS_FILE,
    RuleFiles,
    read_rule_files,
    unknown_rules,
)
from assets.alerts.rules import ACCOUNT_STATUS, DAILY_WORDS, HEALTH_SCORE, WORDS, Rule
from assets.seed_files import CUSTOM, Located, Problem, is_custom_attribute, label, repeated
from assets.warehouse.health_rows import SCOPED_METRIC, is_scoped_metric

_FILES = (
    RULES_FILE,
    FILTERS_FILE,
    ROUTES_FILE,
    WORKFLOWS_FILE,
    CONDITIONS_FILE,
    STEPS_FILE,
    EXPECTED_FILE,
)


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
        *_scopes_of_words(seeds, files),
        *_words_without_past(seeds, files),
        *_unknown_attributes(seeds, files, attributes | {ACCOUNT_STATUS}),
        *_unknown_workflows(seeds, files),
        *_titles_without_scope(seeds, files),
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
        if found.row.scope and not found.row.compares_words:
            yield from _without_scope(seeds, found)
        elif found.row.metric not in known:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="metric",
                message=f"no {kind} is named {_guess(found.row.metric, known)}",
                allowed=", ".join(sorted(known)),
            )


def _without_scope(seeds: Path, found: Located[Rule]) -> Iterator[Problem]:
    """A metric that nobody counts by module, feature or event."""
    kind = str(found.row.scope).partition(":")[0]
    if not is_scoped_metric(found.row.metric):
        yield Problem(
            file=label(seeds / RULES_FILE),
            line=found.line,
            column="metric",
            message=f"'{found.row.metric}' has no value of one {kind}",
            allowed=SCOPED_METRIC,
        )


def _scopes_of_words(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    for found in files.rules:
        if found.row.scope and found.row.compares_words:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="scope",
                message=f"'{found.row.scope}' says nothing beside '{found.row.operator}'",
                allowed="nothing",
            )


def _words_without_past(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """Words of which only today's is known: a change of one would never be seen."""
    for found in files.rules:
        if found.row.operator == "changed" and found.row.metric not in DAILY_WORDS:
            yield Problem(
                file=label(seeds / RULES_FILE),
                line=found.line,
                column="metric",
                message=f"what '{found.row.metric}' was on the days before is not known",
                allowed=", ".join(DAILY_WORDS),
            )


def _unknown_attributes(seeds: Path, files: RuleFiles, attributes: set[str]) -> Iterator[Problem]:
    filters = [(FILTERS_FILE, found.line, found.row.attribute) for found in files.filters]
    conditions = [(CONDITIONS_FILE, found.line, found.row.attribute) for found in files.conditions]
    for file, line, name in [*filters, *conditions]:
        if name not in attributes and not is_custom_attribute(name):
            yield Problem(
                file=label(seeds / file),
                line=line,
                column="attribute",
                message=f"no attribute is named {_guess(name, attributes)}",
                allowed=", ".join([*sorted(attributes), f"{CUSTOM}NAME"]),
            )


def _unknown_workflows(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """Parts of no workflow and workflows without a step; not asked if a row can't be read.

    A condition lost that way would widen a workflow silently.
    """
    unread = {problem.file for problem in files.problems}
    if {label(seeds / name) for name in (WORKFLOWS_FILE, CONDITIONS_FILE, STEPS_FILE)} & unread:
        return
    names = {found.row.workflow for found in files.workflows}
    stepping = {found.row.workflow for found in files.steps}
    parts = [
        *((CONDITIONS_FILE, found.line, found.row.workflow) for found in files.conditions),
        *((STEPS_FILE, found.line, found.row.workflow) for found in files.steps),
    ]
    for file, line, name in parts:
        if name not in names:
            yield Problem(
                file=label(seeds / file),
                line=line,
                column="workflow",
                message=f"no workflow is named {_guess(name, names)}",
                allowed=", ".join(sorted(names)) or f"a row in {WORKFLOWS_FILE}",
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


def _titles_without_scope(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """Titles that say `{scope}` of an alert that has none."""
    scoped = {found.row.rule for found in files.rules if found.row.scope}
    unscoped = {found.row.rule for found in files.rules} - scoped
    rules = {found.row.workflow: found.row.rule for found in files.workflows}
    for found in files.steps:
        rule = rules.get(found.row.workflow)
        if "{scope}" in found.row.title and rule in unscoped:
            yield Problem(
                file=label(seeds / STEPS_FILE),
                line=found.line,
                column="title",
                message=f"'{rule}' has no scope that {{scope}} could say",
                allowed="{account}, or a rule with a scope",
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
