"""The marts about invoices once more, in plain Python; shares no code with the product.

Loops over accounts, months and everything else. Source of every rule: the project's spec 20
(revenue); what it leaves open is decided in the descriptions of the marts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.invoice_world import World, next_month, rounded
from tests.recompute.invoices import (
    Invoice,
    Money,
    credit_notes_of,
    invoices_of,
    payments_of,
)

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]

ZERO = Decimal("0.00")
BUCKETS = ("overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_over_90")


def total(amounts: Iterator[Decimal] | Sequence[Decimal]) -> Decimal:
    """Their sum; 0.00 of none."""
    return sum(amounts, ZERO)


@dataclass(frozen=True, kw_only=True)
class InvoiceBooks:
    """All that counts, to make marts of."""

    world: World
    invoices: Sequence[Invoice]
    payments: Sequence[Money]
    notes: Sequence[Money]

    def spread(self) -> list[tuple[str, date, Decimal]]:
        """Credit notes by account and month of what they take back."""
        return [part for note in self.notes for part in _spread(note, self.world)]

    def months(self) -> Iterator[tuple[str, date]]:
        """Every account's months."""
        for name, row in self.world.accounts().items():
            month = min(self._first_days(name, row)).replace(day=1)
            while month <= self.world.last_month:
                yield name, month
                month = next_month(month)

    def _first_days(self, name: str, row: Row) -> list[date]:
        world = self.world
        firsts = [row["created_at"], *self.subscribed(name)]
        for one in self.invoices:
            if one.account_id == name:
                paid_at = world.happened(one.row["paid_at"])
                firsts += [one.row["created_at"], paid_at or one.row["created_at"]]
        firsts += [p.at for p in self.payments if p.account_id == name]
        spread = [month for account, month, _ in self.spread() if account == name]
        return [*map(world.day, firsts), *spread]

    def subscribed(self, name: str) -> list[datetime]:
        """When the account's subscriptions began."""
        return [
            row["started_at"]
            for row in self.world.landing.subscriptions
            if row["started_at"] < self.world.as_of
            and self.world.account(row["account_id"], row["started_at"]) == name
        ]


def books_of(world: World) -> InvoiceBooks:
    """What counts in this world."""
    return InvoiceBooks(
        world=world,
        invoices=invoices_of(world),
        payments=payments_of(world),
        notes=credit_notes_of(world),
    )


def _spread(note: Money, world: World) -> list[tuple[str, date, Decimal]]:
    start, end = note.row["period_start_at"], note.row["period_end_at"]
    if start is None or end is None or end <= start:
        return [(note.account_id, world.month(note.at), note.amount)]
    first, last = world.day(start), world.day(end - timedelta(microseconds=1))
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    months = sorted({day.replace(day=1) for day in days})
    shares = [
        rounded(
            Fraction(note.amount) * sum(day.replace(day=1) == month for day in days) / len(days), 2
        )
        for month in months
    ]
    shares[-1] = note.amount - total(shares[:-1])
    return [(note.account_id, *both) for both in zip(months, shares, strict=True)]


def fct_invoices(books: InvoiceBooks) -> Rows:
    """One row per invoice."""
    return [_invoice_row(one, books.world) for one in books.invoices]


def _invoice_row(one: Invoice, world: World) -> dict[str, Any]:
    def parts(kind: str, attribute: str) -> Decimal:
        return total([getattr(p, attribute) for p in one.parts if p.kind == kind])

    def moved(*kinds: str, attribute: str = "amount") -> Decimal:
        return -total([getattr(m, attribute) for m in one.moves if m.kind in kinds])

    balance = total([m.amount for m in one.moves])
    overdue = max((world.as_of_day - one.due).days, 0) if balance > 0 else 0
    tax = rounded(Fraction(one.tax) * one.rate, 2)
    net = total([p.net for p in one.parts])
    sent = world.happened(one.row["issued_at"]) or one.row["created_at"]
    return {
        "account_id": one.account_id,
        "invoice_id": one.row["invoice_id"],
        "subscription_id": one.row["subscription_id"],
        "number": one.row["number"],
        "status": one.status,
        "status_word": one.row["status"],
        "currency": one.row["currency"].upper(),
        "month": one.month,
        "due_on": one.due,
        "ageing_bucket": "nothing_due" if balance <= 0 else _bucket(overdue),
        "recurring_amount_original": parts("recurring", "net_original"),
        "recurring_amount": parts("recurring", "net"),
        "non_recurring_amount_original": parts("one_time", "net_original"),
        "non_recurring_amount": parts("one_time", "net"),
        "usage_amount_original": parts("usage", "net_original"),
        "usage_amount": parts("usage", "net"),
        "discount_amount_original": total([p.discount_original for p in one.parts]),
        "discount_amount": total([p.discount for p in one.parts]),
        "net_amount_original": one.net,
        "net_amount": net,
        "tax_amount_original": one.tax,
        "tax_amount": tax,
        "total_amount_original": one.net + one.tax,
        "total_amount": net + tax,
        "paid_amount_original": moved("paid", attribute="original"),
        "paid_amount": moved("paid"),
        "refunded_amount_original": total([m.original for m in _refunds(one)]),
        "refunded_amount": total([m.amount for m in _refunds(one)]),
        "credited_amount_original": moved("credited", attribute="original"),
        "credited_amount": moved("credited"),
        "settled_amount": moved("settled"),
        "bad_debt_amount": moved("written_off"),
        "voided_amount": moved("voided"),
        "outstanding_amount_original": max(total([m.original for m in one.moves]), ZERO),
        "outstanding_amount": max(balance, ZERO),
        "credit_balance_amount": max(-balance, ZERO),
        "overdue_days": overdue,
        "days_to_pay": days_of(one.paid_at - sent) if one.paid_at else None,
        "is_revenue": one.is_revenue,
        "is_paid": one.status == "paid",
        "is_overdue": overdue > 0,
        "is_due_date_assumed": one.row["due_on"] is None,
        "has_lines_that_add_up": not any(p.is_residual for p in one.parts),
        "paid_at": one.paid_at,
        **_matched(
            one, moved("paid", attribute="original"), moved("credited", attribute="original")
        ),
    }


