"""Usage seeds: what is wrong, with file, line, column and what is allowed."""

from pathlib import Path

import pytest

from assets.warehouse.usage_files import find_usage_problems

CATALOGUE = "package,module,feature,is_core\ncore,Planning,boards,true\n"
ADOPTION = "module,adopted_from_days\n*,3\n"
COUNTERS = "counter,event_type,event_name\nevents,*,*\n"


def problems(
    folder: Path, catalogue: str = CATALOGUE, adoption: str = ADOPTION, counters: str = COUNTERS
) -> list[str]:
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "module_catalogue.csv").write_text(catalogue)
    (seeds / "module_adoption.csv").write_text(adoption)
    (seeds / "lifetime_counters.csv").write_text(counters)
    return [str(problem) for problem in find_usage_problems(seeds)]


def test_sound_files_have_no_problems(tmp_path: Path) -> None:
    """A rule of ours that a product of somebody's own breaks; an empty catalogue is one."""
    assert problems(tmp_path, catalogue="package,module,feature,is_core\n") == []


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"catalogue": CATALOGUE + "extra,Planning,boards,false\n"},
            (
                "line 3, column feature: 'boards' of 'Planning' stands on line 2 already; "
                "allowed: each feature of a module once."
            ),
        ),
        (
            {"catalogue": CATALOGUE.replace("true", "perhaps")},
            "line 2, column is_core: 'perhaps' is not right; allowed: true or false.",
        ),
        (
            {"adoption": ADOPTION.replace("*", "Planning")},
            (
                "line 1, column module: no row is for '*', every module without a row of its own; "
                "allowed: any modules, and one row for '*'."
            ),
        ),
        (
            {"adoption": ADOPTION + "*,4\n"},
            "column module: '*' stands here more than once; allowed: each name on one line.",
        ),
        (
            {"counters": COUNTERS.replace("events", "visits")},
            "line 2, column counter: 'visits' is not right; allowed: 'events', 'errors'",
        ),
    ],
)
def test_a_mistake_is_said_with_its_place(tmp_path: Path, files: dict[str, str], said: str) -> None:
    """A mistake that stops a run without saying where it is."""
    found = problems(tmp_path, **files)
    assert any(said in problem for problem in found), found
