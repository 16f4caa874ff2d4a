"""The sample's CRM rows and product users, as their sources show them at an instant."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import Account, instant
from assets.extracts.sampling.billing import Billing
from assets.extracts.sampling.moments import INSTANT
from assets.extracts.sampling.world import World

# How the CRM says what billing knows.
CRM_WORDS = {"customer": "Customer", "trial": "Trial", "churned": "Former customer"}


def known_accounts(accounts: tuple[Account, ...], billing: Billing, end: datetime) -> pl.DataFrame:
    """The accounts that exist just before `end`; status and value follow what billing knows."""
    rows = pl.DataFrame(
        [_account_row(account) for account in accounts if account.created_at < end],
        schema_overrides=dict.fromkeys(("created_at", "onboarding_started_at"), INSTANT),
    )
    states = billing.subscriptions.group_by("account_id", maintain_order=True).agg(
        status=_status(), _changed_at=pl.col("updated_at").max()
    )
    moment = pl.lit(end, dtype=INSTANT)
    age = (moment - pl.col("created_at")).dt.total_days()
    known = rows.join(states, on="account_id", how="left", maintain_order="left")
    return known.with_columns(
        status=pl.col("status").fill_null("Prospect"),
        lifecycle_stage=pl.when(age < 90).then(pl.lit("onboarding")).otherwise(pl.lit("adoption")),
        onboarding_started_at=pl.when(pl.col("onboarding_started_at") < moment).then(
            pl.col("onboarding_started_at")
        ),
        updated_at=pl.max_horizontal("created_at", "_changed_at"),
    )


def _status() -> pl.Expr:
    """The CRM's word for all of an account's subscriptions together."""
    status = pl.col("status")
    paying = status.is_in(["active", "past_due"]).any()
    return (
        pl.when(paying).then(pl.lit(CRM_WORDS["customer"]))
        .when((status == "trialing").any()).then(pl.lit(CRM_WORDS["trial"]))
        .otherwise(pl.lit(CRM_WORDS["churned"]))
    )  # fmt: skip


def _account_row(account: Account) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "account_name": account.name,
        "tier": account.tier,
        "region": account.region,
        "country": account.country,
        "industry": account.industry,
        "product_line": account.product_line,
        "size_band": account.size_band,
        "employee_count": account.employees,
        "website": f"https://www.{account.domain}",
        "created_at": account.created_at,
        "onboarding_started_at": account.created_at + timedelta(days=2),
        "currency": account.currency,
        "time_zone": account.time_zone,
        "is_test": account.is_test,
    }


def known_team() -> pl.DataFrame:
    """The people of our own company; all of them are here all the time."""
    rows = [
        {
            "team_member_id": member,
            "full_name": name,
            "email": f"{name.lower().replace(' ', '.')}@ours.example",
            "manager_id": manager,
            "is_active": True,
        }
        for member, name, manager in words.TEAM
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def known_account_team(world: World, end: datetime) -> pl.DataFrame:
    """Who looks after which account just before `end`; some have changed hands."""
    rows = [row for account in world.accounts for row in assignments(world, account)]
    team = pl.DataFrame(
        rows,
        schema_overrides=dict.fromkeys(("valid_from", "valid_to"), INSTANT),
        infer_schema_length=None,
    )
    moment = pl.lit(end, dtype=INSTANT)
    until = pl.when(pl.col("valid_to") < moment).then(pl.col("valid_to"))
    return team.filter(pl.col("valid_from") < moment).with_columns(valid_to=until)


def assignments(world: World, account: Account) -> list[dict[str, object]]:
    """Who looks after an account, in each role, from when to when."""
    rng = np.random.default_rng([world.seed, 8, account.number])
    first, second = rng.choice(len(words.CSM_IDS), 2, replace=False)
    executive = words.EXECUTIVE_IDS[int(rng.integers(len(words.EXECUTIVE_IDS)))]
    start = instant(account.created_day)
    moved = start + timedelta(days=200) if account.number % 7 == 4 else None
    rows = [
        _assignment(account, words.CSM_IDS[first], "csm", start, moved),
        _assignment(account, executive, "account_executive", start, None),
    ]
    if moved is not None:
        rows.append(_assignment(account, words.CSM_IDS[second], "csm", moved, None))
    return rows


def _assignment(
    account: Account, member: str, role: str, start: datetime, end: datetime | None
) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "team_member_id": member,
        "role": role,
        "valid_from": start,
        "valid_to": end,
    }


def known_users(table: pl.DataFrame, end: datetime) -> pl.DataFrame:
    """The product users that exist just before `end`."""
    moment = pl.lit(end, dtype=INSTANT)
    gone = pl.when(pl.col("deactivated_at") < moment).then(pl.col("deactivated_at"))
    known = table.filter(pl.col("created_at") < moment).with_columns(deactivated_at=gone)
    return known.with_columns(updated_at=pl.max_horizontal("created_at", "deactivated_at"))
