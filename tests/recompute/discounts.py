"""What an item pays for a month at an instant, after its discounts; exact fractions.

Source: the project's spec 20 ("Month factor", "Discounts") and decision 4 of its MRR core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.calendars import later_by

Row = Mapping[str, Any]

# Months' share of one interval, for an interval count of 1.
MONTH_FACTORS = {
    "day": Fraction(365, 12),
    "week": Fraction(52, 12),
    "month": Fraction(1),
    "year": Fraction(1, 12),
}


def rounded(exact: Fraction, digits: int) -> Decimal:
    """Half-even: `round` of a Fraction is exact."""
    return Decimal(round(exact * 10**digits)).scaleb(-digits)


def month_factor(item: Row) -> Fraction:
    """Months' share of the item's own interval."""
    return MONTH_FACTORS[item["interval"]] / (item.get("interval_count") or 1)


def gross(item: Row) -> Fraction:
    """What an item costs a month before any discount."""
    return Fraction(str(item["price"])) * Fraction(str(item["quantity"])) * month_factor(item)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A subscription's fixed items and its discounts, to be asked for prices."""

    currency: str
    items: Sequence[Row]
    discounts: Sequence[Row]
    kinds: str
    zone: tzinfo

    def net(self, item: Row, at: datetime) -> Fraction:
        """What the item pays for a month at an instant in which it is in force."""
        left = gross(item)
        for discount in sorted(self.discounts, key=_place):
            if not self._is_in_force(discount, item, at):
                continue
            percent = Fraction(str(discount.get("percent_off") or 0))
            left = max(left * (1 - percent / 100), Fraction(0))
            left = max(left - self._amount_off(discount, item, at), Fraction(0))
        return left

    def edges(self, item: Row) -> list[datetime]:
        """Where the item's price may change: at edges of discounts and of the items beside it."""
        found = [
            edge
            for other in self.items
            for edge in (other["valid_from"], other.get("valid_to"))
            if edge is not None
        ]
        for discount in self.discounts:
            end = self._end(discount, item)
            found += [discount["valid_from"], *([] if end is None else [end])]
        return found

    def _is_in_force(self, discount: Row, item: Row, at: datetime) -> bool:
        end = self._end(discount, item)
        return (
            discount.get("item_id") in (None, item["item_id"])
            and discount["valid_from"] <= at
            and (end is None or at < end)
            and self._counts(discount, item)
        )

    def _counts(self, discount: Row, item: Row) -> bool:
        if self.kinds in ("none", "all"):
            return self.kinds == "all"
        if discount["duration"] == "forever":
            return True
        return self.kinds == "recurring" and self._is_recurring(discount, item)

    def _is_recurring(self, discount: Row, item: Row) -> bool:
        """Whether a repeating discount lasts longer than one interval of the item."""
        end = discount.get("valid_to")
        is_longer = end is None or end > self._one_interval_later(discount["valid_from"], item)
        return discount["duration"] == "repeating" and is_longer

    def _end(self, discount: Row, item: Row) -> datetime | None:
        end: datetime | None = discount.get("valid_to")
        if end is None and discount["duration"] == "once":
            return self._one_interval_later(discount["valid_from"], item)
        return end

    def _one_interval_later(self, at: datetime, item: Row) -> datetime:
        return later_by(at, 1, item["interval"], item.get("interval_count") or 1, self.zone)

    def _amount_off(self, discount: Row, item: Row, at: datetime) -> Fraction:
        """The item's part of an amount off; the last item has what rounding leaves."""
        if discount.get("currency") not in (None, self.currency):
            return Fraction(0)
        amount = Fraction(str(discount.get("amount_off") or 0))
        if discount.get("item_id") is not None:
            return Fraction(rounded(amount * month_factor(item), 4))
        beside = [other for other in self.items if _holds(other, at)]
        total = sum((gross(other) for other in beside), Fraction(0))
        if total == 0:
            return Fraction(0)
        beside.sort(key=lambda other: (other["item_id"], other["valid_from"]))
        exact = [gross(other) / total * amount * month_factor(other) for other in beside]
        parts = [Fraction(rounded(part, 4)) for part in exact]
        parts[-1] = Fraction(rounded(sum(exact, Fraction(0)), 4)) - sum(parts[:-1], Fraction(0))
        return next(
            part for part, other in zip(parts, beside, strict=True) if _key(other) == _key(item)
        )


def _place(discount: Row) -> tuple[float, str]:
    """The order in which discounts are taken: those without a position are the last."""
    position = discount.get("position")
    return (float("inf") if position is None else position, discount["discount_id"])


def _holds(item: Row, at: datetime) -> bool:
    end = item.get("valid_to")
    return bool(item["valid_from"] <= at and (end is None or at < end))


def _key(item: Row) -> tuple[Any, Any]:
    return item["item_id"], item["valid_from"]
