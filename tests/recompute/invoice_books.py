"""Random invoices with lines, payments, credit notes and rates that are rich in oddities.

The dice are those of `books`: seeded ones for big landings, hypothesis's own for small ones.
Instants and amounts come from small pools, so that what breaks arithmetic (a month's first instant,
the as-of itself, a payment of exactly what is owed, a discount that leaves a remainder) happens all
the time. Rows have every column that the marts read, None where empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.recompute.books import AS_OFS, MICROSECOND, Dice, DrawnDice, Rows, SeededDice

STATUSES = (
    "paid", "paid", "Paid", "open", "open", "posted", "past_due", "on its way", "draft", "void",
    "Voided", "uncollectible", "written_off",
)  # fmt: skip
LINE_AMOUNTS = ("100", "33.33", "33.33", "49.995", "-20", "0", "1200", "0.0001", "-33.33", "7.77")
PAYMENT_WORDS = (None, None, "succeeded", "Succeeded", "failed", "pending", "canceled", "refunded")
CURRENCIES = ("USD", "USD", "USD", "usd", "EUR", "JPY", "GBP")
A_DAY = (timedelta(), timedelta(days=1))
RATES = ("1.1", "1.00500000", "0.00671234", "1.23456789", "0.01")


@dataclass(frozen=True, kw_only=True)
class InvoiceLanding:
    """Canonical rows of one generated landing, and the as-of instant to look at them from."""

    as_of: datetime
    accounts: Rows
    links: Rows
    merges: Rows
    subscriptions: Rows
    changes: Rows
    items: Rows
    invoices: Rows
    lines: Rows
    payments: Rows
    credit_notes: Rows
    fx_rates: Rows

    def raw_tables(self) -> dict[str, Rows]:
        """The landing by raw table."""
        return {
            "crm.accounts": self.accounts,
            "crm.account_links": self.links,
            "crm.account_merges": self.merges,
            "invoices.subscriptions": self.subscriptions,
            "invoices.subscription_changes": self.changes,
            "invoices.subscription_items": self.items,
            "invoices.invoices": self.invoices,
            "invoices.invoice_lines": self.lines,
            "invoices.payments": self.payments,
            "invoices.credit_notes": self.credit_notes,
            "invoices.fx_rates": self.fx_rates,
        }


def seeded_invoices(seed: int, *, accounts: int = 32, invoices: int = 400) -> InvoiceLanding:
    """A landing of that many accounts and invoices; the same seed gives the same rows."""
    return invoice_landing(SeededDice(np.random.default_rng(seed)), accounts, invoices)


@st.composite
def invoice_landings(draw: Callable[[st.SearchStrategy[Any]], Any]) -> InvoiceLanding:
    """Small landings: two accounts and up to six invoices."""
    dice = DrawnDice(draw)
    return invoice_landing(dice, 2, dice.pick(range(7)))


def invoice_landing(dice: Dice, accounts: int, invoices: int) -> InvoiceLanding:
    """A whole landing."""
    as_of = dice.pick(AS_OFS)
    instants = _instants(as_of)
    names = [f"a{number:02d}" for number in range(accounts)]
    subscriptions, items, changes = _subscriptions(dice, names, instants)
    billed: Rows = []
    lines: Rows = []
    payments: Rows = []
    credit_notes: Rows = []
    for number in range(invoices):
        invoice = _invoice(dice, f"i{number:04d}", names, subscriptions, instants)
        own = _lines(dice, invoice, instants)
        _set_totals(dice, invoice, own)
        billed.append(invoice)
        lines.extend(own)
        payments.extend(_payments(dice, invoice, names, instants))
        credit_notes.extend(_credit_notes(dice, invoice, instants))
    return InvoiceLanding(
        as_of=as_of,
        accounts=[_account(dice, name, as_of) for name in names],
        links=[
            *(_link(dice, name, instants) for name in names[::4]),
            *(_link_anew(dice, name, names, instants) for name in names[::8]),
        ],
        merges=_merges(dice, names, as_of),
        subscriptions=subscriptions,
        changes=changes,
        items=items,
        invoices=billed,
        lines=lines,
        payments=payments,
        credit_notes=credit_notes,
        fx_rates=_fx_rates(dice, as_of),
    )


def _instants(as_of: datetime) -> tuple[datetime, ...]:
    """The instants at which anything happens: edges most of them."""
    return (
        _utc(2023, 10, 12, 8), _utc(2023, 12, 1), _utc(2023, 12, 31, 23), _utc(2024, 1, 1),
        _utc(2024, 1, 15, 9), _utc(2024, 1, 31), _utc(2024, 2, 1) - MICROSECOND, _utc(2024, 2, 1),
        _utc(2024, 2, 29, 12), _utc(2024, 3, 1), _utc(2024, 3, 15), as_of - MICROSECOND, as_of,
        as_of + timedelta(days=20),
    )  # fmt: skip


def _account(dice: Dice, name: str, as_of: datetime) -> dict[str, Any]:
    created = (_utc(2023, 5, 1), _utc(2023, 11, 30, 23), _utc(2024, 2, 29), as_of - MICROSECOND)
    return {
        "account_id": name,
        "account_name": f"Account {name}",
        "contract_value_amount": dice.pick((None, None, Decimal("1200.0050"), Decimal("99"))),
        "currency": dice.pick((None, *CURRENCIES)),
        "created_at": dice.pick(created),
        "is_test": dice.pick((False,) * 9 + (True, None)),
    }


def _link(dice: Dice, name: str, instants: Sequence[datetime]) -> dict[str, Any]:
    return {
        "source": dice.pick(("invoices", "invoices", "invoices", "tickets")),
        "source_account_id": f"org-{name}",
        "account_id": name,
        "valid_from": dice.pick((None, None, *instants[:8])),
        "valid_to": dice.pick((None, None, None, *instants[8:])),
    }


def _link_anew(
    dice: Dice, name: str, names: Sequence[str], instants: Sequence[datetime]
) -> dict[str, Any]:
    """The same id is another account's from an instant on."""
    own = {"account_id": dice.pick(names), "valid_from": dice.pick(instants[3:8])}
    return _link(dice, name, instants) | own