def _refunds(one: Invoice) -> list[Any]:
    return [m for m in one.moves if m.kind == "paid" and m.original > 0]


def days_of(length: timedelta) -> Fraction:
    return Fraction(length // timedelta(microseconds=1), 86_400_000_000)


def _bucket(overdue: int) -> str:
    return "not_due" if overdue <= 0 else BUCKETS[min((overdue - 1) // 30, 3)]


def _matched(one: Invoice, paid: Decimal, credited: Decimal) -> dict[str, Any]:
    """What payments say against the status."""
    owed = one.net + one.tax - credited if one.is_revenue else ZERO
    if paid == owed:
        match = "matched"
    elif paid == 0:
        match = "paid_without_payment" if one.status == "paid" else "unpaid"
    else:
        match = "partly_paid" if 0 < Fraction(paid) / Fraction(owed or -paid) < 1 else "overpaid"
    if one.status == "paid":
        agrees = match == "matched"
    else:
        agrees = paid == 0 or (one.is_revenue and match == "partly_paid")
    return {"payment_match": match, "has_matching_payments": agrees}


def fct_revenue_monthly(books: InvoiceBooks) -> Rows:
    """One row per account and month."""
    spread, rows = books.spread(), []
    for name, month in books.months():
        world = books.world
        own = [one for one in books.invoices if one.account_id == name]
        revenue = [one for one in own if one.is_revenue and one.month == month]
        kinds = {
            kind: total([p.net for one in revenue for p in one.parts if p.kind == kind])
            for kind in ("recurring", "one_time", "usage")
        }
        money = [p for p in books.payments if (p.account_id, world.month(p.at)) == (name, month)]
        credit = total([amount for who, when, amount in spread if (who, when) == (name, month)])
        paid = [one for one in own if one.paid_at and world.month(one.paid_at) == month]
        lost = [one for one in revenue if one.status == "uncollectible"]
        rows.append(
            {
                "account_id": name,
                "month": month,
                "recurring_revenue": kinds["recurring"],
                "non_recurring_revenue": kinds["one_time"],
                "usage_revenue": kinds["usage"],
                "invoiced_revenue": total(list(kinds.values())),
                "bad_debt_revenue": total([p.net for one in lost for p in one.parts]),
                "credit_note_amount": credit,
                "net_revenue": total(list(kinds.values())) - credit,
                "payment_amount": total([p.amount for p in money if p.original >= 0]),
                "refund_amount": total([p.amount for p in money if p.original < 0]),
                "net_payment_amount": total([p.amount for p in money]),
                "invoice_revenue_by_paid_date": total([p.net for one in paid for p in one.parts]),
                "is_partial": world.first_instant(next_month(month)) > world.as_of,
            }
        )
    return rows


def receivables_monthly(books: InvoiceBooks) -> Rows:
    """One row per account and month; each month is counted from the beginning."""
    world, rows = books.world, []
    allocated = {(m.kind, m.name) for one in books.invoices for m in one.moves}
    loose_money = [p for p in books.payments if ("paid", p.name) not in allocated]
    loose_notes = [n for n in books.notes if ("credited", n.name) not in allocated]
    for name, month in books.months():
        own = [one for one in books.invoices if one.account_id == name]
        moves = [(world.month(m.at), m) for one in own for m in one.moves]

        def moved(kind: str, month: date = month, moves: Any = moves) -> Decimal:
            return total([m.amount for when, m in moves if m.kind == kind and when == month])

        def loose(moneys: Sequence[Money], name: str = name, month: date = month) -> Decimal:
            mine = [m for m in moneys if m.account_id == name and world.month(m.at) <= month]
            return total([m.amount for m in mine])

        rows.append(
            {
                "account_id": name,
                "month": month,
                "opening_amount": total([m.amount for when, m in moves if when < month]),
                "invoiced_amount": moved("invoiced"),
                "paid_amount": -moved("paid"),
                "credited_amount": -moved("credited"),
                "settled_amount": -moved("settled"),
                "written_off_amount": -moved("written_off"),
                "voided_amount": -moved("voided"),
                "closing_amount": total([m.amount for when, m in moves if when <= month]),
                **_aged(own, month, world),
                "unallocated_payment_amount": loose(loose_money),
                "unallocated_credit_amount": loose(loose_notes),
            }
        )
    return rows


def _aged(invoices: Sequence[Invoice], month: date, world: World) -> dict[str, Decimal]:
    """What is owed at a month's end, by age."""
    end = min(next_month(month), world.as_of_day)
    ages = {f"{name}_amount": ZERO for name in ("not_due", *BUCKETS)}
    credit = ZERO
    for one in invoices:
        balance = total([m.amount for m in one.moves if world.month(m.at) <= month])
        credit += max(-balance, ZERO)
        ages[f"{_bucket((end - one.due).days)}_amount"] += max(balance, ZERO)
    return {
        "outstanding_amount": total(list(ages.values())),
        "credit_balance_amount": credit,
        **ages,
    }
