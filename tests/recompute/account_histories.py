"""Accounts as they were at any instant, and who was above whom, in plain Python.

No code of the product. Source: the project's spec 40 (`account_history`, `account_hierarchy`) and
spec 00 ("What dates a row", "Identity", invariant 15). Every instant at which anything could change
is asked for its state; what stays the same from one to the next is one row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Any

from tests.recompute.accounts_monthly import csm_at, status_at
from tests.recompute.calendars import first_instant, local_day
from tests.recompute.merges import survivors

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)
TOLD = (
    "account_name", "lifecycle_stage", "tier", "region", "size_band", "relationship",
    "employee_count",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the sources say, and what other tests have found right.

    Attributes:
        accounts: every row of crm.accounts, in the order of its versions.
        team: rows of crm.account_team, under the accounts that they count under.
        phases: what is paid or in trial when, as the standard policy counts it.
        first_days: each account's first day.
        words: the status that a word of the CRM stands for.
        merges: rows of crm.account_merges that have happened.
        as_of: the as-of instant.
        zone: the reporting time zone.
    """

    accounts: Sequence[Row]
    team: Sequence[Row]
    phases: Sequence[Row]
    first_days: Mapping[str, date]
    words: Mapping[str, str]
    merges: Sequence[Row]
    as_of: datetime
    zone: tzinfo = UTC


def account_history(told: Told) -> Rows:
    """The rows of the mart."""
    landed = {row["account_id"] for row in told.accounts if row["created_at"] < told.as_of}
    who = survivors(told.merges, landed)
    rows = []
    for account in sorted(landed - who.keys()):
        rows += _stretches(told, account, who)
    return rows


def _stretches(told: Told, account: str, who: Mapping[str, str]) -> Rows:
    """One account's rows: each turn's state, where it is not that of the turn before."""
    rows: Rows = []
    before: dict[str, Any] = {}
    for at in _turns(told, account):
        known, state = _state(told, account, at, who)
        if state != before:
            rows.append({"account_id": account, "valid_from": at, "known_from": known, **state})
            before = state
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        row["valid_to"] = following["valid_from"] if following else None
        row["is_current"] = following is None
        row["first_on"] = local_day(row["valid_from"], told.zone)
        row["last_on"] = (
            local_day(following["valid_from"], told.zone) - timedelta(days=1) if following else None
        )
    return rows


def _turns(told: Told, account: str) -> list[datetime]:
    """Every instant at which something about the account may change, from its first day on."""
    start = first_instant(told.first_days[account], told.zone)
    found = {start, told.as_of}
    for rows, names in (
        (told.accounts, ("updated_at", "_version_at", "_known_at")),
        (told.phases, ("starts_at", "ends_at")),
        (told.team, ("valid_from", "valid_to")),
    ):
        for row in rows:
            if row["account_id"] == account:
                found |= {row[name] for name in names if row.get(name)}
    midnights = {first_instant(local_day(at - A_MOMENT, told.zone), told.zone) for at in found}
    return sorted(at for at in found | midnights if start <= at <= told.as_of)


def _state(
    told: Told, account: str, at: datetime, who: Mapping[str, str]
) -> tuple[datetime, dict[str, Any]]:
    """Since when the version in force was known, and all that is said of the account then."""
    rows = [row for row in told.accounts if row["account_id"] == account]
    version = _version_at(rows, at, told.as_of)
    changed = _changed_at(version)
    parent = version.get("parent_account_id")
    parent = who.get(parent, parent) if parent else None
    moment = at + A_MOMENT
    status = status_at([p for p in told.phases if p["account_id"] == account], moment)
    if status == "lead":
        status = told.words.get((version.get("status") or "").lower(), "lead")
    return max(at, version.get("_known_at") or ALWAYS), {
        **{name: version.get(name) for name in TOLD},
        "status": status,
        "crm_status": version.get("status"),
        "parent_account_id": None if parent == account else parent,
        "csm_id": csm_at([t for t in told.team if t["account_id"] == account], moment),
        "is_test": bool(version.get("is_test")),
        "is_deleted": _is_deleted(rows, at, told.zone),
        "is_history_assumed": changed is None or at < changed,
    }


def _changed_at(row: Row) -> datetime | None:
    """When the CRM changed a version, else when it was delivered."""
    found: datetime | None = row.get("updated_at") or row.get("_version_at") or row.get("_known_at")
    return found


def _version_at(rows: Sequence[Row], at: datetime, as_of: datetime) -> Row:
    """The last version that had been made by then; before all of them, the first."""
    versions = [row for row in rows if not row.get("_is_deleted")]
    there = [r for r in versions if r is versions[0] or (_changed_at(r) or ALWAYS) < as_of]
    made = [row for row in there if (_changed_at(row) or ALWAYS) <= at]
    return made[-1] if made else min(there, key=lambda row: _changed_at(row) or ALWAYS)


