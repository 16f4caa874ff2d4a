"""What becomes of the sample's invoices: paid in time or late, in parts, never; taken back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from assets.extracts.sampling.accounts import Account
from assets.extracts.sampling.standing import DUE_AFTER

Row = dict[str, Any]
IN_TIME = 0.86  # share of the invoices that are paid before they are due
ISSUED_AFTER = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=20)
RETRIED_FOR = timedelta(days=32)
CREDITED_DAYS = 7
# What happens to the second invoice of one account in fifteen each.
INTERRUPTED, REFUNDED, SENT_TWICE = 4, 10, 12


@dataclass(frozen=True, kw_only=True)
class Bill:
    """An invoice's own amounts in cents; `place` counts a subscription's invoices from 0."""

    invoice_id: str
    account_id: str
    subscription_id: str
    currency: str
    place: int
    created_at: datetime
    period_end_at: datetime | None
    subtotal: int
    discount: int
    tax: int

    @property
    def net(self) -> int:
        """Before tax, after discounts."""
        return self.subtotal - self.discount

    @property
    def total(self) -> int:
        """After discounts, with tax."""
        return self.net + self.tax


@dataclass(frozen=True, kw_only=True)
class Fate:
    """When an invoice is paid, or given up; neither while it stays open."""

    paid_at: datetime | None = None
    given_up_at: datetime | None = None


def money(cents: int) -> str:
    """Cents as a file writes an amount."""
    return f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def outcome_of(
    bill: Bill, account: Account, changes: Sequence[tuple[datetime, str]], dice: np.ndarray
) -> Iterator[tuple[str, Row]]:
    """The invoice's row, its payments and credit notes, with the tables that they belong to."""
    fate = _fate(bill, changes, dice)
    kind = account.number % 15 if bill.place == 1 and fate.paid_at else None
    credited = _credited(bill) if kind == INTERRUPTED else 0
    if credited:
        fate = Fate(paid_at=bill.created_at + timedelta(days=16))
        noted = bill.created_at + timedelta(days=12)
        yield "credit_notes", _note(bill, credited, noted, "Service was interrupted", is_dated=True)
    yield "invoices", _invoice(bill, fate, bill.invoice_id)
    if fate.paid_at is not None:
        yield from _payments(bill, account, fate.paid_at, bill.total - credited)
        if kind == REFUNDED:
            yield from _refund(bill, fate.paid_at)
    if kind == SENT_TWICE:
        yield from _sent_twice(bill)


def _fate(bill: Bill, changes: Sequence[tuple[datetime, str]], dice: np.ndarray) -> Fate:
    """As the subscription stands: who is past due does not pay; else by dice."""
    due = bill.created_at + DUE_AFTER
    ends: list[tuple[datetime, str] | None] = [*changes[1:], None]
    for (behind, word), after in zip(changes, ends, strict=False):
        is_open = after is None or after[1] == "canceled"
        first = behind - RETRIED_FOR + DUE_AFTER if is_open else behind
        if word != "past_due" or due < first:
            continue
        if after is None or is_open:
            return Fate()
        if after[1] == "unpaid":
            return Fate(given_up_at=after[0] + GIVEN_UP_AFTER)
        if bill.created_at < after[0]:
            return Fate(paid_at=after[0])
    days = 1 + 12 * float(dice[1]) if dice[0] < IN_TIME else 16 + 24 * float(dice[2])
    return Fate(paid_at=bill.created_at + timedelta(seconds=int(days * 86_400)))


def _invoice(bill: Bill, fate: Fate, invoice_id: str) -> Row:
    due = bill.created_at + DUE_AFTER
    return {
        "invoice_id": invoice_id,
        "account_id": bill.account_id,
        "subscription_id": bill.subscription_id,
        "number": invoice_id.upper().replace("INV-", "N"),
        "currency": bill.currency,
        "created_at": bill.created_at,
        "issued_at": bill.created_at + ISSUED_AFTER,
        "due_on": due.date(),
        "paid_at": fate.paid_at,
        "voided_at": None,
        "subtotal_amount": money(bill.subtotal),
        "discount_amount": money(bill.discount),
        "tax_amount": money(bill.tax),
        "total_amount": money(bill.total),
        "_given_up_at": fate.given_up_at,
    }


def _payments(
    bill: Bill, account: Account, paid_at: datetime, owed: int
) -> Iterator[tuple[str, Row]]:
    """All at once; some accounts pay every fourth invoice in two parts, the last one settles it."""
    if account.number % 6 == 5 and bill.place % 4 == 3:
        first = owed * 3 // 5
        begun = bill.created_at + (paid_at - bill.created_at) // 2
        yield "payments", _payment(bill, 1, first, begun.replace(microsecond=0))
        yield "payments", _payment(bill, 2, owed - first, paid_at)
    else:
        yield "payments", _payment(bill, 1, owed, paid_at)


def _refund(bill: Bill, paid_at: datetime) -> Iterator[tuple[str, Row]]:
    """A fifth is given back in a later month, two hours after it is noted."""
    part = bill.total // 5
    noted = paid_at + timedelta(days=40)
    yield "credit_notes", _note(bill, part, noted, "Goodwill", is_dated=False)
    yield "payments", _payment(bill, 9, -part, noted + timedelta(hours=2))


def _sent_twice(bill: Bill) -> Iterator[tuple[str, Row]]:
    """The same invoice once more, by mistake; it is voided the day after."""
    again = f"{bill.invoice_id}v"
    row = _invoice(bill, Fate(), again)
    yield "invoices", {**row, "voided_at": bill.created_at + timedelta(days=1, hours=2)}


def _credited(bill: Bill) -> int:
    """A week's part of a bill for a whole period, with its tax."""
    if bill.period_end_at is None:
        return 0
    return bill.total * CREDITED_DAYS // (bill.period_end_at - bill.created_at).days


def _payment(bill: Bill, place: int, cents: int, at: datetime) -> Row:
    return {
        "payment_id": f"pay{bill.invoice_id[3:]}-{place}",
        "account_id": bill.account_id,
        "invoice_id": bill.invoice_id,
        "currency": bill.currency,
        "amount": money(cents),
        "paid_at": at,
        "status": "succeeded",
    }


def _note(bill: Bill, cents: int, at: datetime, reason: str, *, is_dated: bool) -> Row:
    start = bill.created_at + timedelta(days=3)
    return {
        "credit_note_id": f"note{bill.invoice_id[3:]}",
        "account_id": bill.account_id,
        "invoice_id": bill.invoice_id,
        "currency": bill.currency,
        "amount": money(cents),
        "issued_at": at,
        "period_start_at": start if is_dated else None,
        "period_end_at": start + timedelta(days=CREDITED_DAYS) if is_dated else None,
        "reason": reason,
    }
