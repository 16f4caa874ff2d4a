"""What an account is worth and owes once more, in plain Python; shares no code with the product.

MRR and renewals are taken from the built warehouse: others recompute those.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.invoice_marts import (
    BUCKETS,
    InvoiceBooks,
    fct_invoices,
    total,
)
from tests.recompute.invoice_world import World, rounded

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]


def account_revenue(books: InvoiceBooks, mrr: Sequence[Row], subscriptions: Sequence[Row]) -> Rows:
    """One row per account.

    Args:
        books: what was invoiced.
        mrr: rows of fct_mrr_monthly.
        subscriptions: rows of fct_subscriptions.
    """
    world = books.world
    invoices = fct_invoices(books)
    landed = [r["created_at"] for r in world.landing.invoices if r["created_at"] < world.as_of]
    rows = []
    for name, row in world.accounts().items():
        own = [r for r in invoices if r["account_id"] == name]
        arr = 12 * total([
            r["ending_mrr"] for r in mrr
            if (r["account_id"], r["month"], r["policy"]) == (name, world.last_month, "standard")
        ])  # fmt: skip
        first = min(map(world.day, [row["created_at"], *books.subscribed(name)]))
        rows.append(
            {
                "account_id": name,
                "lifetime_revenue_amount": _earned(name, own, books),
                "lifetime_payments_amount": total(
                    [paid.amount for paid in books.payments if paid.account_id == name]
                ),
                "arr": arr,
                **_contract(row, arr, world),
                **_renewal(name, subscriptions),
                **_owed(own),
                **_ends(name, books),
                "is_left_truncated": bool(landed) and first < world.month(min(landed)),
            }
        )
    return rows


def _earned(name: str, own: Sequence[Row], books: InvoiceBooks) -> Decimal:
    """What was invoiced less what was credited, whatever months of service that takes back."""
    invoiced = total([r["net_amount"] for r in own if r["is_revenue"]])
    return invoiced - total([note.amount for note in books.notes if note.account_id == name])


def _contract(row: Row, arr: Decimal, world: World) -> dict[str, Any]:
    amount, currency = row["contract_value_amount"], row["currency"] or world.reporting
    rate = world.rate(currency, world.last_month)
    known = amount is not None and rate is not None
    return {
        "contract_value_source": "crm" if known else "arr",
        "contract_value_amount": rounded(Fraction(amount) * rate, 2) if known and rate else arr,
        "contract_value_amount_original": amount,
    }


def _renewal(name: str, subscriptions: Sequence[Row]) -> dict[str, Any]:
    renewing = [
        s for s in subscriptions if s["account_id"] == name and s["next_renewal_on"] is not None
    ]
    on = min((s["next_renewal_on"] for s in renewing), default=None)
    arr = total([s["arr"] for s in renewing if s["next_renewal_on"] == on])
    return {"next_renewal_on": on, "next_renewal_arr": arr if renewing else None}


def _owed(own: Sequence[Row]) -> dict[str, Any]:
    ages = {
        f"{bucket}_amount": total(
            [r["outstanding_amount"] for r in own if r["ageing_bucket"] == bucket]
        )
        for bucket in ("not_due", *BUCKETS)
    }
    return {
        "outstanding_amount": total(list(ages.values())),
        "overdue_amount": total(list(ages.values())[1:]),
        "credit_balance_amount": total([r["credit_balance_amount"] for r in own]),
        **ages,
        "oldest_overdue_days": max((r["overdue_days"] for r in own), default=0),
        "invoice_count": sum(r["is_revenue"] for r in own),
        "overdue_invoice_count": sum(r["is_overdue"] for r in own),
    }


def _ends(name: str, books: InvoiceBooks) -> dict[str, Any]:
    """The first and the last invoice."""
    own = sorted(
        (one.row["created_at"], one.row["invoice_id"])
        for one in books.invoices
        if one.account_id == name and one.is_revenue
    )
    return {
        "first_invoice_id": own[0][1] if own else None,
        "last_invoice_id": own[-1][1] if own else None,
        "first_invoice_on": books.world.day(own[0][0]) if own else None,
        "last_invoice_on": books.world.day(own[-1][0]) if own else None,
    }
