"""Health seeds: what is wrong, with file, line, column and what is allowed."""

from pathlib import Path

import pytest

from assets.warehouse.health_files import find_health_problems

CONDITIONS = (
    "condition,profile,component,metric,direction,lower_edge,upper_edge,weight,fresh_days,"
    "stale_days,minimum_history_days,sentence\n"
)
PROFILES = "profile,position,description,good_from,average_from,minimum_coverage\n"
GOOD_PROFILE = "all,1,Everybody,80,50,0.5\n"
GOOD = "use,all,usage,mau,higher,1,9,1,2,10,30,used\n"


def problems(folder: Path, conditions: str, profiles: str = GOOD_PROFILE) -> list[str]:
    seeds = folder / "seeds"
    seeds.mkdir()
    (seeds / "health_conditions.csv").write_text(CONDITIONS + conditions)
    (seeds / "health_profiles.csv").write_text(PROFILES + profiles)
    return [str(problem) for problem in find_health_problems(seeds, {"mau", "mrr"})]


def test_sound_files_have_no_problems(tmp_path: Path) -> None:
    """A rule of ours that our own examples break."""
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            GOOD.replace(",mau,", ",mou,"),
            "column metric: there is no metric named 'mou'; allowed: mau, mrr.",
        ),
        (
            GOOD.replace(",all,", ",al,"),
            "column profile: there is no profile named 'al'; allowed: all.",
        ),
        (
            GOOD.replace("higher", "up"),
            "column direction: 'up' is not right; allowed: 'higher' or 'lower'.",
        ),
        (
            GOOD.replace(",1,9,", ",9,1,"),
            "lower_edge is above upper_edge; allowed: a lower number.",
        ),
        (
            GOOD.replace(",2,10,", ",10,10,"),
            "fresh_days is not below stale_days; allowed: a lower number.",
        ),
        (
            GOOD.replace(",9,1,", ",9,0,"),
            "column weight: '0' is not right; allowed: Input should be greater than 0.",
        ),
        (
            GOOD.replace(",9,1,", ",9,,"),
            "column weight: it is empty; allowed: a value; the cell must not be empty.",
        ),
        (
            GOOD.replace(",9,1,", ",9,heavy,"),
            "column weight: 'heavy' is not right; allowed: Input should be a valid decimal.",
        ),
    ],
)
def test_a_wrong_condition_is_named(tmp_path: Path, row: str, said: str) -> None:
    """A condition that is silently never met, or always."""
    found = problems(tmp_path, "x" + GOOD + row)
    assert len(found) == 1
    assert found[0].startswith("seeds/health_conditions.csv, line 3")
    assert found[0].endswith(said)


def test_a_name_that_stands_twice_is_named_where_it_comes_again(tmp_path: Path) -> None:
    """Which of the two is in force is left to the order of rows."""
    (said,) = problems(tmp_path, GOOD + GOOD)
    assert said == (
        "seeds/health_conditions.csv, line 3, column condition: 'use' stands here more than once; "
        "allowed: each name on one line."
    )


def test_bands_of_a_profile_are_in_order(tmp_path: Path) -> None:
    """A score that is good and poor at once."""
    said = problems(tmp_path, "", GOOD_PROFILE.replace("80,50", "50,80"))
    assert " ".join(said) == (
        "seeds/health_profiles.csv, line 2: average_from is not below good_from; allowed: a lower "
        "number."
    )
