"""Invoices once more, in plain Python, from the rows that landed; shares no code with the product.

What each invoice bills, in parts that sum to its total, and what changes what is owed on it. Slow
and simple on purpose: exact fractions, one definition per function. Source of every rule: the
project's spec 20 (revenue) and spec 00 (time, numbers); what they leave open is decided in the
descriptions of the marts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.invoice_world import World, rounded

Row = Mapping[str, Any]

NO_MONEY = {
    "failed", "failure", "pending", "processing", "in_progress", "scheduled", "draft", "canceled",
    "cancelled", "declined", "rejected", "void", "voided", "error", "expired",
    "requires_payment_method", "requires_action", "requires_confirmation", "requires_capture",
}  # fmt: skip
VOID = {"void", "voided", "canceled", "cancelled"}
LOST = {"uncollectible", "written_off", "bad_debt"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A line of an invoice, or what the lines leave of its total (without an id)."""

    kind: str
    subscription_id: str | None
    net_original: Decimal
    discount_original: Decimal
    net: Decimal
    discount: Decimal
    period: tuple[datetime, datetime] | None
    is_residual: bool


@dataclass(frozen=True, kw_only=True)
class Money:
    """A payment (negative: a refund) or a credit note that counts."""

    account_id: str
    name: str
    invoice_id: str | None
    currency: str
    original: Decimal
    amount: Decimal
    at: datetime
    row: Row


@dataclass(frozen=True, kw_only=True)
class Move:
    """Something that changes what is owed on an invoice; signed."""

    kind: str
    name: str
    at: datetime
    original: Decimal
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """An invoice that counts, with its parts and moves."""

    account_id: str
    row: Row
    status: str
    rate: Fraction
    month: date
    due: date
    net: Decimal
    tax: Decimal
    parts: tuple[Part, ...]
    moves: tuple[Move, ...]
    paid_at: datetime | None

    @property
    def is_revenue(self) -> bool:
        return self.status in ("open", "paid", "uncollectible")


def status_of(row: Row, world: World) -> str:
    """draft, open, paid, void or uncollectible, as far as it has happened."""
    word = row["status"].lower()
    if world.happened(row["voided_at"]) or (word in VOID and row["voided_at"] is None):
        return "void"
    if word == "draft":
        return "draft"
    if word in LOST:
        return "uncollectible"
    if world.happened(row["paid_at"]) or (word == "paid" and row["paid_at"] is None):
        return "paid"
    is_sent = row["issued_at"] is None or row["issued_at"] < world.as_of
    return "open" if is_sent else "draft"


def payments_of(world: World) -> list[Money]:
    """Payments and refunds that moved money."""
    rows = [p for p in world.landing.payments if (p["status"] or "").lower() not in NO_MONEY]
    return _money(rows, "payment_id", "paid_at", world)


def credit_notes_of(world: World) -> list[Money]:
    """Credit notes, but of drafts and of voided invoices."""
    states = {
        row["invoice_id"]: status_of(row, world)
        for row in world.landing.invoices
        if row["created_at"] < world.as_of
    }
    rows = [
        note
        for note in world.landing.credit_notes
        if states.get(note["invoice_id"]) not in ("draft", "void")
    ]
    return _money(rows, "credit_note_id", "issued_at", world)


def _money(rows: Sequence[Row], key: str, dated: str, world: World) -> list[Money]:
    found = []
    for row in rows:
        account = world.account(row["account_id"], row[dated])
        rate = world.rate(row["currency"], world.month(row[dated]))
        if row[dated] < world.as_of and account is not None and rate is not None:
            found.append(
                Money(
                    account_id=account,
                    name=row[key],
                    invoice_id=row["invoice_id"],
                    currency=row["currency"].upper(),
                    original=row["amount"],
                    amount=rounded(Fraction(row["amount"]) * rate, 2),
                    at=row[dated],
                    row=row,
                )
            )
    return found


def invoices_of(world: World) -> list[Invoice]:
    """Every invoice that counts; one without a rate is set aside."""
    payments, notes = payments_of(world), credit_notes_of(world)
    found = []
    for row in world.landing.invoices:
        account = world.account(row["account_id"], row["created_at"])
        rate = world.rate(row["currency"], world.month(row["created_at"]))
        if row["created_at"] < world.as_of and account is not None and rate is not None:
            found.append(_invoice(row, account, rate, payments, notes, world))
    return found


def _invoice(
    row: Row,
    account: str,
    rate: Fraction,
    payments: Sequence[Money],
    notes: Sequence[Money],
    world: World,
) -> Invoice:
    lines = sorted(
        (one for one in world.landing.lines if one["invoice_id"] == row["invoice_id"]),
        key=lambda one: one["line_id"],
    )
    status, tax = status_of(row, world), row["tax_amount"] or Decimal(0)
    net = _net_total(row, lines)
    parts = _parts(row, lines, net, rate)
    sent = world.happened(row["issued_at"]) or row["created_at"]
    due = row["due_on"] or world.day(sent) + timedelta(days=30)
    own = [p for p in payments if p.invoice_id == row["invoice_id"]]
    last = max((p.at for p in own if p.original > 0 or net + tax < 0), default=None)
    worth = sum((p.net for p in parts), Decimal(0)) + rounded(Fraction(tax) * rate, 2)
    happenings = _happenings(row, status, net + tax, due, own, notes, world)
    return Invoice(
        account_id=account,
        row=row,
        status=status,
        rate=rate,
        month=world.month(row["created_at"]),
        due=due,
        net=net,
        tax=tax,
        parts=tuple(parts),
        moves=tuple(_balanced(happenings, net + tax, worth, rate)),
        paid_at=(world.happened(row["paid_at"]) or last) if status == "paid" else None,
    )


