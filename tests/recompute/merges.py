"""Which account an account has become part of, in plain Python; shares no code with the product.

Source of every rule: the project's spec 00 ("Identity": the survivor has both histories), 10 and 30
("Leads": one that was converted is as one that was merged). A merge that leads back to its own
account, or to no account that landed, is not followed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.recompute.books import Landing

Row = Mapping[str, Any]

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


def survivors(merges: Iterable[Row], accounts: Collection[str]) -> dict[str, str]:
    """Who has the history of each merged account; an account that stands for itself is not named.

    Args:
        merges: rows of crm.account_merges, one per account that was given up.
        accounts: the ids of all accounts that landed.
    """
    into = {row["from_account_id"]: row["into_account_id"] for row in merges}
    for name in [name for name in into if _leads_back(name, into)]:
        del into[name]
    found = {}
    for name in into:
        way = [name]
        while way[-1] in into:
            way.append(into[way[-1]])
        known = [place for place in way[1:] if place in accounts]
        if known:
            found[name] = known[-1]
    return found


def _leads_back(name: str, into: Mapping[str, str]) -> bool:
    """Whether whoever follows the merges from an account comes back to it."""
    seen: set[str] = set()
    place = into[name]
    while place in into and place not in seen and place != name:
        seen.add(place)
        place = into[place]
    return place == name


def of_survivors(rows: Iterable[Row], who: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows, each under the account that has its history now."""
    return [{**row, "account_id": who.get(row["account_id"], row["account_id"])} for row in rows]


def events_of_survivors(
    events: Iterable[Row], who: Mapping[str, str], merges: Iterable[Row]
) -> list[dict[str, Any]]:
    """Events under their survivors; what was another account's is known once the merge is."""
    merges = list(merges)
    into = {row["from_account_id"]: row["into_account_id"] for row in merges}
    told = {
        row["from_account_id"]: max(row["merged_at"], row.get("_known_at") or row["merged_at"])
        for row in merges
    }
    found = []
    for row in events:
        name, known = row["account_id"], row.get("_known_at")
        end = who.get(name, name)
        while name != end:
            known = told[name] if known is None else max(known, told[name])
            name = into[name]
        found.append({**row, "account_id": end, "_known_at": known})
    return found


def users_of_survivors(
    users: Iterable[Row], who: Mapping[str, str], merges: Iterable[Row]
) -> list[dict[str, Any]]:
    """Users under their survivors: an id that several accounts know is one user.

    The survivor's own row tells of it, else that of the account with the fewest merges in between,
    of several the least id.
    """
    into = {row["from_account_id"]: row["into_account_id"] for row in merges}
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for row in sorted(
        users, key=lambda u: (_distance(u["account_id"], who, into), u["account_id"])
    ):
        account = who.get(row["account_id"], row["account_id"])
        told.setdefault((account, row["user_id"]), {**row, "account_id": account})
    return list(told.values())


def _distance(name: str, who: Mapping[str, str], into: Mapping[str, str]) -> int:
    """How many merges lie between an account and its survivor."""
    end = who.get(name, name)
    steps = 0
    while name != end:
        name = into[name]
        steps += 1
    return steps


def standing(accounts: Sequence[Row], who: Mapping[str, str]) -> list[dict[str, Any]]:
    """The accounts that have become part of no other."""
    return [dict(row) for row in accounts if row["account_id"] not in who]


def with_leads(rows: Landing, leads: Iterable[Row]) -> Landing:
    """The landing with every lead as an account, and every conversion that holds as a merge.

    Args:
        rows: the landing.
        leads: rows of crm.leads, one per lead; an id that is an account's is the account's.
    """
    accounts = {a["account_id"]: a for a in rows.accounts if a["created_at"] < rows.as_of}
    merged = {m["from_account_id"] for m in rows.merges if m["merged_at"] < rows.as_of}
    there = [
        row for row in leads if row["created_at"] < rows.as_of and row["lead_id"] not in accounts
    ]
    told = [
        {
            "from_account_id": row["lead_id"],
            "into_account_id": row["converted_account_id"],
            "merged_at": converted_at(row),
            "_known_at": max(converted_at(row), _created(row["converted_account_id"], accounts)),
        }
        for row in there
        if row["converted_account_id"] is not None
        and converted_at(row) < rows.as_of
        and row["lead_id"] not in merged
    ]
    past = [m for m in rows.merges if m["merged_at"] < rows.as_of]
    who = survivors([*past, *told], set(accounts))
    kept = [row for row in told if row["from_account_id"] in who]
    return replace(
        rows,
        accounts=[*rows.accounts, *map(_as_account, there)],
        merges=[*rows.merges, *kept],
    )


def converted_at(lead: Row) -> datetime:
    """When a lead became an account; where nobody says, when it last changed."""
    at: datetime = lead["converted_at"] or lead["updated_at"] or lead["created_at"]
    return at


def _created(name: str, accounts: Mapping[str, Row]) -> datetime:
    """When an account came to be; before it nobody knows that a lead is the account's."""
    found: datetime = accounts[name]["created_at"] if name in accounts else ALWAYS
    return found + timedelta(microseconds=1)


def _as_account(lead: Row) -> dict[str, Any]:
    return {
        "account_id": lead["lead_id"],
        "account_name": lead["lead_name"],
        "status": lead["status"],
        "created_at": lead["created_at"],
        "tier": None,
        "size_band": None,
        "is_test": False,
        "is_lead": True,
    }


def settled(rows: Landing) -> Landing:
    """The landing as if every merge had been so from the beginning: the survivor's histories."""
    merges = [m for m in rows.merges if m["merged_at"] < rows.as_of]
    landed = {a["account_id"] for a in rows.accounts if a["created_at"] < rows.as_of}
    who = survivors(merges, landed)
    users = [u for u in rows.users if u["created_at"] is None or u["created_at"] < rows.as_of]
    return replace(
        rows,
        accounts=standing(rows.accounts, who),
        subscriptions=of_survivors(rows.subscriptions, who),
        invoices=of_survivors(rows.invoices, who),
        users=users_of_survivors(users, who, merges),
        events=events_of_survivors(rows.events, who, merges),
        merges=[],
    )
