"""What the sample's subscriptions are charged: periods, changes inside one, use, setting up.

Money is in whole cents. A period costs price x quantity at its start; a change inside it settles
the rest of the period by seconds: with the next invoice, or at once where a year grows. Use is
charged after its period, and nothing is charged for a period that begins in a pause.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from assets.extracts.sampling.moments import add_months

MONTHS = {"month": 1, "year": 12}
SETUP_CENTS = {"Growth": 50_000, "Enterprise": 200_000}
Segment = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One line to be invoiced at `at`; `cents` before discounts and tax."""

    at: datetime
    kind: str
    description: str
    quantity: int
    cents: int
    item_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    is_proration: bool = False

    @property
    def is_base(self) -> bool:
        """True for a whole period in advance."""
        return self.kind == "recurring" and not self.is_proration


@dataclass(frozen=True, kw_only=True)
class Course:
    """From when to when a subscription is charged, and its pauses between."""

    paid: datetime
    until: datetime
    pauses: Sequence[tuple[datetime, datetime]] = ()

    def pauses_at(self, at: datetime) -> bool:
        """Whether nothing is charged for a period that begins then."""
        return any(start <= at < end for start, end in self.pauses)


def charges_of(segments: Sequence[Segment], course: Course, use: np.ndarray) -> Iterator[Charge]:
    """Everything that a subscription is charged before the course's end.

    Args:
        segments: its items' segments, by item and start.
        course: when it is charged.
        use: how much of the usual quantity each period of a metered item takes.
    """
    for _, own in groupby(segments, key=lambda segment: segment["item_id"]):
        item = list(own)
        if item[0]["is_metered"]:
            yield from _used(item[0], course, use)
        else:
            yield from _recurring(item, course)


def setup_of(plan: str, at: datetime) -> Charge:
    """The fee for setting an account up."""
    cents = SETUP_CENTS[plan]
    return Charge(at=at, kind="one_time", description=f"{plan} set-up", quantity=1, cents=cents)


def _periods(item: Sequence[Segment], course: Course) -> Iterator[tuple[datetime, datetime, int]]:
    """The item's periods and their months; another interval begins with the next period."""
    anchor, count = max(course.paid, item[0]["valid_from"]), 0
    months = MONTHS[_holding(item, anchor)["interval"]]
    while (start := add_months(anchor, count * months)) < course.until:
        now = MONTHS[_holding(item, start)["interval"]]
        if now != months:
            anchor, count, months = start, 0, now
        yield start, add_months(anchor, (count + 1) * months), months
        count += 1


def _holding(item: Sequence[Segment], at: datetime) -> Segment:
    """The segment that holds at an instant."""
    return [segment for segment in item if segment["valid_from"] <= at][-1]


def _price(segment: Segment) -> int:
    """What a period of a segment costs."""
    units, cents = str(segment["price"]).split(".")
    return (int(units) * 100 + int(cents)) * int(segment["quantity"])


def _recurring(item: Sequence[Segment], course: Course) -> Iterator[Charge]:
    for start, end, months in _periods(item, course):
        if course.pauses_at(start):
            continue
        segment = _holding(item, start)
        yield Charge(
            at=start,
            kind="recurring",
            description=str(segment["product"]),
            quantity=int(segment["quantity"]),
            cents=_price(segment),
            item_id=segment["item_id"],
            start=start,
            end=end,
        )
        for before, after in pairwise(item):
            if start < after["valid_from"] < min(end, course.until):
                yield from _settled(before, after, (start, end), months, course)


def _settled(
    before: Segment, after: Segment, period: tuple[datetime, datetime], months: int, course: Course
) -> Iterator[Charge]:
    """The rest of a period at the old price taken back, and charged at the new one."""
    (start, end), changed = period, after["valid_from"]
    at = changed if months > 1 and _price(after) > _price(before) else end
    if at >= course.until:
        return
    for segment, sign, word in ((before, -1, "Unused"), (after, 1, "Remaining")):
        yield Charge(
            at=at,
            kind="recurring",
            description=f"{word} time: {segment['product']}",
            quantity=sign * int(segment["quantity"]),
            cents=sign * _share(_price(segment), end - changed, end - start),
            item_id=segment["item_id"],
            start=changed,
            end=end,
            is_proration=True,
        )


def _share(cents: int, part: Any, whole: Any) -> int:
    """The part of an amount that a part of a period costs, to the nearest cent."""
    numerator, denominator = int(part.total_seconds()), int(whole.total_seconds())
    return (2 * cents * numerator + denominator) // (2 * denominator)


def _used(segment: Segment, course: Course, use: np.ndarray) -> Iterator[Charge]:
    """What was used, charged when its period is over."""
    for place, (start, end, _) in enumerate(_periods([segment], course)):
        quantity = round(float(use[place % len(use)]) * int(segment["quantity"]))
        if end < course.until and not course.pauses_at(start):
            yield Charge(
                at=end,
                kind="usage",
                description=str(segment["product"]),
                quantity=quantity,
                cents=quantity * _price(segment) // int(segment["quantity"]),
                item_id=segment["item_id"],
                start=start,
                end=end,
            )
