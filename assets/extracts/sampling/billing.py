"""The sample's subscriptions: trials, seats, upgrades, yearly terms, cancellations, returns."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import Account, Calendar, instant
from assets.extracts.sampling.discounts import discounts_of
from assets.extracts.sampling.moments import INSTANT, add_months, frame, happened
from assets.extracts.sampling.standing import words_of

MONTHS = {"month": 1, "year": 12}
NOTICE_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class Term:
    """What an account pays for from an instant on."""

    at: datetime
    plan: str
    seats: int
    interval: str


@dataclass(frozen=True, kw_only=True)
class Billing:
    """All subscriptions and items with their whole future in them; `known_billing` hides it."""

    subscriptions: pl.DataFrame
    items: pl.DataFrame
    changes: pl.DataFrame
    discounts: pl.DataFrame


def plan_billing(seed: int, accounts: tuple[Account, ...], calendar: Calendar) -> Billing:
    """Every account's subscriptions and item segments."""
    subscriptions: list[dict[str, object]] = []
    items: list[dict[str, object]] = []
    changes: list[dict[str, object]] = []
    discounts: list[dict[str, object]] = []
    for account in accounts:
        rng = np.random.default_rng([seed, 6, account.number])
        for subscription, terms in _of_account(account, calendar, rng):
            subscriptions.append(subscription)
            own = list(_items(account, subscription, terms))
            items.extend(own)
            discounts.extend(discounts_of(account, subscription, own))
            changes.extend(
                {"subscription_id": own[0]["subscription_id"], "changed_at": at, "status": word}
                for at, word in words_of(account, subscription, terms[0].interval, calendar)
            )
    return Billing(
        subscriptions=frame(
            subscriptions, ("started_at", "ended_at", "trial_ends_at", "cancelled_at")
        ),
        items=frame(items, ("valid_from", "valid_to")),
        changes=frame(changes, ("changed_at",), ("subscription_id", "status")),
        discounts=frame(discounts, ("valid_from", "valid_to"), ("discount_id",)),
    )


