"""Reads what a person edits of rules and workflows, and says what is wrong in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.alerts.filters import RuleFilter, WorkflowCondition
from assets.alerts.receivers import DEFAULT_ROUTE, OPS_ROUTE, Route
from assets.alerts.rules import Rule, RuleSet
from assets.alerts.workflow_rules import Workflow, WorkflowStep
from assets.seed_files import Located, Problem, label, read_rows
from assets.warehouse.usage_files import CATALOGUE_FILE, CatalogueFeature

RULES_FILE = "alert_rules.csv"
FILTERS_FILE = "alert_rule_filters.csv"
ROUTES_FILE = "alert_routes.csv"
WORKFLOWS_FILE = "workflows.csv"
CONDITIONS_FILE = "workflow_conditions.csv"
STEPS_FILE = "workflow_actions.csv"


class RuleFilesError(ValueError):
    """The rules can't be read; the message names every file, line, column and remedy."""


@dataclass(frozen=True, kw_only=True)
class RuleFiles:
    """The readable rows of the files, and what was wrong with the others."""

    rules: list[Located[Rule]]
    filters: list[Located[RuleFilter]]
    routes: list[Located[Route]]
    workflows: list[Located[Workflow]]
    conditions: list[Located[WorkflowCondition]]
    steps: list[Located[WorkflowStep]]
    problems: list[Problem]


def read_rules(seeds: Path, what_if: Path | None = None) -> RuleSet:
    """Reads the rules of a seeds folder.

    Args:
        seeds: the folder.
        what_if: a file to be read in place of the folder's rules; the rest stays as it is.

    Raises:
        RuleFilesError: a file is missing, a row can't be understood, or a filter names no rule.
    """
    files = read_rule_files(seeds, what_if)
    problems = [*files.problems, *unknown_rules(seeds, files)]
    if problems:
        raise RuleFilesError("\n".join(str(problem) for problem in problems))
    modules = _catalogued(seeds) if any(found.row.scope for found in files.rules) else ()
    rules = [_completed(found.row, files.filters, modules) for found in files.rules]
    return RuleSet(
        rules=tuple(sorted(rules, key=lambda rule: rule.rule)),
        routes=tuple(found.row for found in files.routes),
        workflows=tuple(_whole(found.row, files) for found in files.workflows),
    )


def read_rule_files(seeds: Path, what_if: Path | None = None) -> RuleFiles:
    """Reads the files row by row; a bad row becomes a problem and stops no other."""
    problems: list[Problem] = []
    return RuleFiles(
        rules=list(read_rows(what_if or seeds / RULES_FILE, Rule, problems)),
        filters=list(read_rows(seeds / FILTERS_FILE, RuleFilter, problems)),
        routes=list(read_rows(seeds / ROUTES_FILE, Route, problems)),
        workflows=list(read_rows(seeds / WORKFLOWS_FILE, Workflow, problems)),
        conditions=list(read_rows(seeds / CONDITIONS_FILE, WorkflowCondition, problems)),
        steps=list(read_rows(seeds / STEPS_FILE, WorkflowStep, problems)),
        problems=problems,
    )


def unknown_rules(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """Filters and routes that name no rule: a filter lost that way would widen a rule silently."""
    if any(problem.file == label(seeds / RULES_FILE) for problem in files.problems):
        return
    names = sorted(found.row.rule for found in files.rules)
    owners = {found.row.owner for found in files.rules}
    filters = [(FILTERS_FILE, found.line, found.row.rule) for found in files.filters]
    routes = [(ROUTES_FILE, found.line, found.row.rule) for found in files.routes]
    workflows = [(WORKFLOWS_FILE, found.line, found.row.rule) for found in files.workflows]
    groups = {DEFAULT_ROUTE, OPS_ROUTE, *owners}
    for file, line, name in [*filters, *routes, *workflows]:
        if name not in names and not (file == ROUTES_FILE and name in groups):
            yield Problem(
                file=label(seeds / file),
                line=line,
                column="rule",
                message=f"no rule is named '{name}'",
                allowed=", ".join(names),
            )


def _whole(workflow: Workflow, files: RuleFiles) -> Workflow:
    """The workflow with its conditions and, in their order, its steps."""
    name = workflow.workflow
    conditions = tuple(found.row for found in files.conditions if found.row.workflow == name)
    steps = [found.row for found in files.steps if found.row.workflow == name]
    ordered = tuple(sorted(steps, key=lambda step: step.position))
    return workflow.model_copy(update={"conditions": conditions, "steps": ordered})


def _completed(rule: Rule, filters: list[Located[RuleFilter]], modules: tuple[str, ...]) -> Rule:
    own = tuple(found.row for found in filters if found.row.rule == rule.rule)
    return rule.model_copy(update={"filters": own, "modules": modules})


def _catalogued(seeds: Path) -> tuple[str, ...]:
    """The catalogue's modules; what is wrong in it is told by the checks of the usage seeds."""
    rows = read_rows(seeds / CATALOGUE_FILE, CatalogueFeature, [])
    return tuple(sorted({found.row.module for found in rows}))
