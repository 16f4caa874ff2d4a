"""Health seeds: what is wrong, with file, line, column and what is allowed."""

import shutil
from pathlib import Path

import pytest

from assets.warehouse.health_files import find_health_problems
from assets.warehouse.health_settings import EXPANSION_FILE, FORMULAS
from checks.seeds import find_problems

ROOT = Path(__file__).parents[3]

HEADERS = {
    "health_profiles": "profile,position,judged_by,good_from,average_from,minimum_coverage,"
    "description",
    "health_profile_filters": "profile,attribute,operator,value",
    "health_conditions": "condition,profile,component,kind,metric,scope,direction,lower_edge,"
    "upper_edge,weight,fresh_days,stale_days,minimum_history_days,sentence",
    "health_condition_parts": "condition,part,metric,scope",
    "health_condition_thresholds": "condition,min_age_days,lower_edge,upper_edge",
    "health_caps": "cap,metric,scope,operator,value,score,sentence",
    "value_events": "value_event,kind,name",
    "renewal_risk_settings": "setting,value,description",
    "expansion_settings": "setting,value,description",
    "backtest_settings": "setting,value,description",
}
KPIS = ("engagement_score",)
USE = "use,all,usage,bands,mau,,higher,1,9,1,2,10,30,used"
SOUND = {
    "health_profiles": ["new,1,rule,80,50,0.5,Newcomers", "all,2,score,80,50,0.5,Everybody"],
    "health_profile_filters": ["new,age_days,at_most,90", "new,tier,in,Pro|Free"],
    "health_conditions": [
        USE,
        "either,all,usage,any_of,,,higher,5,5,1,2,10,30,used",
        "module,new,usage,linear,use_count_14d,module:Toolbar,higher,1,9,1,2,10,30,used",
    ],
    "health_condition_parts": ["either,1,mau,", "either,2,days_used_7d,event:share"],
    "health_condition_thresholds": ["use,30,2,4", "use,60,3,5"],
    "health_caps": ["owing,mrr,,above,5,40,owes"],
    "value_events": ["shared,event,share"],
    **{
        name.removesuffix(".csv"): (ROOT / "seeds" / name).read_text().splitlines()[1:]
        for name in FORMULAS
    },
}


def problems(folder: Path, **changed: list[str]) -> list[str]:
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    for name, rows in (SOUND | changed).items():
        (seeds / f"{name}.csv").write_text("\n".join([HEADERS[name], *rows]) + "\n")
    return [str(problem) for problem in find_health_problems(seeds, {"mau", "mrr"}, KPIS)]


