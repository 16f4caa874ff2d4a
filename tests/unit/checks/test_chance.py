"""What few rows may look like by chance, and what a real jump looks like."""

from math import comb

import pytest

from checks.chance import CHANCE, most_by_chance


@pytest.mark.parametrize(
    ("rows", "before", "rows_before"),
    [(2, 9, 100), (3, 39, 100), (3, 46, 500), (2, 0, 100)],
)
def test_a_batch_of_a_few_rows_says_nothing(rows: int, before: int, rows_before: int) -> None:
    """A warning each morning about two rows of which one lacks its contact."""
    assert most_by_chance(rows, before=before, rows_before=rows_before) >= rows - 1


@pytest.mark.parametrize("rows", [20, 500, 501, 10_000])
def test_a_jump_of_a_real_batch_is_none_of_chance(rows: int) -> None:
    """A column that is empty from one day to the next, explained away."""
    assert most_by_chance(rows, before=50, rows_before=500) < 0.5 * rows
    assert most_by_chance(rows, before=0, rows_before=500) < 0.2 * rows


def test_nothing_before_is_no_reason_for_a_zero_bound() -> None:
    """0 of 500 taken for a law of nature: one empty cell of a hundred would be told."""
    assert 1 <= most_by_chance(100, before=0, rows_before=500) <= 5


def test_one_more_would_be_rarer_than_the_chance() -> None:
    """A tail that is added up from the wrong end; beside the binomial of a share that is known."""
    many, share, rows = 10**9, 0.1, 60
    most = most_by_chance(rows, before=int(many * share), rows_before=many)

    def tail(least: int) -> float:
        return sum(
            comb(rows, k) * share**k * (1 - share) ** (rows - k) for k in range(least, rows + 1)
        )

    assert tail(most + 1) < CHANCE <= tail(most)


def test_counting_and_the_normal_bound_meet() -> None:
    """A batch of 501 rows judged by another measure than one of 500."""
    counted = most_by_chance(500, before=200, rows_before=1_000)
    assert abs(most_by_chance(501, before=200, rows_before=1_000) - counted) <= 4
