"""The numbers of health's formulas: which there are, and between which limits each makes sense."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from assets.seed_files import Located, Problem, SeedRow, label, read_rows, repeated
from assets.warehouse.health_rows import Plain

RENEWAL_RISK_FILE = "renewal_risk_settings.csv"
EXPANSION_FILE = "expansion_settings.csv"
BACKTEST_FILE = "backtest_settings.csv"


class Setting(SeedRow):
    """One number of a formula."""

    setting: str
    value: Annotated[float, Plain] = Field(allow_inf_nan=False)
    description: str = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Between which numbers a setting lies, both included, and whether it is a whole one."""

    least: float
    most: float
    is_whole: bool = False


@dataclass(frozen=True, kw_only=True)
class Formula:
    """A formula's settings.

    Attributes:
        limits: by setting.
        rising: pairs of settings of which the first is below the second.
    """

    limits: Mapping[str, Limits]
    rising: Sequence[tuple[str, str]] = ()


_POINTS = Limits(least=0, most=100)
_DAYS = Limits(least=0, most=3650)
_CHANGE = Limits(least=-100, most=100)
_COUNT = Limits(least=1, most=100_000, is_whole=True)
FORMULAS = {
    RENEWAL_RISK_FILE: Formula(
        limits={
            "health_points": _POINTS,
            "slope_points": _POINTS,
            "slope_from": _CHANGE,
            "slope_to": _CHANGE,
            "overdue_points": _POINTS,
            "overdue_days": _DAYS,
            "touch_points": _POINTS,
            "touch_days": _DAYS,
            "near_days": _DAYS,
            "far_days": _DAYS,
            "far_share": Limits(least=0, most=1),
            "medium_from": Limits(least=0, most=400),
            "high_from": Limits(least=0, most=400),
        },
        rising=(
            ("slope_to", "slope_from"),
            ("near_days", "far_days"),
            ("medium_from", "high_from"),
        ),
    ),
    EXPANSION_FILE: Formula(
        limits={
            "health_points": _POINTS,
            "score_from": _POINTS,
            "limit_points": _POINTS,
            "limit_ratio": Limits(least=0.01, most=100),
            "people_points": _POINTS,
            "contacts_from": _COUNT,
            "departments_from": _COUNT,
            "flagged_from": Limits(least=0, most=300),
        }
    ),
    BACKTEST_FILE: Formula(
        limits={
            "gap_days": Limits(least=0, most=365, is_whole=True),
            "fit_churned": _COUNT,
            "fit_months": Limits(least=1, most=120, is_whole=True),
            "fit_tolerance": Limits(least=0, most=1),
        }
    ),
}


def find_setting_problems(seeds: Path) -> list[Problem]:
    """Everything that is wrong in the numbers of the formulas."""
    return [
        problem
        for name, formula in FORMULAS.items()
        for problem in _wrong_settings(seeds / name, formula)
    ]


def _wrong_settings(file: Path, formula: Formula) -> list[Problem]:
    """A formula's numbers: each of them once, no other, and between its limits."""
    problems: list[Problem] = []
    rows = list(read_rows(file, Setting, problems))
    problems += repeated(file, "setting", rows)
    told = {found.row.setting: found for found in rows}
    problems += _beyond(file, formula, rows)
    if not problems:
        problems += _missing(file, formula, set(told))
    if not problems:
        problems += _not_rising(file, formula, told)
    return problems


def _beyond(file: Path, formula: Formula, rows: Sequence[Located[Setting]]) -> Iterator[Problem]:
    for found in rows:
        limits = formula.limits.get(found.row.setting)
        if limits is None:
            message = f"there is no setting named '{found.row.setting}'"
            allowed = ", ".join(sorted(formula.limits))
            yield _problem(file, found.line, "setting", message, allowed)
        elif not limits.least <= found.row.value <= limits.most or (
            limits.is_whole and not found.row.value.is_integer()
        ):
            kind = "a whole number" if limits.is_whole else "a number"
            message = f"'{found.row.value:g}' is not right for {found.row.setting}"
            allowed = f"{kind} from {limits.least:g} to {limits.most:g}"
            yield _problem(file, found.line, "value", message, allowed)


def _missing(file: Path, formula: Formula, told: set[str]) -> Iterator[Problem]:
    for name in formula.limits:
        if name not in told:
            yield _problem(file, 1, "setting", f"'{name}' is missing", "a row for each setting")


def _not_rising(
    file: Path, formula: Formula, told: Mapping[str, Located[Setting]]
) -> Iterator[Problem]:
    for low, high in formula.rising:
        if told[low].row.value >= told[high].row.value:
            message = f"{low} is not below {high}"
            yield _problem(file, told[low].line, "value", message, "a lower number")


def _problem(file: Path, line: int, column: str, message: str, allowed: str) -> Problem:
    return Problem(file=label(file), line=line, column=column, message=message, allowed=allowed)
