"""What is wrong in the health seeds: each row by itself, and what rows say of one another."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.seed_files import (
    CUSTOM,
    Located,
    Problem,
    is_custom_attribute,
    label,
    read_rows,
    repeated,
)
from assets.warehouse.health_rows import (
    AGE,
    SCOPED_METRIC,
    WORDS,
    ConditionPart,
    ConditionThreshold,
    HealthCap,
    HealthCondition,
    HealthProfile,
    ProfileFilter,
    ValueEvent,
    is_scoped_metric,
)
from assets.warehouse.health_settings import find_setting_problems

PROFILES_FILE = "health_profiles.csv"
FILTERS_FILE = "health_profile_filters.csv"
CONDITIONS_FILE = "health_conditions.csv"
PARTS_FILE = "health_condition_parts.csv"
THRESHOLDS_FILE = "health_condition_thresholds.csv"
CAPS_FILE = "health_caps.csv"
VALUE_EVENTS_FILE = "value_events.csv"
LINKED_FILES = (PROFILES_FILE, FILTERS_FILE, CONDITIONS_FILE, PARTS_FILE, THRESHOLDS_FILE)


@dataclass(frozen=True, kw_only=True)
class _Seeds:
    """The sound rows of the health files."""

    profiles: Sequence[Located[HealthProfile]]
    filters: Sequence[Located[ProfileFilter]]
    conditions: Sequence[Located[HealthCondition]]
    parts: Sequence[Located[ConditionPart]]
    thresholds: Sequence[Located[ConditionThreshold]]
    caps: Sequence[Located[HealthCap]]


def find_health_problems(
    seeds: Path, metrics: set[str], kpis: Collection[str] = ()
) -> list[Problem]:
    """Everything that is wrong in the health seeds, against the metrics that there are.

    Args:
        seeds: the folder of the seeds.
        metrics: what health may read.
        kpis: the metrics that are made of health, so that it can't read them.
    """
    problems: list[Problem] = []
    read = _Seeds(
        profiles=list(read_rows(seeds / PROFILES_FILE, HealthProfile, problems)),
        filters=list(read_rows(seeds / FILTERS_FILE, ProfileFilter, problems)),
        conditions=list(read_rows(seeds / CONDITIONS_FILE, HealthCondition, problems)),
        parts=list(read_rows(seeds / PARTS_FILE, ConditionPart, problems)),
        thresholds=list(read_rows(seeds / THRESHOLDS_FILE, ConditionThreshold, problems)),
        caps=list(read_rows(seeds / CAPS_FILE, HealthCap, problems)),
    )
    value_events = list(read_rows(seeds / VALUE_EVENTS_FILE, ValueEvent, problems))
    problems += repeated(seeds / PROFILES_FILE, "profile", read.profiles)
    problems += repeated(seeds / PROFILES_FILE, "position", read.profiles)
    problems += repeated(seeds / CONDITIONS_FILE, "condition", read.conditions)
    problems += repeated(seeds / CAPS_FILE, "cap", read.caps)
    problems += repeated(seeds / VALUE_EVENTS_FILE, "value_event", value_events)
    problems += _unknown_metrics(seeds, read, metrics, kpis)
    problems += _unknown_attributes(seeds, read, metrics, kpis)
    unsound = {problem.file for problem in problems}
    if not unsound & {label(seeds / file) for file in LINKED_FILES}:
        problems += _unlinked(seeds, read)
    return problems + find_setting_problems(seeds)


def _unlinked(seeds: Path, read: _Seeds) -> Iterator[Problem]:
    """What rows say of one another; asked of sound rows, since one that isn't is no row of any."""
    for file, column, rows in (
        (PROFILES_FILE, "profile", read.profiles),
        (CONDITIONS_FILE, "condition", read.conditions),
    ):
        if not rows:
            yield _problem(seeds / file, 1, column, f"there is no {column}", "one at least")
            return
    yield from _unknown_names(seeds, read)
    yield from _wrong_profiles(seeds, read)
    yield from _wrong_parts(seeds, read)
    yield from _wrong_edges(seeds, read)


def _unknown_names(seeds: Path, read: _Seeds) -> Iterator[Problem]:
    """Profiles and conditions that no file defines."""
    profiles = {found.row.profile for found in read.profiles}
    conditions = {found.row.condition for found in read.conditions}
    named: tuple[tuple[str, str, Sequence[Located[Any]], set[str]], ...] = (
        (CONDITIONS_FILE, "profile", read.conditions, profiles),
        (FILTERS_FILE, "profile", read.filters, profiles),
        (PARTS_FILE, "condition", read.parts, conditions),
        (THRESHOLDS_FILE, "condition", read.thresholds, conditions),
    )
    for file, column, rows, known in named:
        for found in rows:
            said = getattr(found.row, column)
            if said not in known:
                yield _unknown(seeds / file, found.line, column, said, known)


