"""Item segments: what each item pays, when, and at which rates; plain Python, any policy.

Source: the project's spec 20 and the decisions 3 to 7 of its MRR core.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.recompute.calendars import later_by
from tests.recompute.discounts import Shelf, gross, rounded
from tests.recompute.fx import Rates, month_starts
from tests.recompute.policies import STANDARD, Policy
from tests.recompute.subscriptions import Span, Told, earlier, spans, told

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The landed rows that MRR is made from, as of an instant."""

    as_of: datetime
    accounts: Sequence[Row]
    subscriptions: Sequence[Row]
    items: Sequence[Row]
    changes: Sequence[Row] = ()
    discounts: Sequence[Row] = ()
    rates: Sequence[Row] = ()
    migrations: Sequence[Row] = ()
    # Usage-based revenue by account and first day of a month.
    usage: Mapping[tuple[str, Any], Decimal] = field(default_factory=dict)
    currency: str = "USD"
    zone: tzinfo = UTC

    def of_account(self, account_id: str) -> "Ledger":
        """What is one account's own."""
        own = [s for s in self.subscriptions if s["account_id"] == account_id]
        names = {s["subscription_id"] for s in own}

        def of_names(rows: Sequence[Row]) -> list[Row]:
            return [row for row in rows if row["subscription_id"] in names]

        return replace(
            self,
            subscriptions=own,
            items=of_names(self.items),
            changes=of_names(self.changes),
            discounts=of_names(self.discounts),
        )


@dataclass(frozen=True, kw_only=True)
class Segment:
    """An item at one price, for as long as it is in one phase of its subscription.

    `end` is exclusive and None while the segment goes on; `phase` is paid or trial; `anchor` is
    where its service periods are counted from.
    """

    account_id: str
    subscription_id: str
    item: Row
    phase: str
    currency: str
    net: Fraction
    anchor: datetime
    start: datetime
    end: datetime | None

    @property
    def amount(self) -> Decimal:
        """The net amount in its own currency, to the cent."""
        return rounded(self.net, 2)

    @property
    def amount_original(self) -> Decimal:
        """The net amount in its own currency, with the four decimals that it keeps there."""
        return rounded(self.net, 4)

    def holds_at(self, instant: datetime) -> bool:
        """In force at the instant itself."""
        return self.start <= instant and (self.end is None or instant < self.end)

    def holds_just_before(self, instant: datetime) -> bool:
        """In force in the last moment before the instant."""
        return self.start < instant and (self.end is None or instant <= self.end)


def account_segments(account_id: str, ledger: Ledger, policy: Policy) -> list[Segment]:
    """Every stretch of the account's items that starts before as-of; migrations and gaps bridged.

    An end that is still to come is no end.
    """
    found = [
        segment
        for row in ledger.subscriptions
        if row["account_id"] == account_id and row["started_at"] < ledger.as_of
        for segment in _of_subscription(told(row, ledger.changes, ledger.as_of), ledger, policy)
    ]
    return _gaps_bridged(_migrated(found, ledger), policy.gap_days)


def item_segments(
    accounts: Sequence[Row],
    subscriptions: Sequence[Row],
    items: Sequence[Row],
    as_of: datetime,
    *,
    currency: str,
) -> Iterator[Segment]:
    """Every segment in one currency, policy standard, where only subscriptions and items landed."""
    own = [s for s in subscriptions if s["currency"] == currency]
    ledger = Ledger(as_of=as_of, accounts=accounts, subscriptions=own, items=items)
    for account in accounts:
        yield from account_segments(account["account_id"], ledger, STANDARD)


def _at_one_price(items: Sequence[Row], as_of: datetime) -> Iterator[Row]:
    """Every item that has begun, until its next price begins where nobody ended it before."""
    begun = [item for item in items if item["valid_from"] < as_of]
    starts = defaultdict(list)
    for item in begun:
        starts[item["item_id"]].append(item["valid_from"])
    for item in begun:
        later = [start for start in starts[item["item_id"]] if start > item["valid_from"]]
        yield {**item, "valid_to": earlier(item.get("valid_to"), min(later, default=None))}


def _of_subscription(subscription: Told, ledger: Ledger, policy: Policy) -> Iterator[Segment]:
    name = subscription.row["subscription_id"]
    own = [item for item in ledger.items if item["subscription_id"] == name]
    items = [item for item in _at_one_price(own, ledger.as_of) if not item.get("is_metered")]
    shelf = Shelf(
        currency=subscription.row["currency"],
        items=items,
        discounts=[d for d in ledger.discounts if d["subscription_id"] == name],
        kinds=policy.discounts,
        zone=ledger.zone,
    )
    for span in spans(subscription, policy):
        for item in items:
            yield from _stretches(subscription, item, span, shelf)


