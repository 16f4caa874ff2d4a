"""The sample's selling: leads that become accounts, deals with their stages, licences for seats."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import Account, instant
from assets.extracts.sampling.billing import Billing
from assets.extracts.sampling.crm import assignments
from assets.extracts.sampling.moments import INSTANT, frame, happened
from assets.extracts.sampling.people import NEVER
from assets.extracts.sampling.world import World

Row = dict[str, Any]

PACKAGES = {"a": "core", "b": "insights"}
"""What an item of a subscription licenses, by the last letter of its id."""
DAYS_BETWEEN_LEADS = 40
AUTOMATION_RUNS = {"Starter": None, "Growth": 2_000, "Enterprise": 20_000}
"""How often each plan may use automation in 30 days; Starter has the core alone."""


def plan_leads(world: World, until: datetime) -> pl.DataFrame:
    """One lead for each third account, before it was one, and others that never become any.

    An account that arrives after the history was nobody's lead: its lead would be known before
    the sample knows of the account.
    """
    rows = [
        _lead(f"lead-{account.number:04d}", account.name, account.created_at, account.account_id)
        for account in world.accounts
        if account.number % 3 == 0 and account.story != "arrival"
    ]
    first = world.calendar.first_day.toordinal() - instant(0).toordinal()
    last = until.toordinal() - instant(0).toordinal()
    for number, day in enumerate(range(first, last, DAYS_BETWEEN_LEADS), start=1):
        name = words.company_stem(world.seed + 1, number)
        rows.append(_lead(f"lead-x{number:03d}", name, instant(day) + timedelta(days=30), None))
    return frame(rows, ("created_at", "converted_at"))


def _lead(lead_id: str, name: str, by: datetime, account_id: str | None) -> Row:
    return {
        "lead_id": lead_id,
        "lead_name": name,
        "created_at": by - timedelta(days=24),
        "converted_at": None if account_id is None else by + timedelta(minutes=5),
        "_account_id": account_id,
    }


def known_leads(leads: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """The leads that exist just before `end`; who has become an account says which."""
    moment = pl.lit(end, dtype=INSTANT)
    told = leads.filter(pl.col("created_at") < moment).with_columns(
        happened("converted_at", moment)
    )
    is_converted = pl.col("converted_at").is_not_null()
    return told.with_columns(
        status=pl.when(is_converted).then(pl.lit("converted")).otherwise(pl.lit("open")),
        converted_account_id=pl.when(is_converted).then(pl.col("_account_id")),
        updated_at=pl.max_horizontal("created_at", "converted_at"),
    )


def plan_deals(world: World, billing: Billing) -> pl.DataFrame:
    """One row per deal and stage: a new one for every account, expansions, now and then a lost one.

    The last stage of a deal is `won` or `lost`, on the day on which it is closed.
    """
    seats = billing.items.filter(pl.col("item_id").str.ends_with("-a")).sort("valid_from")
    by_account = seats.join(
        billing.subscriptions.select("subscription_id", "account_id"), on="subscription_id"
    ).partition_by("account_id", as_dict=True)
    rows = [
        row
        for account in world.accounts
        for row in _deals(world, account, by_account[account.account_id,].to_dicts())
    ]
    return frame(rows, ("created_at", "changed_at", "closed_at"))


def _deals(world: World, account: Account, segments: list[Row]) -> Iterator[Row]:
    """The account's deals, by the seats it bought."""
    executive = assignments(world, account)[1]["team_member_id"]
    seats_before = 0
    for number, segment in enumerate(segments, start=1):
        seats = int(segment["quantity"])
        if seats > seats_before:
            closed = segment["valid_from"]
            amount = (seats - seats_before) * round(float(segment["price"]) * 12)
            yield from _stages(account, number, executive, amount, closed, is_won=True)
        seats_before = max(seats, seats_before)
    if account.number % 5 == 2:
        lost = account.created_at + timedelta(days=150)
        yield from _stages(account, 90, executive, 4_800, lost, is_won=False)


def _stages(
    account: Account, number: int, owner: object, amount: int, closed: datetime, *, is_won: bool
) -> Iterator[Row]:
    """A deal's stages, one row each, all with the deal's own columns."""
    rng = np.random.default_rng([account.number, 22, number])
    days = np.cumsum(rng.integers(3, 12, len(words.DEAL_STAGES)))[::-1]
    created = max(closed - timedelta(days=int(days[0])), account.created_at)
    steps = [max(closed - timedelta(days=int(day)), created) for day in days]
    kind = "new" if number == 1 else "expansion"
    for stage, at in zip(
        (*words.DEAL_STAGES, "won" if is_won else "lost"), (*steps, closed), strict=True
    ):
        if at < closed or stage in ("won", "lost"):
            yield {
                "deal_id": f"deal-{account.number:04d}-{number:02d}",
                "account_id": account.account_id,
                "deal_name": f"{account.name}: {kind}",
                "deal_type": kind,
                "amount": f"{amount}.00",
                "currency": account.currency,
                "owner_id": owner,
                "created_at": created,
                "expected_close_on": (created + timedelta(days=45)).date().isoformat(),
                "changed_at": at,
                "stage": stage,
                "closed_at": at if stage in ("won", "lost") else None,
            }