def _net_total(row: Row, lines: Sequence[Row]) -> Decimal:
    """Before tax and after discounts: as stated, else from its parts, else from the lines."""
    discount = row["discount_amount"] or Decimal(0)
    if row["total_amount"] is not None:
        total: Decimal = row["total_amount"] - (row["tax_amount"] or Decimal(0))
        return total
    if row["subtotal_amount"] is not None:
        subtotal: Decimal = row["subtotal_amount"] - discount
        return subtotal
    return sum((one["amount"] for one in lines), Decimal(0)) - discount if lines else Decimal(0)


def _parts(row: Row, lines: Sequence[Row], net: Decimal, rate: Fraction) -> list[Part]:
    """The lines after their part of the discount, and what they leave of the total."""
    summed = sum((one["amount"] for one in lines), Decimal(0))
    discount = row["discount_amount"] or Decimal(0)
    shared = Decimal(0) if summed in (net, 0) else discount
    cuts = [
        rounded(Fraction(shared) * Fraction(one["amount"]) / Fraction(summed), 4)
        if summed
        else Decimal(0)
        for one in lines
    ]
    if lines:
        cuts[-1] = shared - sum(cuts[:-1], Decimal(0))
    parts = [_part(row, one, cut, rate) for one, cut in zip(lines, cuts, strict=True)]
    rest = net - sum((part.net_original for part in parts), Decimal(0))
    if rest:
        parts.append(
            Part(
                kind="recurring" if row["subscription_id"] else "one_time",
                subscription_id=row["subscription_id"],
                net_original=rest,
                discount_original=Decimal(0),
                net=rounded(Fraction(rest) * rate, 2),
                discount=Decimal(0),
                period=None,
                is_residual=True,
            )
        )
    return parts


def _part(row: Row, line: Row, cut: Decimal, rate: Fraction) -> Part:
    start, end = line["period_start_at"], line["period_end_at"]
    return Part(
        kind=line["kind"],
        subscription_id=line["subscription_id"] or row["subscription_id"],
        net_original=line["amount"] - cut,
        discount_original=cut,
        net=rounded(Fraction(line["amount"] - cut) * rate, 2),
        discount=rounded(Fraction(cut) * rate, 2),
        period=(start, end) if start and end and start < end else None,
        is_residual=False,
    )


Happening = tuple[datetime, int, str, str, Decimal]


def _happenings(
    row: Row,
    status: str,
    total: Decimal,
    due: date,
    payments: Sequence[Money],
    notes: Sequence[Money],
    world: World,
) -> list[Happening]:
    """What changes what is owed, each with its instant, in order; nothing for a draft."""
    if status == "draft":
        return []
    name, created, currency = row["invoice_id"], row["created_at"], row["currency"].upper()
    found: list[Happening] = [(created, 0, "invoiced", name, total)]
    for rank, kind, moneys in ((1, "credited", notes), (2, "paid", payments)):
        found += [
            (max(one.at, created), rank, kind, one.name, -one.original)
            for one in moneys
            if one.invoice_id == name and one.currency == currency
        ]
    last = max(one[0] for one in found)
    closing = _closing(row, status, total, sum(one[4] for one in found), last, due, world)
    return sorted([*found, *closing])


def _closing(
    row: Row,
    status: str,
    total: Decimal,
    left: Decimal | int,
    last: datetime,
    due: date,
    world: World,
) -> list[Happening]:
    """What the billing system's word does with what is left."""
    left = Decimal(left)
    if status == "void":
        kind, amount, at = "voided", -total, world.happened(row["voided_at"])
    elif status == "uncollectible":
        overdue = world.first_instant(due + timedelta(days=1))
        at = min(overdue, world.as_of - timedelta(microseconds=1))
        kind, amount = "written_off", -max(left, Decimal(0))
    elif status == "paid":
        kind, at = "settled", world.happened(row["paid_at"]) or last
        amount = -min(left, Decimal(0)) if total < 0 else -max(left, Decimal(0))
    else:
        return []
    created = row["created_at"]
    return [(max(at or created, created), 3, kind, row["invoice_id"], amount)] if amount else []


def _balanced(
    happenings: Sequence[Happening], total: Decimal, worth: Decimal, rate: Fraction
) -> list[Move]:
    """Each in the reporting currency: the difference of two rounded balances."""
    unit = Fraction(worth) / Fraction(total) if total else rate
    balance, shown, moves = Decimal(0), Decimal(0), []
    for at, _, kind, name, original in happenings:
        balance += original
        after = rounded(Fraction(balance) * unit, 2)
        moves.append(Move(kind=kind, name=name, at=at, original=original, amount=after - shown))
        shown = after
    return moves