def _is_deleted(rows: Sequence[Row], at: datetime, zone: tzinfo) -> bool:
    """Whether the last extract that says anything says that it is gone; a day has one word."""
    word = False
    for row in rows:
        known = row.get("_known_at") or ALWAYS
        if first_instant(local_day(known - A_MOMENT, zone), zone) <= at:
            word = bool(row.get("_is_deleted"))
    return word


def account_hierarchy(history: Sequence[Row], scorecard: Sequence[Row]) -> Rows:
    """The rows of the mart, from those of the history and what each account has now."""
    own = {row["account_id"]: row for row in scorecard}
    left_out = {r["account_id"] for r in history if r["is_current"] and r["is_test"]}
    above = _ancestors_over_time(history, left_out)
    now = {key for key, rows in above.items() if rows[-1]["valid_to"] is None}
    rows = [row for found in above.values() for row in found]
    cyclic = _cyclic(_parents(history, None))
    heads = {d for _, d in now} - {d for a, d in now if a != d}
    for row in rows:
        is_current = row["valid_to"] is None
        has = own[row["descendant_id"]] if is_current else {}
        row["own_mrr"], row["own_health_score"] = has.get("mrr"), has.get("health_score")
        row["is_current"], row["is_head"] = is_current, row["ancestor_id"] in heads
        row["is_in_cycle"] = row["descendant_id"] in cyclic
        is_whole = is_current and row["depth"] == 0
        below = [own[d] for a, d in now if is_whole and a == row["ancestor_id"]]
        row |= _summed(below)
    return rows


def _summed(below: Sequence[Row]) -> dict[str, Any]:
    """What accounts have together; nothing at all where there are none."""
    scored = [row for row in below if row["health_score"] is not None]
    weight = sum((Fraction(row["mrr"]) for row in scored), Fraction(0))
    weighed = sum((Fraction(r["mrr"]) * Fraction(r["health_score"]) for r in scored), Fraction(0))
    return {
        "subtree_account_count": len(below) if below else None,
        "subtree_mrr": sum(row["mrr"] for row in below) if below else None,
        "subtree_scored_account_count": len(scored) if below else None,
        "subtree_health_score": weighed / weight if weight > 0 else None,
    }


def _ancestors_over_time(
    history: Sequence[Row], left_out: set[str]
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """By ancestor and descendant: when, how far apart, and what the one is to its parent."""
    turns = sorted({row["valid_from"] for row in history})
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for at, end in zip(turns, [*turns[1:], None], strict=True):
        for (ancestor, descendant), link in _ancestors(_parents(history, at)).items():
            if left_out & {ancestor, descendant}:
                continue
            key = {"ancestor_id": ancestor, "descendant_id": descendant}
            rows = found.setdefault((ancestor, descendant), [])
            same = rows and rows[-1]["valid_to"] == at
            if same and (rows[-1]["depth"], rows[-1]["relationship"]) == link:
                rows[-1]["valid_to"] = end
            else:
                told = {"depth": link[0], "relationship": link[1]}
                rows.append({**key, **told, "valid_from": at, "valid_to": end})
    return found


def _parents(history: Sequence[Row], at: datetime | None) -> dict[str, tuple[str | None, Any]]:
    """Each account's parent at an instant (None: now), of those that are known at all."""
    names = {row["account_id"] for row in history}
    there = {}
    for row in history:
        holds = row["is_current"]
        if at is not None:
            holds = row["valid_from"] <= at and (row["valid_to"] is None or at < row["valid_to"])
        if holds:
            parent = row["parent_account_id"]
            there[row["account_id"]] = (parent if parent in names else None, row["relationship"])
    return there


def _ancestors(
    parents: Mapping[str, tuple[str | None, Any]],
) -> dict[tuple[str, str], tuple[int, Any]]:
    """Who is above whom at one instant; the parents of those in a cycle are not followed."""
    cyclic = _cyclic(parents)
    found: dict[tuple[str, str], tuple[int, Any]] = {}
    for name in parents:
        place, depth = name, 0
        found[name, name] = (0, None)
        while place not in cyclic and parents.get(place, (None,))[0] is not None:
            place, depth = str(parents[place][0]), depth + 1
            found[place, name] = (depth, parents[name][1])
    return found


def _cyclic(parents: Mapping[str, tuple[str | None, Any]]) -> set[str]:
    """The accounts whose parents lead back to them."""
    found = set()
    for name in parents:
        seen: set[str] = set()
        place = parents[name][0]
        while place is not None and place not in seen and place != name:
            seen.add(place)
            place = parents.get(place, (None,))[0]
        if place == name:
            found.add(name)
    return found
