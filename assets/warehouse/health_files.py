"""What is wrong in the health seeds: each row by itself, and what rows say of one another."""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
    BACKTEST_SETTINGS,
    EXPANSION_SETTINGS,
    RENEWAL_RISK_SETTINGS,
    SCOPED_METRIC,
    WORDS,
    ConditionPart,
    ConditionThreshold,
    HealthCap,
    HealthCondition,
    HealthProfile,
    ProfileFilter,
    Setting,
    ValueEvent,
    is_scoped_metric,
)

PROFILES_FILE = "health_profiles.csv"
FILTERS_FILE = "health_profile_filters.csv"
CONDITIONS_FILE = "health_conditions.csv"
PARTS_FILE = "health_condition_parts.csv"
THRESHOLDS_FILE = "health_condition_thresholds.csv"
CAPS_FILE = "health_caps.csv"
VALUE_EVENTS_FILE = "value_events.csv"
RENEWAL_RISK_FILE = "renewal_risk_settings.csv"
EXPANSION_FILE = "expansion_settings.csv"
BACKTEST_FILE = "backtest_settings.csv"


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
    problems += _unknown_names(seeds, read)
    problems += _unknown_metrics(seeds, read, metrics, kpis)
    problems += _unknown_attributes(seeds, read, metrics, kpis)
    problems += _wrong_profiles(seeds, read)
    problems += _wrong_parts(seeds, read)
    problems += _wrong_settings(seeds / RENEWAL_RISK_FILE, RENEWAL_RISK_SETTINGS)
    problems += _wrong_settings(seeds / EXPANSION_FILE, EXPANSION_SETTINGS)
    problems += _wrong_settings(seeds / BACKTEST_FILE, BACKTEST_SETTINGS)
    return problems


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


def _repeated_pairs(
    file: Path, column: str, keys: Sequence[tuple[int, str, int]]
) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for line, condition, number in keys:
        if (condition, number) in seen:
            message = f"{number} of '{condition}' stands here more than once"
            yield _problem(file, line, column, message, "each number of a condition on one line")
        seen.add((condition, number))


def _wrong_settings(file: Path, names: Sequence[str]) -> list[Problem]:
    """A formula's numbers: each of them once, and no other."""
    problems: list[Problem] = []
    rows = list(read_rows(file, Setting, problems))
    problems += repeated(file, "setting", rows)
    told: Mapping[str, int] = {found.row.setting: found.line for found in rows}
    for name, line in told.items():
        if name not in names:
            problems.append(_unknown(file, line, "setting", name, set(names)))
    if not problems:
        for name in names:
            if name not in told:
                problems.append(
                    _problem(file, 1, "setting", f"'{name}' is missing", "a row for each setting")
                )
    return problems


def _unreadable(
    file: Path, line: int, column: str, said: str, known: set[str], kpis: Collection[str]
) -> Problem:
    if said not in kpis:
        return _unknown(file, line, column, said, known)
    message = f"'{said}' is made of health, which would read itself"
    return _problem(file, line, column, message, ", ".join(sorted(known)))


def _unknown(file: Path, line: int, column: str, said: str, known: set[str]) -> Problem:
    message = f"there is no {column} named '{said}'"
    return _problem(file, line, column, message, ", ".join(sorted(known)))


def _problem(file: Path, line: int, column: str, message: str, allowed: str) -> Problem:
    return Problem(file=label(file), line=line, column=column, message=message, allowed=allowed)