def _of_account(
    account: Account, calendar: Calendar, rng: np.random.Generator
) -> Iterator[tuple[dict[str, object], list[Term]]]:
    """One account's subscriptions with their terms in order."""
    start = account.created_at.replace(microsecond=0) + timedelta(hours=1)
    has_trial = account.story in ("trial_lost", "trialing", "arrival") or account.number % 3 == 0
    paid = start + timedelta(days=14 * has_trial)
    end = _end(account, paid)
    first = Term(
        at=start,
        plan=account.tier,
        seats=max(2, round(account.users * 0.8)),
        interval="year" if account.number % 4 == 1 and end is None else "month",
    )
    terms = [first, *(t for t in _changes(account, first, paid, calendar, rng) if t.at > paid)]
    yield _subscription(account, 1, start, paid, end), _until(terms, end)
    if account.back_day is not None:
        back = instant(account.back_day) + timedelta(hours=9, minutes=30)
        again = [replace(first, at=back, seats=max(2, first.seats // 2))]
        yield _subscription(account, 2, back, back, None), again
    if account.number in (2, 24):
        second = add_months(paid, 4)
        addition = [Term(at=second, plan="Starter", seats=5, interval="month")]
        yield _subscription(account, 3, second, second, end), addition


def _end(account: Account, paid: datetime) -> datetime | None:
    """The end of the paid period in which the account leaves; a lost trial ends unpaid."""
    if account.left_day is None:
        return None
    if account.story == "trial_lost":
        return paid
    left = instant(account.left_day)
    months = (left.year - paid.year) * 12 + left.month - paid.month
    end = add_months(paid, months)
    return end if end >= left else add_months(paid, months + 1)


def _until(terms: list[Term], end: datetime | None) -> list[Term]:
    return [term for term in terms if end is None or term.at < end]


def _changes(
    account: Account, first: Term, paid: datetime, calendar: Calendar, rng: np.random.Generator
) -> list[Term]:
    """How the terms change, by the account's story."""
    plans = list(words.PLANS)
    place = plans.index(first.plan)
    turn = instant(calendar.day(0)) + timedelta(hours=10, seconds=int(rng.integers(3_600)))

    def grow() -> list[Term]:
        days = np.cumsum(rng.integers(60, 120, 8))
        seats = [max(first.seats + n, round(first.seats * 1.14**n)) for n in range(1, 9)]
        upgrade = plans[min(place + (account.number % 2), 2)]
        steps = zip(days, seats, strict=True)
        return [
            replace(
                first,
                at=paid + timedelta(days=int(d), hours=5),
                seats=s,
                plan=upgrade if n > 1 else first.plan,
            )
            for n, (d, s) in enumerate(steps)
        ]

    def settle() -> list[Term]:
        if account.number % 5 == 0 and first.interval == "month":
            return [replace(first, at=add_months(paid, 6), interval="year")]
        return [replace(first, at=paid + timedelta(days=130), seats=first.seats + 2)]

    def shrink(seats: int, at: datetime) -> list[Term]:
        return [replace(first, at=at, seats=max(1, seats))]

    stories: Mapping[str, Callable[[], list[Term]]] = {
        "growing": grow,
        "arrival": grow,
        "steady": settle,
        "quiet": lambda: [replace(first, at=add_months(paid, 5), plan=plans[max(place - 1, 0)])],
        "trouble": lambda: shrink(round(first.seats * 0.6), turn - timedelta(days=20)),
        "improving": lambda: shrink(round(first.seats * 1.4) + 1, turn - timedelta(days=15)),
        "churned": lambda: shrink(round(first.seats * 0.7), add_months(paid, 4)),
    }
    return stories.get(account.story, list)()


def _subscription(
    account: Account, number: int, start: datetime, paid: datetime, end: datetime | None
) -> dict[str, object]:
    """A subscription's own columns, everything that will happen included."""
    notice = timedelta(days=2 if account.story == "trial_lost" else 33)
    return {
        "subscription_id": f"sub-{account.number:04d}-{number}",
        "account_id": account.account_id,
        "currency": account.currency,
        "started_at": start,
        "ended_at": end,
        "trial_ends_at": paid if paid > start else None,
        "cancelled_at": None if end is None else max(end - notice, start),
        "_term_months": _term(account, paid, end),
    }


def _term(account: Account, paid: datetime, end: datetime | None) -> int | None:
    """The months for which a contract renews that is paid by the month; as a rule there is none."""
    if end is None:
        return 12 if account.number % 7 == 3 else None
    months = (end.year - paid.year) * 12 + end.month - paid.month
    return next((term for term in (6, 3) if months and months % term == 0), None)


def _items(
    account: Account, subscription: dict[str, object], terms: list[Term]
) -> Iterator[dict[str, object]]:
    """The seats' segments and, in some accounts, an add-on and a metered line."""
    key = str(subscription["subscription_id"]).replace("sub", "item")
    ends = [*(term.at for term in terms[1:]), None]
    for term, end in zip(terms, ends, strict=True):
        months = 10 if term.interval == "year" else 1
        cents = words.PLANS[term.plan] * 100 * months * (100 - 5 * (account.number % 3)) // 100
        yield _item(subscription, f"{key}-a", f"{term.plan} seats", cents, term, end)
    flat = replace(terms[0], seats=1, interval="month")
    if account.number % 6 == 4:
        yield _item(subscription, f"{key}-b", "Insights add-on", 14_900, flat, None)
    if account.number % 15 == 6:
        calls = replace(flat, seats=10_000)
        yield _item(subscription, f"{key}-c", "API calls", 1, calls, None) | {"is_metered": True}


def _item(
    subscription: dict[str, object],
    item_id: str,
    product: str,
    cents: int,
    term: Term,
    end: datetime | None,
) -> dict[str, object]:
    return {
        "item_id": item_id,
        "subscription_id": subscription["subscription_id"],
        "product": product,
        "price": f"{cents // 100}.{cents % 100:02d}",
        "quantity": term.seats,
        "interval": term.interval,
        "interval_count": 1,
        "is_metered": False,
        "valid_from": term.at,
        "valid_to": end,
        "_plan": term.plan,
    }


def known_billing(billing: Billing, end: datetime) -> Billing:
    """What the billing system says just before `end`: nothing that happens later is in it."""
    moment = pl.lit(end, dtype=INSTANT)
    items = billing.items.filter(pl.col("valid_from") < moment)
    items = items.with_columns(valid_to=happened("valid_to", moment))
    changes = billing.changes.filter(pl.col("changed_at") < moment)
    seats = items.filter(pl.col("item_id").str.ends_with("-a")).sort("valid_from")
    latest = seats.group_by("subscription_id", maintain_order=True).agg(
        plan=pl.col("_plan").last(),
        _months=pl.col("interval").last().replace_strict(MONTHS, return_dtype=pl.Int64),
        _changed_at=pl.col("valid_from").last(),
    )
    subscriptions = billing.subscriptions.filter(pl.col("started_at") < moment)
    subscriptions = subscriptions.join(latest, on="subscription_id", maintain_order="left")
    by_subscription = changes.sort("changed_at").group_by("subscription_id", maintain_order=True)
    stand = by_subscription.agg(_word=pl.col("status").last(), _word_at=pl.col("changed_at").last())
    subscriptions = subscriptions.join(
        stand, on="subscription_id", how="left", maintain_order="left"
    )
    return Billing(
        subscriptions=_told(subscriptions, moment),
        items=items,
        changes=changes,
        discounts=billing.discounts.filter(pl.col("valid_from") < moment),
    )


def _told(subscriptions: pl.DataFrame, moment: pl.Expr) -> pl.DataFrame:
    """The subscriptions' columns as they read just before `moment`."""
    anchor = pl.coalesce("trial_ends_at", "started_at")
    status = (
        pl.when(pl.col("ended_at") < moment).then(pl.lit("canceled"))
        .when(pl.col("trial_ends_at") >= moment).then(pl.lit("trialing"))
        .otherwise(pl.col("_word").fill_null("active"))
    )  # fmt: skip
    is_yearly = pl.col("_months") == MONTHS["year"]
    term = pl.when(is_yearly).then(pl.col("_months")).otherwise(pl.col("_term_months"))
    told = subscriptions.with_columns(
        status=status,
        cancel_at=pl.when(pl.col("cancelled_at") < moment).then(pl.col("ended_at")),
        cancelled_at=happened("cancelled_at", moment),
        ended_at=happened("ended_at", moment),
        current_period_end_at=_period_end(anchor, pl.col("_months"), moment),
        renewal_term_months=term,
        notice_days=pl.when(term.is_not_null()).then(NOTICE_DAYS),
        created_at=pl.col("started_at"),
    )
    changes = [
        pl.col("started_at", "_changed_at", "cancelled_at", "ended_at", "_word_at"),
        happened("trial_ends_at", moment),
    ]
    return told.with_columns(updated_at=pl.max_horizontal(changes))


def _period_end(anchor: pl.Expr, months: pl.Expr, moment: pl.Expr) -> pl.Expr:
    """The first end of a period after `moment`, counted from the anchor so that none drifts."""
    since = (moment.dt.year() - anchor.dt.year()) * 12 + moment.dt.month() - anchor.dt.month()
    periods = pl.max_horizontal(since.cast(pl.Int64) // months, 0)

    def after(count: pl.Expr) -> pl.Expr:
        return anchor.dt.offset_by(pl.format("{}mo", count * months))

    return (
        pl.when(anchor >= moment).then(anchor)
        .when(after(periods) >= moment).then(after(periods))
        .otherwise(after(periods + 1))
    )  # fmt: skip
