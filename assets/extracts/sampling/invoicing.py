"""The sample's invoices with their lines, and what becomes of them; `known_invoicing` hides it.

An invoice belongs to a subscription and an instant, and none depends on a later one: a sample
that goes on for longer has the same invoices and more of them after those.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import Account
from assets.extracts.sampling.billing import Billing
from assets.extracts.sampling.charges import SETUP_CENTS, Charge, Course, charges_of, setup_of
from assets.extracts.sampling.moments import frame, happened
from assets.extracts.sampling.paying import Bill, Row, money, outcome_of

HAPPENINGS = ("created_at", "issued_at", "paid_at", "voided_at", "_given_up_at")
TABLES = ("invoices", "invoice_lines", "payments", "credit_notes", "subscription_changes")
DATED_BY = {
    "invoice_lines": "_created_at",
    "payments": "paid_at",
    "credit_notes": "issued_at",
    "subscription_changes": "changed_at",
}
INSTANTS = (*HAPPENINGS, "_created_at", "period_start_at", "period_end_at")
PERIODS = 120  # ten years of use, drawn at once: a longer sample has the same


@dataclass(frozen=True, kw_only=True)
class Invoicing:
    """Every invoice table by name, with the whole future in it up to the sample's end."""

    tables: Mapping[str, pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class _Ledger:
    """One subscription and all that its invoices are made from."""

    account: Account
    row: Row
    segments: Sequence[Row]
    discounts: Sequence[Row]
    changes: Sequence[tuple[datetime, str]]
    until: datetime


def plan_invoicing(
    seed: int, accounts: Sequence[Account], billing: Billing, until: datetime
) -> Invoicing:
    """All invoices before `until`, their lines, payments and credit notes.

    Args:
        seed: chooses how much is used and when is paid.
        accounts: every account.
        billing: what they have agreed to.
        until: the end of the sample's last day.
    """
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    by_id = {account.account_id: account for account in accounts}
    items = _by_subscription(billing.items.sort("item_id", "valid_from"))
    changes, discounts = _by_subscription(billing.changes), _by_subscription(billing.discounts)
    for row in billing.subscriptions.to_dicts():
        key = row["subscription_id"]
        ledger = _Ledger(
            account=by_id[row["account_id"]],
            row=row,
            segments=items[key],
            discounts=discounts.get(key, ()),
            changes=[(change["changed_at"], change["status"]) for change in changes.get(key, ())],
            until=until,
        )
        for name, row_of_it in _rows(ledger, seed):
            rows[name].append(row_of_it)
    tables = {name: frame(found, _instants(found)) for name, found in rows.items() if found}
    return Invoicing(tables={**tables, "subscription_changes": billing.changes})


def _instants(rows: Sequence[Row]) -> tuple[str, ...]:
    return tuple(name for name in INSTANTS if name in rows[0])


def _by_subscription(rows: pl.DataFrame) -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows.to_dicts():
        found.setdefault(row["subscription_id"], []).append(row)
    return found


def _rows(ledger: _Ledger, seed: int) -> Iterator[tuple[str, Row]]:
    """The rows of a subscription's invoices with the tables that they belong to."""
    number = int(str(ledger.row["subscription_id"])[-1])
    rng = np.random.default_rng([seed, 21, ledger.account.number, number])
    charges = sorted(_charges(ledger, rng.uniform(0.6, 1.4, PERIODS)), key=_order)
    place = 0
    for _, own in groupby(charges, key=lambda charge: (charge.at, charge.kind == "one_time")):
        lines = list(own)
        dice = rng.random(3)
        bill = _bill(ledger, lines, place)
        if bill.net > 0:
            for name, row in outcome_of(bill, ledger.account, ledger.changes, dice):
                yield name, row
                if name == "invoices":
                    yield from _lines(bill, lines, row["invoice_id"])
            place += 1


def _order(charge: Charge) -> tuple[datetime, bool, bool, str, str]:
    is_setup = charge.kind == "one_time"
    return charge.at, is_setup, charge.is_proration, charge.item_id or "", charge.description


def _charges(ledger: _Ledger, use: np.ndarray) -> Iterator[Charge]:
    row, account = ledger.row, ledger.account
    paid = row["trial_ends_at"] or row["started_at"]
    until = min(row["ended_at"] or ledger.until, ledger.until)
    course = Course(paid=paid, until=until, pauses=_pauses(ledger.changes))
    if until > paid:
        yield from charges_of(ledger.segments, course, use)
        is_first = str(row["subscription_id"]).endswith("-1")
        if is_first and account.number % 3 == 2 and account.tier in SETUP_CENTS:
            yield setup_of(account.tier, paid)


def _pauses(changes: Sequence[tuple[datetime, str]]) -> Sequence[tuple[datetime, datetime]]:
    ends = [at for at, _ in changes[1:]]
    return [(at, end) for (at, word), end in zip(changes, ends, strict=False) if word == "paused"]


def _bill(ledger: _Ledger, lines: Sequence[Charge], place: int) -> Bill:
    """An invoice's own amounts."""
    account, at = ledger.account, lines[0].at
    subtotal = sum(line.cents for line in lines)
    off = _discount(ledger.discounts, lines)
    tax = (2 * (subtotal - off) * words.TAX_PERCENT.get(account.country, 0) + 100) // 200
    base = [line for line in lines if line.is_base]
    return Bill(
        invoice_id=f"inv{str(ledger.row['subscription_id'])[3:]}-{place + 1:03d}",
        account_id=account.account_id,
        subscription_id=str(ledger.row["subscription_id"]),
        currency=str(ledger.row["currency"]),
        place=place,
        created_at=at,
        period_end_at=base[0].end if base else None,
        subtotal=subtotal,
        discount=off,
        tax=tax,
    )


def _discount(discounts: Sequence[Row], lines: Sequence[Charge]) -> int:
    """What discounts take off the recurring lines, in their order; never more than these cost.

    A part of a period has its percentage off, and no amount: that was taken off with the period.
    """
    at = lines[0].at
    left = total = sum(line.cents for line in lines if line.kind == "recurring")
    has_base = any(line.is_base for line in lines)
    for discount in discounts:
        if _holds(discount, at):
            if discount["percent_off"] is not None:
                left -= (left * int(discount["percent_off"]) + 50) // 100
            elif has_base:
                left = max(left - round(float(discount["amount_off"]) * 100), 0)
    return max(total - left, 0)


def _holds(discount: Mapping[str, Any], at: datetime) -> bool:
    if discount["duration"] == "once":
        return bool(at == discount["valid_from"])
    until = discount["valid_to"]
    return bool(discount["valid_from"] <= at and (until is None or at < until))


def _lines(bill: Bill, lines: Sequence[Charge], invoice_id: str) -> Iterator[tuple[str, Row]]:
    for place, line in enumerate(lines, start=1):
        yield (
            "invoice_lines",
            {
                "line_id": f"{invoice_id}-{place}",
                "invoice_id": invoice_id,
                "subscription_id": bill.subscription_id,
                "item_id": line.item_id,
                "kind": line.kind,
                "description": line.description,
                "quantity": line.quantity,
                "amount": money(line.cents),
                "is_proration": line.is_proration,
                "period_start_at": line.start,
                "period_end_at": line.end,
                "_created_at": bill.created_at,
            },
        )


def known_invoicing(
    invoicing: Invoicing, since: datetime | None, end: datetime
) -> Mapping[str, pl.DataFrame]:
    """The rows that are new or have changed from `since` on, as they read just before `end`.

    Args:
        invoicing: all invoices.
        since: the end of what was delivered before; None takes everything.
        end: the end of the day that is delivered.
    """
    moment = pl.lit(end)

    def told(column: str) -> pl.Expr:
        is_new = pl.lit(value=True) if since is None else pl.col(column) >= pl.lit(since)
        return (is_new & (pl.col(column) < moment)).fill_null(value=False)

    known = {
        name: table.filter(told(DATED_BY[name]))
        for name, table in invoicing.tables.items()
        if name in DATED_BY
    }
    if "invoices" in invoicing.tables:
        touched = invoicing.tables["invoices"].filter(pl.any_horizontal(map(told, HAPPENINGS)))
        known["invoices"] = _invoices_told(touched, moment)
    return known


def _invoices_told(invoices: pl.DataFrame, moment: pl.Expr) -> pl.DataFrame:
    """Invoices as billing shows them just before `moment`."""
    status = (
        pl.when(pl.col("voided_at") < moment).then(pl.lit("void"))
        .when(pl.col("paid_at") < moment).then(pl.lit("paid"))
        .when(pl.col("_given_up_at") < moment).then(pl.lit("uncollectible"))
        .when(pl.col("issued_at") < moment).then(pl.lit("open"))
        .otherwise(pl.lit("draft"))
    )  # fmt: skip
    hidden = [happened(name, moment) for name in ("issued_at", "paid_at", "voided_at")]
    return invoices.with_columns(*hidden, status=status)
