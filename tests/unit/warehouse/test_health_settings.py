"""The numbers of health's formulas: what is wrong, with file, line, column and what is allowed."""

import shutil
from pathlib import Path

import pytest

from assets.warehouse.health_settings import FORMULAS, find_setting_problems

SEEDS = Path(__file__).parents[3] / "seeds"


def problems(folder: Path, name: str, old: str, new: str) -> list[str]:
    """What is said of the shipped files after an edit of one."""
    seeds = folder / "seeds"
    seeds.mkdir()
    for file in FORMULAS:
        shutil.copy(SEEDS / file, seeds / file)
    text = (seeds / f"{name}.csv").read_text()
    assert old in text
    (seeds / f"{name}.csv").write_text(text.replace(old, new))
    return [str(problem) for problem in find_setting_problems(seeds)]


def test_a_formula_has_all_of_its_numbers(tmp_path: Path) -> None:
    """A risk that is NULL everywhere because a row was deleted."""
    row = "near_days,90,Up to this many days before the renewal the points count whole.\n"
    assert problems(tmp_path, "renewal_risk_settings", row, "") == [
        (
            "seeds/renewal_risk_settings.csv, line 1, column setting: 'near_days' is missing; "
            "allowed: a row for each setting."
        )
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "renewal_risk_settings",
            "slope_to,-15",
            "slope_to,15",
            "line 5, column value: slope_to is not below slope_from; allowed: a lower number.",
        ),
        (
            "renewal_risk_settings",
            "health_points,50",
            "health_points,5000",
            (
                "line 2, column value: '5000' is not right for health_points; allowed: a number "
                "from 0 to 100."
            ),
        ),
        (
            "backtest_settings",
            "gap_days,7",
            "gap_days,-30",
            (
                "line 2, column value: '-30' is not right for gap_days; allowed: a whole number "
                "from 0 to 365."
            ),
        ),
        (
            "backtest_settings",
            "fit_months,6",
            "fit_months,6.5",
            (
                "line 4, column value: '6.5' is not right for fit_months; allowed: a whole number "
                "from 1 to 120."
            ),
        ),
    ],
)
def test_a_formulas_numbers_lie_between_their_limits(
    tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    """Points by a rise instead of a fall, a sum that no column holds, a look into the future."""
    assert problems(tmp_path, name, old, new) == [f"seeds/{name}.csv, {said}"]