def _unknown_metrics(
    seeds: Path, read: _Seeds, metrics: set[str], kpis: Collection[str]
) -> Iterator[Problem]:
    """Metrics that are none of the account's, made of health, or without a scope."""
    reading: tuple[tuple[str, Sequence[Located[Any]]], ...] = (
        (CONDITIONS_FILE, read.conditions),
        (PARTS_FILE, read.parts),
        (CAPS_FILE, read.caps),
    )
    for file, rows in reading:
        for found in rows:
            metric, scope = found.row.metric, found.row.scope
            if metric and scope and not is_scoped_metric(metric):
                message = f"'{metric}' has no value of one {scope.partition(':')[0]}"
                yield _problem(seeds / file, found.line, "metric", message, SCOPED_METRIC)
            elif metric and not scope and metric not in metrics:
                yield _unreadable(seeds / file, found.line, "metric", metric, metrics, kpis)


def _unknown_attributes(
    seeds: Path, read: _Seeds, metrics: set[str], kpis: Collection[str]
) -> Iterator[Problem]:
    known = {*WORDS, AGE, *metrics}
    for found in read.filters:
        name = found.row.attribute
        if name not in known and not is_custom_attribute(name):
            allowed = {*known, f"{CUSTOM}NAME"}
            yield _unreadable(seeds / FILTERS_FILE, found.line, "attribute", name, allowed, kpis)


def _wrong_profiles(seeds: Path, read: _Seeds) -> Iterator[Problem]:
    """Every account has exactly one profile: all but the last have filters, and each conditions."""
    file = seeds / PROFILES_FILE
    filtered = {found.row.profile for found in read.filters}
    judging = {found.row.profile for found in read.conditions}
    weighing = {found.row.profile for found in read.conditions if found.row.weight > 0}
    ordered = sorted(read.profiles, key=lambda found: found.row.position)
    for found in ordered:
        name, is_last = found.row.profile, found is ordered[-1]
        if is_last and name in filtered:
            message = f"the last profile, '{name}', has filters"
            yield _problem(file, found.line, "profile", message, "a default without filters")
        if not is_last and name not in filtered:
            message = f"'{name}' has no filters and takes every account from those after it"
            yield _problem(file, found.line, "profile", message, f"a row in {FILTERS_FILE}")
        if name not in judging:
            message = f"'{name}' has no conditions"
            yield _problem(file, found.line, "profile", message, f"a row in {CONDITIONS_FILE}")
        elif name not in weighing:
            message = f"no condition of '{name}' weighs anything"
            yield _problem(file, found.line, "profile", message, "a weight above 0 for one of them")


def _wrong_parts(seeds: Path, read: _Seeds) -> Iterator[Problem]:
    """Parts belong to conditions of kind any_of, each of which has some; ages stand once."""
    kinds = {found.row.condition: found.row.kind for found in read.conditions}
    with_parts = {found.row.condition for found in read.parts}
    for found in read.parts:
        if kinds.get(found.row.condition, "any_of") != "any_of":
            message = f"'{found.row.condition}' is no any_of condition"
            allowed = "a condition of kind any_of"
            yield _problem(seeds / PARTS_FILE, found.line, "condition", message, allowed)
    for condition in read.conditions:
        if condition.row.kind == "any_of" and condition.row.condition not in with_parts:
            message = f"'{condition.row.condition}' has no parts"
            allowed = f"a row in {PARTS_FILE}"
            yield _problem(seeds / CONDITIONS_FILE, condition.line, "kind", message, allowed)
    pairs = (
        (PARTS_FILE, "part", [(f.line, f.row.condition, f.row.part) for f in read.parts]),
        (
            THRESHOLDS_FILE,
            "min_age_days",
            [(f.line, f.row.condition, f.row.min_age_days) for f in read.thresholds],
        ),
    )
    for file, column, keys in pairs:
        yield from _repeated_pairs(seeds / file, column, keys)


def _wrong_edges(seeds: Path, read: _Seeds) -> Iterator[Problem]:
    """From an age on, too, a linear condition needs room between its edges."""
    linear = {found.row.condition for found in read.conditions if found.row.kind == "linear"}
    for found in read.thresholds:
        if found.row.condition in linear and found.row.lower_edge == found.row.upper_edge:
            message = f"'{found.row.condition}' is linear and has no room between equal edges"
            file = seeds / THRESHOLDS_FILE
            yield _problem(file, found.line, "upper_edge", message, "two numbers")


def _repeated_pairs(
    file: Path, column: str, keys: Sequence[tuple[int, str, int]]
) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for line, condition, number in keys:
        if (condition, number) in seen:
            message = f"{number} of '{condition}' stands here more than once"
            yield _problem(file, line, column, message, "each number of a condition on one line")
        seen.add((condition, number))


def _unreadable(
    file: Path, line: int, column: str, said: str, known: set[str], kpis: Collection[str]
) -> Problem:
    if said not in kpis:
        return _unknown(file, line, column, said, known)
    message = f"'{said}' is a key figure, made after health, which can't read it"
    return _problem(file, line, column, message, ", ".join(sorted(known)))


def _unknown(file: Path, line: int, column: str, said: str, known: set[str]) -> Problem:
    message = f"there is no {column} named '{said}'"
    return _problem(file, line, column, message, ", ".join(sorted(known)))


def _problem(file: Path, line: int, column: str, message: str, allowed: str) -> Problem:
    return Problem(file=label(file), line=line, column=column, message=message, allowed=allowed)
