"""Chart seeds: what is wrong, with file, line, column and what is allowed."""

from pathlib import Path

import pytest

from assets.warehouse.chart_files import find_chart_problems

SCOPED = "allowed: use_count_<n>d or days_used_<n>d, such as use_count_14d."


def problems(folder: Path, *rows: str) -> list[str]:
    seeds = folder / "seeds"
    seeds.mkdir()
    text = "\n".join(["chart,metric,scope,enabled", *rows]) + "\n"
    (seeds / "chart_metrics.csv").write_text(text)
    return [str(problem) for problem in find_chart_problems(seeds)]


def test_pairs_that_may_be_shown(tmp_path: Path) -> None:
    """A row that a person would write and that is refused."""
    rows = (
        "a,use_count_30d,module:*,false",
        "b,days_used_7d,event:shared,",
        "c,use_count_9d,feature:x y,true",
    )
    assert problems(tmp_path, *rows) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("b,mrr,module:Map,", f"column metric: 'mrr' has no value of one module; {SCOPED}"),
        (
            "b,use_count_9d,feature:*,",
            ("column scope: 'feature:*' names none; allowed: the name of one, or module:*."),
        ),
        (
            "b,use_count_9d,,",
            "column scope: it is empty; allowed: a value; the cell must not be empty.",
        ),
        (
            "a,use_count_9d,event:x,",
            "column chart: 'a' stands here more than once; allowed: each name on one line.",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, row: str, said: str) -> None:
    """A chart that stays empty because of a word that nothing understands."""
    assert problems(tmp_path, "a,use_count_30d,module:Map,", row) == [
        f"seeds/chart_metrics.csv, line 3, {said}"
    ]
