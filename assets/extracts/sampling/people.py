"""The sample's product users: when they come, how keen they are, what they use."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl

from assets.extracts.sampling import words
from assets.extracts.sampling.accounts import Account, instant

NEVER = 2**31 - 1
INTERNAL_DOMAIN = "ours.example"


@dataclass(frozen=True, kw_only=True)
class People:
    """All product users as parallel arrays, one element per user.

    Days count from 1970-01-01; `keenness` is the chance to come on a usual weekday; `hour` is the
    first working hour in UTC; `favourite` is the place of a module in `words.MODULES`.
    """

    account: np.ndarray
    created_day: np.ndarray
    gone_day: np.ndarray
    keenness: np.ndarray
    hour: np.ndarray
    favourite: np.ndarray
    device: np.ndarray
    table: pl.DataFrame


def plan_people(seed: int, accounts: tuple[Account, ...]) -> People:
    """The users of every account, oldest account first."""
    parts = [_of_account(seed, place, account) for place, account in enumerate(accounts)]
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    tables = [_table(seed, account, part) for account, part in zip(accounts, parts, strict=True)]
    return People(
        account=joined["account"],
        created_day=joined["created_day"],
        gone_day=joined["gone_day"],
        keenness=joined["keenness"],
        hour=joined["hour"],
        favourite=joined["favourite"],
        device=joined["device"],
        table=pl.concat(tables),
    )


def _of_account(seed: int, place: int, account: Account) -> dict[str, np.ndarray]:
    """The arrays of one account's users; the last one of some accounts is one of ours."""
    rng = np.random.default_rng([seed, 3, account.number])
    count = account.users
    late = rng.random(count) > 0.4
    # Two in five come with the onboarding, the others over a year and a half.
    wait = np.where(late, rng.integers(20, 560, count), rng.integers(0, 20, count))
    wait[0] = 0
    created = account.created_day + wait
    leaves = rng.random(count) < 0.06
    keenness = rng.beta(1.8, 2.6, count)
    keenness[rng.random(count) < 0.08] = 0.0  # never seen
    keenness[rng.random(count) < 0.15] *= 0.12  # quiet
    first_hour = words.REGIONS[account.region][1]
    return {
        "account": np.full(count, place),
        "created_day": created,
        "gone_day": np.where(leaves, created + rng.integers(60, 400, count), NEVER),
        "keenness": keenness,
        "hour": first_hour + rng.random(count) * 1.2,
        "favourite": _favourites(rng, account.breadth, count),
        "device": rng.choice(4, count, p=[0.45, 0.28, 0.09, 0.18]),
        "second": rng.integers(20_000, 70_000, count),
    }


def _favourites(rng: np.random.Generator, breadth: int, count: int) -> np.ndarray:
    """Each user's own module, among those that the account uses."""
    weights = np.array([module[1] for module in words.MODULES.values()])[:breadth]
    return rng.choice(breadth, count, p=weights / weights.sum())


def _table(seed: int, account: Account, part: dict[str, np.ndarray]) -> pl.DataFrame:
    """The users' rows as a source shows them once everything has happened."""
    rng = np.random.default_rng([seed, 4, account.number])
    rows = []
    for number in range(len(part["account"])):
        is_internal = account.number % 8 == 3 and number == account.users - 1
        name = words.person(rng)
        domain = INTERNAL_DOMAIN if is_internal else account.domain
        created = instant(int(part["created_day"][number]))
        created += timedelta(seconds=int(part["second"][number]))
        created = max(created, account.created_at)
        gone = int(part["gone_day"][number])
        rows.append(
            {
                "account_id": account.account_id,
                "user_id": f"u-{account.number:04d}-{number + 1:03d}",
                "email": f"{name.lower().replace(' ', '.')}.{number + 1}@{domain}",
                "full_name": name,
                "created_at": created,
                "deactivated_at": None if gone == NEVER else instant(gone),
                "is_internal": is_internal,
                "sign_in_providers": "password,google" if number % 3 else "saml",
            }
        )
    return pl.DataFrame(rows, schema_overrides=_TYPES)


_TYPES = {
    "created_at": pl.Datetime("us", "UTC"),
    "deactivated_at": pl.Datetime("us", "UTC"),
}
