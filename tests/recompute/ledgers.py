"""A generated landing as the ledger that its MRR is made from."""

from collections import defaultdict
from datetime import UTC, date, tzinfo
from decimal import Decimal

from tests.recompute.books import Landing
from tests.recompute.calendars import local_month
from tests.recompute.segments import Ledger

NEVER_REVENUE = {"draft", "void"}


def ledger(rows: Landing, zone: tzinfo = UTC) -> Ledger:
    """The landing without what only usage is made from."""
    return Ledger(
        as_of=rows.as_of,
        accounts=rows.accounts,
        subscriptions=rows.subscriptions,
        items=rows.items,
        changes=rows.changes,
        discounts=rows.discounts,
        rates=rows.rates,
        migrations=rows.migrations,
        usage=usage_revenue(rows, zone),
        zone=zone,
    )


def usage_revenue(rows: Landing, zone: tzinfo) -> dict[tuple[str, date], Decimal]:
    """Usage-based revenue by account and month in which its invoice was made."""
    found: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for invoice in rows.invoices:
        if invoice["status"] in NEVER_REVENUE or invoice["created_at"] >= rows.as_of:
            continue
        month = local_month(invoice["created_at"], zone)
        for line in rows.lines:
            if line["invoice_id"] == invoice["invoice_id"] and line["kind"] == "usage":
                found[invoice["account_id"], month] += line["amount"]
    return dict(found)