def _merges(dice: Dice, names: Sequence[str], as_of: datetime) -> Rows:
    """Now and then two of the accounts became part of the one before."""
    return [
        {
            "from_account_id": names[place],
            "into_account_id": names[place - 1],
            "merged_at": dice.pick((_utc(2024, 1, 15, 9), as_of - MICROSECOND)),
        }
        for place in range(1, min(len(names), 8), 3)
        if dice.pick((False, True))
    ]


def _subscriptions(
    dice: Dice, names: Sequence[str], instants: Sequence[datetime]
) -> tuple[Rows, Rows, Rows]:
    """One subscription for most accounts, with one item, and a history of status for some."""
    subscriptions: Rows = []
    items: Rows = []
    changes: Rows = []
    for name in names:
        start = dice.pick(instants[:10])
        subscriptions.append(
            {
                "subscription_id": f"s{name}",
                "account_id": dice.pick((name, name, f"org-{name}")),
                "status": dice.pick(("active", "active", "unpaid", "past_due", "paused")),
                "plan": "Basic",
                "currency": dice.pick(("USD", "USD", "EUR")),
                "started_at": start,
                "ended_at": dice.pick((None, None, None, *instants[8:])),
                "renewal_term_months": dice.pick((None, 1, 12)),
            }
        )
        items.append(
            {
                "item_id": f"x{name}",
                "subscription_id": f"s{name}",
                "product": "Seats",
                "price": Decimal(dice.pick(("100", "33.33", "1200"))),
                "quantity": Decimal(dice.pick(("1", "3"))),
                "interval": dice.pick(("month", "month", "year")),
                "is_metered": False,
                "valid_from": start,
            }
        )
        for at in sorted({dice.pick(instants) for _ in range(dice.pick((0, 0, 1, 2)))}):
            word = dice.pick(("active", "past_due", "unpaid", "incomplete"))
            changes.append({"subscription_id": f"s{name}", "changed_at": at, "status": word})
    return subscriptions, items, changes


def _invoice(
    dice: Dice,
    name: str,
    names: Sequence[str],
    subscriptions: Sequence[Any],
    instants: Sequence[datetime],
) -> dict[str, Any]:
    created = dice.pick(instants)
    later = [at for at in instants if at >= created]
    account = dice.pick(names)
    return {
        "invoice_id": name,
        "account_id": dice.pick(
            (account, account, account, f"org-{account}", account, account, "ghost")
        ),
        "subscription_id": dice.pick((None, *(s["subscription_id"] for s in subscriptions))),
        "number": dice.pick((None, f"N-{name}")),
        "status": dice.pick(STATUSES),
        "currency": dice.pick(CURRENCIES),
        "created_at": created,
        "issued_at": dice.pick((None, created, *later)),
        "due_on": dice.pick((None, *(at.date() + dice.pick(A_DAY) for at in later))),
        "paid_at": dice.pick((None,) * 20 + (*later, instants[0])),
        "voided_at": dice.pick((None,) * 60 + tuple(later)),
        "subtotal_amount": None,
        "discount_amount": None,
        "tax_amount": None,
        "total_amount": None,
    }


