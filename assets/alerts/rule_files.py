"""Reads what a person edits of rules and workflows, and says what is wrong in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.alerts.filters import RuleFilter
from assets.alerts.receivers import DEFAULT_ROUTE, OPS_ROUTE, Route
from assets.alerts.rules import Rule, RuleSet
from assets.alerts.workflow_rules import Workflow, WorkflowStep
from assets.seed_files import Located, Problem, label, read_rows

RULES_FILE = "alert_rules.csv"
FILTERS_FILE = "alert_rule_filters.csv"
ROUTES_FILE = "alert_routes.csv"
WORKFLOWS_FILE = "workflows.csv"
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
    rules = [_with_filters(found.row, files.filters) for found in files.rules]
    return RuleSet(
        rules=tuple(sorted(rules, key=lambda rule: rule.rule)),
        routes=tuple(found.row for found in files.routes),
        workflows=tuple(_with_steps(found.row, files.steps) for found in files.workflows),
    )


def read_rule_files(seeds: Path, what_if: Path | None = None) -> RuleFiles:
    """Reads the files row by row; a bad row becomes a problem and stops no other."""
    problems: list[Problem] = []
    return RuleFiles(
        rules=list(read_rows(what_if or seeds / RULES_FILE, Rule, problems)),
        filters=list(read_rows(seeds / FILTERS_FILE, RuleFilter, problems)),
        routes=list(read_rows(seeds / ROUTES_FILE, Route, problems)),
        workflows=list(read_rows(seeds / WORKFLOWS_FILE, Workflow, problems)),
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


def _with_steps(workflow: Workflow, steps: list[Located[WorkflowStep]]) -> Workflow:
    own = [found.row for found in steps if found.row.workflow == workflow.workflow]
    ordered = tuple(sorted(own, key=lambda step: step.position))
    return workflow.model_copy(update={"steps": ordered})


def _with_filters(rule: Rule, filters: list[Located[RuleFilter]]) -> Rule:
    own = tuple(found.row for found in filters if found.row.rule == rule.rule)
    return rule.model_copy(update={"filters": own})
