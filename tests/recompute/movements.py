"""What moves in an account's MRR under one policy, and when; plain Python.

Source: the project's spec 20 ("Movements") and decision 8 of its MRR core.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.calendars import (
    first_instant,
    local_day,
    local_month,
    next_month,
    shifted_month,
)
from tests.recompute.discounts import rounded
from tests.recompute.fx import Rates
from tests.recompute.policies import Policy
from tests.recompute.segments import Ledger, Segment, Valued, account_segments, valued
from tests.recompute.subscriptions import churn_reason, told

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]

ZERO = Decimal("0.00")
ZERO_ORIGINAL = Decimal("0.0000")


@dataclass(kw_only=True)
class Instant:
    """All that changes in one account at one instant."""

    fx: Decimal = ZERO
    net: Decimal = ZERO
    fx_by_currency: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    net_by_currency: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    original: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO_ORIGINAL))
    by_subscription: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account under one policy: what it pays, and what changed when."""

    row: Row
    ledger: Ledger
    policy: Policy
    rates: Rates
    paid: Sequence[Valued]
    trial: Sequence[Segment]
    instants: Mapping[datetime, Instant]

    @property
    def account_id(self) -> str:
        """Its id."""
        return str(self.row["account_id"])


def account_under(
    row: Row, ledger: Ledger, known: Rates, policy: Policy, months: Sequence[date]
) -> Account:
    """One account as a policy sees it."""
    segments = account_segments(row["account_id"], ledger, policy)
    paid = valued([s for s in segments if s.phase == "paid"], ledger, known, policy.fx)
    instants = _instants(paid)
    if policy.metered == "included":
        _add_metered(instants, str(row["account_id"]), months, ledger)
    return Account(
        row=row,
        ledger=ledger,
        policy=policy,
        rates=known,
        paid=paid,
        trial=[s for s in segments if s.phase == "trial"],
        instants=instants,
    )


def _instants(paid: Sequence[Valued]) -> dict[datetime, Instant]:
    """Every start, every change of a rate and every end, by instant."""
    found: dict[datetime, Instant] = defaultdict(Instant)
    for one in paid:
        first, last = one.rates[0][1], one.rates[-1][1]
        _add_net(found[one.segment.start], one.segment, one.amount(first), 1)
        if one.segment.end is not None:
            _add_net(found[one.segment.end], one.segment, one.amount(last), -1)
        for (_, before), (at, after) in zip(one.rates, one.rates[1:], strict=False):
            change = one.amount(after) - one.amount(before)
            found[at].fx += change
            found[at].fx_by_currency[one.segment.currency] += change
    return found


def _add_net(instant: Instant, segment: Segment, amount: Decimal, sign: int) -> None:
    instant.net += sign * amount
    instant.net_by_currency[segment.currency] += sign * amount
    instant.original[segment.currency] += sign * segment.amount_original
    instant.by_subscription[segment.subscription_id] += sign * amount


def _add_metered(
    instants: dict[datetime, Instant], account_id: str, months: Sequence[date], ledger: Ledger
) -> None:
    """What metered usage is worth changes at the first instants of months."""
    before = ZERO
    for month in months:
        now = metered_mrr(account_id, month, ledger)
        if now != before:
            instant = instants.setdefault(first_instant(month, ledger.zone), Instant())
            instant.net += now - before
            instant.net_by_currency[ledger.currency] += now - before
            instant.original[ledger.currency] += now - before
        before = now


def metered_mrr(account_id: str, month: date, ledger: Ledger) -> Decimal:
    """The mean of the last three full months' usage-based revenue, at the row's end."""
    return rounded(Fraction(sum(_metered_months(account_id, month, ledger))) / 3, 2)


def _metered_months(account_id: str, month: date, ledger: Ledger) -> list[Decimal]:
    """Usage-based revenue of the last three full months at the row's end."""
    is_partial = first_instant(next_month(month), ledger.zone) > ledger.as_of
    last = shifted_month(month, -1) if is_partial else month
    return [ledger.usage.get((account_id, shifted_month(last, -n)), ZERO) for n in range(3)]


def account_movements(account: Account) -> Rows:
    """One account's movements in order: rates first, then all that starts and ends, netted.

    Where nothing stood before, a rate has nothing to change: its part is judged with the rest.
    """
    balance = ZERO
    was_paying = False
    rows: Rows = []
    for at in sorted(account.instants):
        instant = account.instants[at]
        fx = instant.fx if balance > 0 else ZERO
        for is_fx, change in ((True, fx), (False, instant.net + instant.fx - fx)):
            if change == 0:
                continue
            before, balance = balance, balance + change
            name = "fx" if is_fx else _movement(before, balance, was_paying=was_paying)
            rows.append(_moved(account, at, name, before, balance))
            was_paying = was_paying or balance > 0
    return rows


def _movement(before: Decimal, after: Decimal, *, was_paying: bool) -> str:
    if before <= 0 < after:
        return "reactivation" if was_paying else "new"
    if after <= 0 < before:
        return "churn"
    return "expansion" if after > before else "contraction"


def _moved(
    account: Account, at: datetime, movement: str, before: Decimal, after: Decimal
) -> dict[str, Any]:
    instant = account.instants[at]
    if movement == "fx":
        changed, original = _changed(instant.fx_by_currency), ZERO_ORIGINAL
    else:
        changed = _changed(instant.original) | _changed(instant.net_by_currency)
        original = abs(sum(instant.original.values(), ZERO_ORIGINAL))
    row = {
        "account_id": account.account_id,
        "moved_at": at,
        "movement": movement,
        "policy": account.policy.policy,
        "moved_on": local_day(at, account.ledger.zone),
        "month": local_month(at, account.ledger.zone),
        "currency": min(changed) if len(changed) == 1 else None,
        "amount_original": original if len(changed) == 1 else None,
        "amount": after - before if movement == "fx" else abs(after - before),
        "mrr_before": before,
        "mrr_after": after,
    }
    return row | (_loss(account, at) if movement == "churn" else {"churn_reason": None})


def _changed(by_currency: Mapping[str, Decimal]) -> set[str]:
    return {currency for currency, change in by_currency.items() if change != 0}


def _loss(account: Account, at: datetime) -> dict[str, Any]:
    """The subscription that lost most, and why it did."""
    changes = account.instants[at].by_subscription
    lost = sorted((change, name) for name, change in changes.items() if change < 0)
    if not lost:
        return {"subscription_id": None, "churn_reason": "unknown"}
    name = lost[0][1]
    row = next(s for s in account.ledger.subscriptions if s["subscription_id"] == name)
    subscription = told(row, account.ledger.changes, account.ledger.as_of)
    migrated = frozenset(move["from_subscription_id"] for move in account.ledger.migrations)
    reason = churn_reason(subscription, at, account.policy, migrated)
    return {"subscription_id": name, "churn_reason": reason}