def _stretches(subscription: Told, item: Row, span: Span, shelf: Shelf) -> Iterator[Segment]:
    """The item inside a span, cut where its price changes and nowhere else."""
    start, end = max(span.start, item["valid_from"]), earlier(span.end, item.get("valid_to"))
    end = None if end is not None and end >= subscription.as_of else end
    until = subscription.as_of if end is None else end
    if start >= until:
        return
    edges = [start, *sorted({edge for edge in shelf.edges(item) if start < edge < until})]
    prices = [(edge, shelf.net(item, edge)) for edge in edges]
    cuts = [p for n, p in enumerate(prices) if n == 0 or p[1] != prices[n - 1][1]]
    ends = [*(edge for edge, _ in cuts[1:]), end]
    for (edge, net), stop in zip(cuts, ends, strict=True):
        yield Segment(
            account_id=subscription.row["account_id"],
            subscription_id=subscription.row["subscription_id"],
            item=item,
            phase=span.phase,
            currency=subscription.row["currency"],
            net=net,
            anchor=start,
            start=edge,
            end=stop,
        )


def _migrated(segments: list[Segment], ledger: Ledger) -> list[Segment]:
    """A subscription that was moved to another one stops where that one begins to pay."""
    begins = _by_subscription(segments, lambda own: min(s.start for s in own))
    ends = _by_subscription(segments, _last_end)
    for move in ledger.migrations:
        source, at = move["from_subscription_id"], begins.get(move["to_subscription_id"])
        if source in ends and at is not None:
            segments = [
                _stopped(s, at, ends[source]) if s.subscription_id == source else s
                for s in segments
            ]
    return [s for s in segments if s.end is None or s.start < s.end]


def _by_subscription(
    segments: Iterable[Segment], told_by: Callable[[list[Segment]], Any]
) -> dict[str, Any]:
    paid = defaultdict(list)
    for segment in segments:
        if segment.phase == "paid":
            paid[segment.subscription_id].append(segment)
    return {name: told_by(own) for name, own in paid.items()}


def _last_end(segments: Iterable[Segment]) -> datetime | None:
    ends = [s.end for s in segments]
    return None if None in ends else max(end for end in ends if end is not None)


def _stopped(segment: Segment, at: datetime, last_end: datetime | None) -> Segment:
    if segment.phase == "trial":
        return segment
    return replace(segment, end=at if segment.end == last_end else earlier(segment.end, at))


def _gaps_bridged(segments: list[Segment], days: int) -> list[Segment]:
    """A pause of the whole account that is no longer than so many days is none."""
    paying = [s for s in segments if s.phase == "paid" and s.net > 0]
    for end in sorted({s.end for s in paying if s.end is not None}):
        starts = [s.start for s in paying if s.start > end]
        goes_on = any(s.start <= end and (s.end is None or s.end > end) for s in paying)
        if goes_on or not starts or min(starts) - end > timedelta(days=days):
            continue
        segments = [
            replace(s, end=min(starts)) if s.phase == "paid" and s.end == end else s
            for s in segments
        ]
    return segments


@dataclass(frozen=True, kw_only=True)
class Valued:
    """A segment with the rates that it stands at in turn: (from, rate); the last one to its end."""

    segment: Segment
    rates: Sequence[tuple[datetime, Fraction]]

    def rate_at(self, instant: datetime) -> Fraction:
        """The rate in force at the instant."""
        return [rate for at, rate in self.rates if at <= instant][-1]

    def rate_just_before(self, instant: datetime) -> Fraction:
        """The rate in force in the last moment before the instant."""
        return [rate for at, rate in self.rates if at < instant][-1]

    def amount(self, rate: Fraction) -> Decimal:
        """The net amount in the reporting currency."""
        return rounded(self.segment.net * rate, 2)

    def gross_amount(self, rate: Fraction) -> Decimal:
        """The amount before discounts in the reporting currency."""
        return rounded(gross(self.segment.item) * rate, 2)


def valued(segments: Iterable[Segment], ledger: Ledger, rates: Rates, fx: str) -> list[Valued]:
    """The segments with their rates; one that lacks any rate that it needs is left out whole."""
    found = []
    for segment in segments:
        by = _by_period if fx == "period_start" else _by_month
        told_rates = by(segment, ledger, rates)
        known = [(at, rate) for at, rate in told_rates if rate is not None]
        if len(known) == len(told_rates):
            found.append(Valued(segment=segment, rates=known))
    return found


def _by_month(
    segment: Segment, ledger: Ledger, rates: Rates
) -> list[tuple[datetime, Fraction | None]]:
    last = _last_instant(ledger) if segment.end is None else segment.end
    changes = month_starts(segment.start, last, ledger.zone)
    return [(at, rates.of_month(segment.currency, at)) for at in (segment.start, *changes)]


def _by_period(
    segment: Segment, ledger: Ledger, rates: Rates
) -> list[tuple[datetime, Fraction | None]]:
    """The period that it starts in, and those that begin strictly inside it."""
    item = segment.item
    if segment.currency == ledger.currency:
        return [(segment.start, Fraction(1))]
    last = _last_instant(ledger) if segment.end is None else segment.end - timedelta.resolution
    periods = [segment.anchor]
    while periods[-1] <= last:
        count = item.get("interval_count") or 1
        periods.append(later_by(segment.anchor, len(periods), item["interval"], count, ledger.zone))
    begun = [at for at in periods if at <= segment.start]
    inside = [at for at in periods if segment.start < at <= last]
    return [
        (segment.start, rates.before(segment.currency, begun[-1])),
        *((at, rates.before(segment.currency, at)) for at in inside),
    ]


def _last_instant(ledger: Ledger) -> datetime:
    return ledger.as_of - timedelta.resolution
