"""Reads the rules that a person edits (`seeds/alert_*.csv`) and says what is wrong in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.alerts.rules import Route, Rule, RuleFilter, RuleSet
from assets.seed_files import Located, Problem, label, read_rows

RULES_FILE = "alert_rules.csv"
FILTERS_FILE = "alert_rule_filters.csv"
ROUTES_FILE = "alert_routes.csv"


class RuleFilesError(ValueError):
    """The rules can't be read; the message names every file, line, column and remedy."""


@dataclass(frozen=True, kw_only=True)
class RuleFiles:
    """The readable rows of the three files, and what was wrong with the others."""

    rules: list[Located[Rule]]
    filters: list[Located[RuleFilter]]
    routes: list[Located[Route]]
    problems: list[Problem]


def read_rules(seeds: Path) -> RuleSet:
    """Reads the rules of a seeds folder.

    Raises:
        RuleFilesError: a file is missing, a row can't be understood, or a filter names no rule.
    """
    files = read_rule_files(seeds)
    problems = [*files.problems, *unknown_rules(seeds, files)]
    if problems:
        raise RuleFilesError("\n".join(str(problem) for problem in problems))
    rules = [_with_filters(found.row, files.filters) for found in files.rules]
    return RuleSet(
        rules=tuple(sorted(rules, key=lambda rule: rule.rule)),
        routes=tuple(found.row for found in files.routes),
    )


def read_rule_files(seeds: Path) -> RuleFiles:
    """Reads the three files row by row; a bad row becomes a problem and stops no other."""
    problems: list[Problem] = []
    return RuleFiles(
        rules=list(read_rows(seeds / RULES_FILE, Rule, problems)),
        filters=list(read_rows(seeds / FILTERS_FILE, RuleFilter, problems)),
        routes=list(read_rows(seeds / ROUTES_FILE, Route, problems)),
        problems=problems,
    )


def unknown_rules(seeds: Path, files: RuleFiles) -> Iterator[Problem]:
    """Filters and routes that name no rule: a filter lost that way would widen a rule silently."""
    if any(problem.file == label(seeds / RULES_FILE) for problem in files.problems):
        return
    names = sorted(found.row.rule for found in files.rules)
    filters = [(FILTERS_FILE, found.line, found.row.rule) for found in files.filters]
    routes = [(ROUTES_FILE, found.line, found.row.rule) for found in files.routes]
    for file, line, name in [*filters, *routes]:
        if name not in [*names, "*"]:
            yield Problem(
                file=label(seeds / file),
                line=line,
                column="rule",
                message=f"no rule is named '{name}'",
                allowed=", ".join(names),
            )


def _with_filters(rule: Rule, filters: list[Located[RuleFilter]]) -> Rule:
    own = tuple(found.row for found in filters if found.row.rule == rule.rule)
    return rule.model_copy(update={"filters": own})
