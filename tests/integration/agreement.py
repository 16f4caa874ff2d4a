"""Whether a mart holds exactly the rows that a re-computation says, and if not, where not."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

Row = Mapping[str, Any]

# A DOUBLE is divided once from exact sums: it is off by a few units in the last place at most.
TOLERANCE = Fraction(1, 10**9)


def assert_agree(mart: Sequence[Row], plain: Sequence[Row], key: Sequence[str]) -> None:
    """Fails with the first differences between the mart and the plain rows.

    Every row of either stands in the other, once; every column of the plain rows is equal in the
    mart: decimals, counts, days and instants exactly, ratios within a billionth.
    """
    ours, theirs = _by_key(mart, key), _by_key(plain, key)
    missing = sorted(theirs.keys() - ours.keys(), key=str)
    extra = sorted(ours.keys() - theirs.keys(), key=str)
    assert not missing, f"not in the mart: {missing[:5]}"
    assert not extra, f"only in the mart: {extra[:5]}"
    differences = [
        f"{dict(zip(key, where, strict=True))} {column}: mart {ours[where][column]!r}, "
        f"plain {value!r}"
        for where, row in theirs.items()
        for column, value in row.items()
        if not is_equal(ours[where][column], value)
    ]
    assert not differences, f"{len(differences)} differences: " + "; ".join(differences[:5])


def is_equal(mart: object, plain: object) -> bool:
    """Exactly, or within a billionth where the mart has a DOUBLE."""
    if isinstance(mart, float) and isinstance(plain, Fraction | Decimal | int):
        exact = Fraction(plain)
        distance: Fraction = abs(Fraction(mart) - exact)
        return distance <= TOLERANCE * max(abs(exact), Fraction(1))
    if isinstance(mart, datetime) and isinstance(plain, datetime):
        return mart.astimezone(UTC) == plain.astimezone(UTC)
    return type(mart) is type(plain) and bool(mart == plain)


def _by_key(rows: Sequence[Row], key: Sequence[str]) -> dict[tuple[Any, ...], Row]:
    found = {tuple(_comparable(row[name]) for name in key): row for row in rows}
    assert len(found) == len(rows), f"{list(key)} is not unique"
    return found


def _comparable(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
