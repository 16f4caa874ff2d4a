"""The log of edits of the seeds: what is wrong, with file, line, column and what is allowed."""

from pathlib import Path

import pytest

from assets.warehouse.configuration_changes import find_change_problems

SOUND = ("2026-03-01,Ann,poor below 45", "2026-03-01,the ops lead,a rule for renewals")


def problems(folder: Path, *rows: str) -> list[str]:
    text = "\n".join(["changed_on,changed_by,what", *SOUND, *rows]) + "\n"
    (folder / "configuration_changes.csv").write_text(text)
    return [str(problem) for problem in find_change_problems(folder)]


def test_a_sound_log_has_no_problems_and_none_may_be_missing(tmp_path: Path) -> None:
    """A rule of ours that refuses two edits of one day, or a folder without a log."""
    assert find_change_problems(tmp_path) == []
    assert problems(tmp_path) == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("3 March,Ann,more", "column changed_on: '3 March' is not right"),
        ("2026-03-03,,more", "column changed_by: it is empty; allowed: a value"),
        ("2026-03-03,Ann,", "column what: it is empty; allowed: a value"),
        ("2026-03-03,Ann", ": 2 cells under 3 columns; allowed: one cell per column"),
        (
            "2026-02-28,Ann,earlier",
            "column changed_on: 2026-02-28 stands below 2026-03-01; allowed: 2026-03-01 or later",
        ),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: str, said: str) -> None:
    """An edit that `meta.configuration` tells of nobody, or of nobody's reason."""
    found = problems(tmp_path, row)
    assert len(found) == 1
    assert "/configuration_changes.csv, line 4" in found[0]
    assert said in found[0]