def test_sound_files_have_no_problems(tmp_path: Path) -> None:
    """A rule of ours that our own examples break."""
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",mau,", ",mou,", "column metric: there is no metric named 'mou'; allowed: mau, mrr."),
        (
            ",mau,",
            ",engagement_score,",
            (
                "column metric: 'engagement_score' is a key figure, made after health, which "
                "can't read it; allowed: mau, mrr."
            ),
        ),
        (",all,", ",al,", "column profile: there is no profile named 'al'; allowed: all, new."),
        (
            "higher",
            "up",
            "column direction: 'up' is not right; allowed: 'higher' or 'lower'.",
        ),
        (
            "bands",
            "steps",
            "column kind: 'steps' is not right; allowed: 'bands', 'linear' or 'any_of'.",
        ),
        (",1,9,", ",9,1,", "lower_edge is above upper_edge; allowed: a lower number."),
        (
            ",2,10,",
            ",10,10,",
            "fresh_days is not below stale_days; allowed: a lower number.",
        ),
        (
            ",9,1,",
            ",9,-1,",
            (
                "column weight: '-1' is not right; allowed: Input should be greater than or equal "
                "to 0."
            ),
        ),
        (
            ",all,",
            ",all ,",
            "column profile: 'all ' begins or ends with a space; allowed: no space around a cell.",
        ),
        (
            ",9,1,",
            ",9,1_0,",
            (
                "column weight: '1_0' is no number; allowed: a number, with a point before the "
                "decimals."
            ),
        ),
        (
            ",30,used",
            ",30,used {times}",
            ("column sentence: {times} is not a placeholder; allowed: {value}, {lower}, {upper}."),
        ),
        (
            "mau,,",
            "use_count_7d,module:*,",
            (
                "column scope: 'module:*' names no single thing; allowed: one module, feature or "
                "event by its name, such as module:Toolbar."
            ),
        ),
        (
            ",9,1,",
            ",9,,",
            "column weight: it is empty; allowed: a value; the cell must not be empty.",
        ),
        (
            ",9,1,",
            ",9,heavy,",
            (
                "column weight: 'heavy' is no number; allowed: a number, with a point before the "
                "decimals."
            ),
        ),
        (
            "bands,mau,,higher,1,9",
            "linear,mau,,higher,9,9",
            "a linear condition has no room between equal edges; allowed: two numbers.",
        ),
        ("bands,mau", "bands,", "a bands condition has no metric; allowed: one."),
        (
            "bands,",
            "any_of,",
            "an any_of condition reads its parts; allowed: no metric and no scope.",
        ),
        (
            "mau,,",
            "mau,module:Toolbar,",
            (
                "column metric: 'mau' has no value of one module; allowed: use_count_<n>d or "
                "days_used_<n>d, such as use_count_14d."
            ),
        ),
        (
            "mau,,",
            "use_count_7d,Toolbar,",
            (
                "column scope: 'Toolbar' is not right; allowed: module:, feature: or event: and a "
                "name, such as module:Toolbar."
            ),
        ),
    ],
)
def test_a_wrong_condition_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A condition that is silently never met, or always."""
    rows = [*SOUND["health_conditions"], "x" + USE.replace(old, new)]
    found = problems(tmp_path, health_conditions=rows)
    assert len(found) == 1
    assert found[0].startswith("seeds/health_conditions.csv, line 5")
    assert found[0].endswith(said)


@pytest.mark.parametrize(
    ("file", "row", "said"),
    [
        (
            "health_profile_filters",
            "new,colour,is,red",
            "'is' does not compare colour, a number; allowed: at_least, at_most, above, below.",
        ),
        (
            "health_profile_filters",
            "new,tier,above,3",
            "'above' does not compare tier, a word; allowed: is, is_not, in, not_in.",
        ),
        (
            "health_profile_filters",
            "new,mrr,above,much",
            "'much' is no number; allowed: a number, with a point before the decimals.",
        ),
        (
            "health_profile_filters",
            "old,mrr,above,3",
            "column profile: there is no profile named 'old'; allowed: all, new.",
        ),
        (
            "health_profile_filters",
            "new,seats,above,3",
            (
                "column attribute: there is no attribute named 'seats'; allowed: account_status, "
                "age_days, country, crm_status, custom.NAME, industry, lifecycle_stage, mau, mrr, "
                "product_line, region, size_band, tier."
            ),
        ),
        (
            "health_profile_filters",
            "new,engagement_score,above,3",
            (
                "column attribute: 'engagement_score' is a key figure, made after health, which "
                "can't read it; allowed: account_status, age_days, country, crm_status, "
                "custom.NAME, industry, "
                "lifecycle_stage, mau, mrr, product_line, region, size_band, tier."
            ),
        ),
        (
            "health_condition_parts",
            "use,1,mau,",
            "column condition: 'use' is no any_of condition; allowed: a condition of kind any_of.",
        ),
        (
            "health_condition_parts",
            "either,2,mrr,",
            (
                "column part: 2 of 'either' stands here more than once; allowed: each number of a "
                "condition on one line."
            ),
        ),
        (
            "health_condition_thresholds",
            "use,30,3,5",
            (
                "column min_age_days: 30 of 'use' stands here more than once; allowed: each "
                "number of "
                "a condition on one line."
            ),
        ),
        (
            "health_condition_thresholds",
            "module,90,5,5",
            (
                "column upper_edge: 'module' is linear and has no room between equal edges; "
                "allowed: two numbers."
            ),
        ),
        (
            "health_profile_filters",
            "new,account_status,in,customer|paying",
            (
                "no account has the status 'paying'; allowed: lead, trial, customer, past_due, "
                "churned."
            ),
        ),
        (
            "health_condition_thresholds",
            "use,90,5,3",
            "lower_edge is above upper_edge; allowed: a lower number.",
        ),
        (
            "health_caps",
            "owing,mrr,,above,5,40,owes",
            "column cap: 'owing' stands here more than once; allowed: each name on one line.",
        ),
        (
            "health_caps",
            "x,debt,,above,5,40,owes",
            "column metric: there is no metric named 'debt'; allowed: mau, mrr.",
        ),
        (
            "value_events",
            "x,page,y",
            "column kind: 'page' is not right; allowed: 'module', 'feature' or 'event'.",
        ),
        (
            "expansion_settings",
            "luck,1,says",
            "column setting: there is no setting named 'luck'; allowed: "
            + ", ".join(sorted(FORMULAS[EXPANSION_FILE].limits))
            + ".",
        ),
    ],
)
def test_a_wrong_row_of_each_other_file_is_named(
    tmp_path: Path, file: str, row: str, said: str
) -> None:
    """A filter, part, age, cap or number that does nothing, or something else than was meant."""
    found = problems(tmp_path, **{file: [*SOUND[file], row]})
    assert len(found) == 1
    assert found[0].startswith(f"seeds/{file}.csv, line {len(SOUND[file]) + 2}")
    assert found[0].endswith(said)


def test_a_name_that_stands_twice_is_named_where_it_comes_again(tmp_path: Path) -> None:
    """Which of the two is in force is left to the order of rows."""
    (said,) = problems(tmp_path, health_conditions=[*SOUND["health_conditions"], USE])
    assert said == (
        "seeds/health_conditions.csv, line 5, column condition: 'use' stands here more than once; "
        "allowed: each name on one line."
    )


def test_bands_of_a_profile_are_in_order(tmp_path: Path) -> None:
    """A score that is good and poor at once."""
    rows = [SOUND["health_profiles"][0].replace("80,50", "50,80"), SOUND["health_profiles"][1]]
    said = " ".join(problems(tmp_path, health_profiles=rows))
    assert said.startswith(
        "seeds/health_profiles.csv, line 2: average_from is not below good_from; allowed: a lower "
        "number."
    )


@pytest.mark.parametrize(
    ("profiles", "said"),
    [
        (
            ["new,2,score,80,50,0.5,x", "all,1,score,80,50,0.5,x"],
            [
                (
                    "line 3, column profile: 'all' has no filters and takes every account from "
                    "those "
                    "after it; allowed: a row in health_profile_filters.csv."
                ),
                (
                    "line 2, column profile: the last profile, 'new', has filters; allowed: a "
                    "default "
                    "without filters."
                ),
            ],
        ),
        (
            [*SOUND["health_profiles"], "more,3,score,80,50,0.5,x"],
            [
                (
                    "line 3, column profile: 'all' has no filters and takes every account from "
                    "those "
                    "after it; allowed: a row in health_profile_filters.csv."
                ),
                (
                    "line 4, column profile: 'more' has no conditions; allowed: a row in "
                    "health_conditions.csv."
                ),
            ],
        ),
    ],
)
def test_every_account_has_a_profile_that_judges(
    tmp_path: Path, profiles: list[str], said: list[str]
) -> None:
    """An account without a profile, a profile that nobody reaches, or one that says nothing."""
    found = problems(tmp_path, health_profiles=profiles)
    assert found == [f"seeds/health_profiles.csv, {line}" for line in said]


def test_one_mistake_is_one_sentence(tmp_path: Path) -> None:
    """A profile with a typo whose conditions are said to belong to none."""
    rows = [SOUND["health_profiles"][0].replace(",80,", ",800,"), SOUND["health_profiles"][1]]
    assert problems(tmp_path, health_profiles=rows) == [
        (
            "seeds/health_profiles.csv, line 2, column good_from: '800' is not right; allowed: "
            "Input should be less than or equal to 100."
        )
    ]


def test_a_file_without_rows_is_one_sentence(tmp_path: Path) -> None:
    """Everything that names a profile is said to be wrong where there is none."""
    assert problems(tmp_path, health_profiles=[]) == [
        (
            "seeds/health_profiles.csv, line 1, column profile: there is no profile; "
            "allowed: one at least."
        )
    ]


def test_a_profile_weighs_something(tmp_path: Path) -> None:
    """A condition may weigh nothing; where none does, nobody is ever judged."""
    rows = [row.replace(",9,1,", ",9,0,").replace("5,5,1,", "5,5,0,")
            for row in SOUND["health_conditions"]]  # fmt: skip
    assert problems(tmp_path, health_conditions=[*rows[:1], *SOUND["health_conditions"][1:]]) == []
    found = problems(tmp_path, health_conditions=rows)
    assert found == [
        f"seeds/health_profiles.csv, line {line}, column profile: no condition of '{name}' weighs "
        "anything; allowed: a weight above 0 for one of them."
        for line, name in ((2, "new"), (3, "all"))
    ]


def test_the_shipped_sets_are_sound(tmp_path: Path) -> None:
    """A set of seeds that we ship and that the first run refuses."""
    seeds = tmp_path / "seeds"
    shutil.copytree(ROOT / "seeds", seeds)
    assert find_problems(seeds, ROOT / "models") == []
    for one in sorted((ROOT / "assets" / "health" / "seed_sets").iterdir()):
        shutil.copytree(one, seeds, dirs_exist_ok=True)
        assert find_problems(seeds, ROOT / "models") == []
