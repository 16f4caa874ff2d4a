"""Seeds as a person edits them: every mistake has a line, a column and what is allowed."""

from pathlib import Path

import pytest

from assets.seed_files import Problem, SeedRow, read_rows


class Weight(SeedRow):
    name: str
    weight: float
    days: int
    note: str = ""


def read(folder: Path, content: str | bytes) -> tuple[list[tuple[int, str]], list[str]]:
    """The lines and names of the good rows, and what is said of the others."""
    file = folder / "weights.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    problems: list[Problem] = []
    rows = [(found.line, found.row.name) for found in read_rows(file, Weight, problems)]
    return rows, [str(problem).partition("/")[2] for problem in problems]


A_NUMBER = "a number, with a point before the decimals"
HEADER = "name,weight,days,note\n"


def test_a_bad_row_stops_no_other_and_names_its_line(tmp_path: Path) -> None:
    """One typo that hides the next: a person mends them one run at a time."""
    rows, said = read(tmp_path, HEADER + 'a,1,2,"two\nlines"\n\nb,x,2,\nc,1,2.5,\nd,1,2,\n')
    assert rows == [(2, "a"), (7, "d")]
    assert said == [
        f"weights.csv, line 5, column weight: 'x' is not right; allowed: {A_NUMBER}.",
        "weights.csv, line 6, column days: '2.5' is not right; allowed: a whole number.",
    ]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    """A spreadsheet that moved a column, read by position."""
    assert read(tmp_path, "weight,note,days,name\n1,,2,a\n") == ([(2, "a")], [])


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    """A file that Excel saved."""
    assert read(tmp_path, b"\xef\xbb\xbf" + (HEADER + "a,1,2,\n").encode())[0] == [(2, "a")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("name,weight,dayz,note\na,1,2,\n", "the header is not right (days, dayz)"),
        (HEADER + "a,1,2\n", "3 cells under 4 columns"),
        (HEADER + 'a,1,2,"open\n', "unexpected end of data"),
        (HEADER.encode() + b"\xff\xfe,1,2,\n", "the text is not UTF-8"),
        ("", "the file is empty"),
        (HEADER + "a ,1,2,\n", "column name: 'a ' begins or ends with a space"),
        (HEADER + "a,1,2, \n", "column note: ' ' begins or ends with a space"),
    ],
)
def test_a_file_that_is_not_sound_is_refused(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    """A rule file that is half read, and its other half silently not in force."""
    rows, said = read(tmp_path, content)
    assert rows == []
    assert len(said) == 1
    assert sentence in said[0]


def test_a_file_that_is_missing_says_what_it_should_hold(tmp_path: Path) -> None:
    """No file taken for no rules."""
    problems: list[Problem] = []
    assert list(read_rows(tmp_path / "weights.csv", Weight, problems)) == []
    assert problems[0].message == "the file is missing"
    assert problems[0].allowed == "name,weight,days,note"
