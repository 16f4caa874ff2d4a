"""How far a share may move by chance, given how few rows it was taken from."""

from math import exp, lgamma, log, sqrt
from statistics import NormalDist

CHANCE = 1e-4
"""A day compares some 200 columns: by chance one of them is told of every other month."""

_COUNTED = 500  # rows up to which every outcome is counted


def most_by_chance(rows: int, *, before: int, rows_before: int) -> int:
    """How many of some rows may be so by chance, where so many of the rows before were.

    One more would come about with a probability under `CHANCE`: the predictive distribution of the
    count (beta-binomial, with Jeffreys' prior of half a row for either), of many rows the normal
    one that it tends to.
    """
    yes, no = before + 0.5, rows_before - before + 0.5
    if rows > _COUNTED:
        share = yes / (yes + no)
        spread = sqrt(share * (1 - share) * rows * (1 + rows / (yes + no)))
        return min(rows, int(rows * share + NormalDist().inv_cdf(1 - CHANCE) * spread))
    return _counted(rows, yes, no)


def _counted(rows: int, yes: float, no: float) -> int:
    """Goes down from all rows until the outcomes from there on are no longer too improbable."""
    chance = (
        lgamma(rows + yes) + lgamma(yes + no) - lgamma(rows + yes + no) - lgamma(yes)
    )  # log of the probability that all are
    tail = 0.0
    for count in range(rows, 0, -1):
        tail += exp(chance)
        if tail >= CHANCE:
            return count
        chance += log(count * (rows - count + no)) - log((rows - count + 1) * (count - 1 + yes))
    return 0
