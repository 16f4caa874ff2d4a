"""Invoiced recurring revenue beside MRR once more, in plain Python; no code of the product.

The MRR itself is taken from the built warehouse: `revenue` recomputes that.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.calendars import later_by
from tests.recompute.invoice_marts import ZERO, InvoiceBooks, days_of, total
from tests.recompute.invoice_world import World, next_month, rounded
from tests.recompute.invoices import Invoice

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]

UNPAID = {"unpaid", "past_due", "incomplete", "incomplete_expired"}


def mrr_reconciliation_monthly(
    books: InvoiceBooks, mrr: Sequence[Row], stretches: Sequence[Row]
) -> Rows:
    """One row per account and month.

    Args:
        books: what was invoiced.
        mrr: rows of fct_mrr_monthly.
        stretches: rows of int_subscription_item_amounts.
    """
    endings = {
        (r["account_id"], r["month"]): r["ending_mrr"] for r in mrr if r["policy"] == "standard"
    }
    standard = [s for s in stretches if s["policy"] == "standard"]
    rows = []
    for name, month in books.months():
        own = [one for one in books.invoices if one.account_id == name and one.is_revenue]
        invoiced = total(
            [p.net for o in own if o.month == month for p in o.parts if p.kind == "recurring"]
        )
        net, gross = (
            _weighted(name, month, standard, books.world, c) for c in ("amount", "gross_amount")
        )
        earned, discounts, unpaid, lengths = _earned(own, month, standard, books.world)
        once = max(discounts - (gross - net), ZERO)
        ending = endings.get((name, month), ZERO)
        rows.append(
            {
                "account_id": name,
                "month": month,
                "ending_mrr": ending,
                "time_weighted_mrr": net,
                "recurring_revenue": invoiced,
                "earned_revenue": earned,
                "difference_amount": invoiced - ending,
                "proration_amount": net - ending,
                "discount_amount": -once,
                "unpaid_amount": unpaid,
                "timing_amount": invoiced - earned,
                "day_count_amount": lengths,
                "unexplained_amount": earned - net + once - unpaid - lengths,
            }
        )
    return rows


def _shared(start: datetime, end: datetime | None, month: date, world: World) -> timedelta:
    """How much of [start, end) lies in the month."""
    low, high = world.first_instant(month), world.first_instant(next_month(month))
    return max(min(end or high, high) - max(start, low), timedelta())


def _weighted(
    name: str, month: date, stretches: Sequence[Row], world: World, column: str
) -> Decimal:
    """The month's mean of a column, over what of the month lies before the as-of instant."""
    whole = _shared(world.first_instant(month), world.as_of, month, world)
    exact = Fraction(0)
    for one in stretches:
        if one["account_id"] == name:
            end = min(one["ends_at"] or world.as_of, world.as_of)
            held = _shared(one["starts_at"], end, month, world)
            exact += Fraction(one[column]) * days_of(held) / days_of(whole)
    return rounded(exact, 2)


def _earned(
    invoices: Sequence[Invoice], month: date, stretches: Sequence[Row], world: World
) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """What is earned in the month, the discounts on it, what of it nobody pays, and what of the
    rest is due to the lengths of months.
    """
    earned, discounts, unpaid, lengths = ZERO, ZERO, ZERO, ZERO
    for one in invoices:
        for part in one.parts:
            if part.kind != "recurring":
                continue
            first = world.first_instant(one.month)
            start, end = part.period or (first, world.first_instant(next_month(one.month)))
            net = _share(part.net, start, end, month, world)
            earned += net
            discounts += _share(part.discount, start, end, month, world)
            if _is_unpaid(part.subscription_id, month, stretches, world):
                unpaid += net
            else:
                lengths += net - _by_months(part.net, net, start, end, month, world)
    return earned, discounts, unpaid, lengths


def _by_months(
    amount: Decimal, by_days: Decimal, start: datetime, end: datetime, month: date, world: World
) -> Decimal:
    """The month's share if all months of the period cost the same; by days without whole months."""
    first, last = world.day(start), world.day(end)
    months = 12 * (last.year - first.year) + last.month - first.month
    shared = _shared(start, end, month, world)
    if months < 1 or not shared:
        return by_days
    if abs(end - later_by(start, months, "month", 1, world.zone)) > timedelta(days=3):
        return by_days
    whole = world.first_instant(next_month(month)) - world.first_instant(month)
    return rounded(Fraction(amount) * days_of(shared) / (days_of(whole) * months), 2)


def _share(amount: Decimal, start: datetime, end: datetime, month: date, world: World) -> Decimal:
    """What the month adds to the rounded share of the period that has gone by."""

    def gone(until: datetime) -> Decimal:
        done = max(min(until, end) - start, timedelta())
        return rounded(Fraction(amount) * days_of(done) / days_of(end - start), 2)

    low, high = world.first_instant(month), world.first_instant(next_month(month))
    return gone(high) - gone(low)


def _is_unpaid(
    subscription: str | None, month: date, stretches: Sequence[Row], world: World
) -> bool:
    """Whether the subscription pays nothing all month, and its word says why."""
    landing, low = world.landing, world.first_instant(month)
    high = min(world.first_instant(next_month(month)), world.as_of)
    for one in stretches:
        is_own = one["subscription_id"] == subscription
        end = min(one["ends_at"] or high, high)
        if is_own and max(one["starts_at"], low) < end:
            return False
    words = [s["status"] for s in landing.subscriptions if s["subscription_id"] == subscription
             and s["started_at"] < world.as_of]  # fmt: skip
    changes = sorted(
        (c["changed_at"], c["status"])
        for c in landing.changes
        if c["subscription_id"] == subscription and c["changed_at"] < world.as_of
    )
    if changes and words:
        words = [word for at, word in changes if at < world.first_instant(next_month(month))][-1:]
    return bool(words) and words[-1] in UNPAID
