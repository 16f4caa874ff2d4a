"""All seeds together, against the metrics and attributes that the models have."""

import shutil
from pathlib import Path

from checks.seeds import find_problems

ROOT = Path(__file__).parents[3]


def test_our_own_seeds_are_sound() -> None:
    """A repository whose first run is red."""
    assert find_problems(ROOT / "seeds", ROOT / "models") == []


def test_problems_of_every_file_are_told_at_once(tmp_path: Path) -> None:
    """A typo in an alert rule that hides behind one in a health condition."""
    seeds = tmp_path / "seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    for name in ("alert_rules.csv", "health_conditions.csv"):
        text = (seeds / name).read_text("utf-8")
        (seeds / name).write_text(text.replace(",use_count_change_ratio,", ",nothing,"))
    told = {problem.file for problem in find_problems(seeds, ROOT / "models")}
    assert told == {"seeds/alert_rules.csv", "seeds/health_conditions.csv"}