def _lines(dice: Dice, invoice: dict[str, Any], instants: Sequence[datetime]) -> Rows:
    """No line up to four, with a period, an empty one or none."""
    return [
        {
            "line_id": f"{invoice['invoice_id']}.{place}",
            "invoice_id": invoice["invoice_id"],
            "subscription_id": dice.pick((None, None, invoice["subscription_id"])),
            "kind": dice.pick(("recurring", "recurring", "one_time", "usage")),
            "amount": Decimal(dice.pick(LINE_AMOUNTS)),
            "is_proration": dice.pick((None, False, True)),
            "period_start_at": dice.pick((None, *instants[:6])),
            "period_end_at": dice.pick((None, *instants[5:])),
        }
        for place in range(dice.pick((0, 1, 1, 2, 3, 4)))
    ]


def _set_totals(dice: Dice, invoice: dict[str, Any], lines: Rows) -> None:
    """Totals that agree with the lines, that have the discount in them already, or that don't."""
    summed = sum((row["amount"] for row in lines), Decimal(0))
    discount = dice.pick((None, None, Decimal(10), Decimal("0.0001"), Decimal("33.335")))
    tax = dice.pick((None, None, Decimal("19.0000"), Decimal("0.005")))
    net = summed - dice.pick((discount or Decimal(0), discount or Decimal(0), Decimal(0)))
    invoice["discount_amount"] = discount
    invoice["tax_amount"] = tax
    total = net + (tax or Decimal(0)) + dice.pick((Decimal(0),) * 5 + (Decimal("12.34"),))
    invoice["subtotal_amount"] = dice.pick((None, summed))
    invoice["total_amount"] = dice.pick((None, total, total, total))


def _payments(
    dice: Dice, invoice: dict[str, Any], names: Sequence[str], instants: Sequence[datetime]
) -> Rows:
    """Nothing, all of it in one or in parts, too much; a refund; another currency; no invoice."""
    owed = invoice["total_amount"] or Decimal(100)
    parts = dice.pick(
        ((), (), (owed,), (owed,), (owed / 2,), (owed / 4, owed - owed / 4), (owed, owed),
         (owed, -owed / 4), (Decimal("33.33"), Decimal("33.33"), Decimal("-5.005")))
    )  # fmt: skip
    return [
        {
            "payment_id": f"p-{invoice['invoice_id']}.{place}",
            "account_id": dice.pick((invoice["account_id"],) * 4 + (names[0],)),
            "invoice_id": dice.pick((invoice["invoice_id"],) * 5 + (None, "nowhere")),
            "currency": dice.pick((invoice["currency"],) * 5 + ("USD",)),
            "amount": amount.quantize(Decimal("0.0001")),
            "paid_at": dice.pick(instants),
            "status": dice.pick(PAYMENT_WORDS),
        }
        for place, amount in enumerate(parts)
    ]


def _credit_notes(dice: Dice, invoice: dict[str, Any], instants: Sequence[datetime]) -> Rows:
    return [
        {
            "credit_note_id": f"c-{invoice['invoice_id']}",
            "account_id": invoice["account_id"],
            "invoice_id": dice.pick((invoice["invoice_id"],) * 3 + (None,)),
            "currency": dice.pick((invoice["currency"],) * 5 + ("EUR",)),
            "amount": Decimal(dice.pick(("10", "33.335", "100"))),
            "issued_at": dice.pick(instants),
            "period_start_at": dice.pick((None, *instants)),
            "period_end_at": dice.pick((None, *instants)),
        }
        for _ in range(dice.pick((0, 0, 0, 1)))
    ]


def _fx_rates(dice: Dice, as_of: datetime) -> Rows:
    """Rates of some days around the ends of months; GBP has gaps, JPY always has one."""
    days = [date(2023, 9, 30) + timedelta(days=n) for n in range(220)]
    chances = {"EUR": (True, False), "JPY": (True,), "GBP": (True,) + (False,) * 12}
    return [
        {"currency": currency, "day": day, "rate": Decimal(dice.pick(RATES))}
        for currency, chance in chances.items()
        for day in days
        if _is_near_a_months_end(day) and day <= as_of.date() and dice.pick(chance)
    ]


def _is_near_a_months_end(day: date) -> bool:
    return day.day in (1, 24, 25, 30, 31) or (day.month == 2 and day.day in (22, 23, 29))


def _utc(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)