def known_deals(stages: pl.DataFrame, end: datetime) -> Mapping[str, pl.DataFrame]:
    """The deals and their stages that are known just before `end`."""
    moment = pl.lit(end, dtype=INSTANT)
    # A deal passes through no two stages at one instant.
    known = stages.filter(pl.col("changed_at") < moment).unique(
        ["deal_id", "changed_at"], keep="last", maintain_order=True
    )
    deals = known.unique("deal_id", keep="last", maintain_order=True)
    is_closed = pl.col("closed_at").is_not_null()
    return {
        "deals": deals.with_columns(
            is_won=pl.when(is_closed).then(pl.col("stage") == "won"),
            updated_at=pl.col("changed_at"),
        ),
        "deal_stage_changes": known.select("deal_id", "changed_at", "stage"),
    }


def known_licenses(world: World, billing: Billing, end: datetime) -> Mapping[str, pl.DataFrame]:
    """A licence for each item that licenses a package, and who has a seat of it, before `end`.

    Args:
        world: the plan.
        billing: what billing knows just before `end`.
        end: the instant.
    """
    owners = billing.subscriptions.select(
        "subscription_id", "account_id", "status", "ended_at", "current_period_end_at", "started_at"
    )
    letter = pl.col("item_id").str.slice(-1)
    items = billing.items.filter(letter.is_in(list(PACKAGES))).sort("valid_from")
    latest = items.unique("item_id", keep="last", maintain_order=True)
    rows = latest.join(owners, on="subscription_id", maintain_order="left")
    seats = _seats(world, rows, end)
    is_over = pl.col("ended_at").is_not_null()
    licenses = rows.with_columns(
        license_id=_license_id(),
        package=letter.replace_strict(PACKAGES),
        status=pl.when(is_over).then(pl.lit("expired")).otherwise(pl.lit("active")),
        is_trial=pl.col("status") == "trialing",
        is_unlimited=letter == "b",
        seats_purchased=pl.when(letter == "a").then(pl.col("quantity")),
        expires_on=pl.when(is_over).then("ended_at")
        .when(pl.col("interval") == "year").then("current_period_end_at").dt.date(),
        renewed_at=pl.when(pl.col("interval") == "year")
        .then(pl.col("current_period_end_at").dt.offset_by("-1y")),
    )  # fmt: skip
    allocated = seats.group_by("license_id").agg(
        pl.col("unassigned_at").is_null().sum().alias("seats_allocated"),
        pl.max_horizontal("assigned_at", "unassigned_at").max().alias("seated_at"),
    )
    counted = licenses.join(allocated, on="license_id", how="left", maintain_order="left")
    return {
        "licenses": counted.with_columns(
            pl.col("seats_allocated").fill_null(0),
            updated_at=pl.max_horizontal("valid_from", "renewed_at", "ended_at", "seated_at"),
        ),
        "license_assignments": seats,
    }


def _license_id() -> pl.Expr:
    return pl.col("item_id").str.replace("item", "lic")


def _seats(world: World, rows: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """Who has a seat of a core licence: the first users of the account, as they come and go."""
    people, moment = world.people, pl.lit(end, dtype=INSTANT)
    places = {account.account_id: place for place, account in enumerate(world.accounts)}
    core = rows.filter(pl.col("item_id").str.ends_with("-a"))
    seats: list[Row] = []
    for account_id, item_id, started, ended in core.select(
        "account_id", "item_id", "started_at", "ended_at"
    ).rows():
        place = places[account_id]
        first = int(world.first_user[place])
        for user in range(first, first + max(2, round(world.accounts[place].users * 0.75))):
            gone = int(people.gone_day[user])
            at = max(started, instant(int(people.created_day[user])) + timedelta(hours=20))
            leaves = [ended] if gone == NEVER else [ended, instant(gone)]
            until = min((leaf for leaf in leaves if leaf is not None), default=None)
            if until is None or at < until:
                seats.append(
                    {
                        "license_id": item_id.replace("item", "lic"),
                        "user_id": people.table["user_id"][user],
                        "assigned_at": at,
                        "unassigned_at": until,
                    }
                )
    told = frame(seats, ("assigned_at", "unassigned_at"), ("license_id", "user_id"))
    return told.filter(pl.col("assigned_at") < moment).with_columns(
        happened("unassigned_at", moment)
    )


def known_entitlements() -> pl.DataFrame:
    """What each plan holds: the core, and beyond Starter all else, automation with a limit."""
    rows: list[Row] = []
    for plan, runs in AUTOMATION_RUNS.items():
        for module, (package, _, _) in words.MODULES.items():
            is_limited = package == "automate"
            if package == "core" or runs is not None:
                rows.append(
                    {
                        "entitlement_id": f"ent-{plan}-{module}".lower(),
                        "plan": plan,
                        "package": package,
                        "module": module,
                        "limit_name": "automation_runs" if is_limited else None,
                        "limit_quantity": runs if is_limited else None,
                        "usage_metric": "use_count_30d" if is_limited else None,
                        "valid_from": datetime(2020, 1, 1, tzinfo=UTC),
                    }
                )
    return frame(rows, ("valid_from",))
