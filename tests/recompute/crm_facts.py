"""What is known of a CRM's rows at the as-of instant, in plain Python: one row each.

Source of every rule: the project's spec 00 ("What dates a row", "Identity"), 30 ("Leads") and 40;
shares no code with the product.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from tests.recompute.calendars import first_instant, local_day
from tests.recompute.crm_world import CrmWorld
from tests.recompute.fx import Rates, rates
from tests.recompute.merges import survivors, users_of_survivors
from tests.recompute.versions import is_told

Row = dict[str, Any]

MICROSECOND = timedelta(microseconds=1)
EARLIEST = datetime(1, 1, 1, tzinfo=UTC)
# Each table's key, and what dates its rows.
DATED = {
    "crm.contacts": (("contact_id",), "created_at"),
    "crm.interactions": (("interaction_id",), "occurred_at"),
    "crm.nps_responses": (("response_id",), "submitted_at"),
    "crm.documents": (("document_id",), "created_at"),
    "crm.tasks": (("task_id",), "created_at"),
    "crm.goals": (("goal_id",), "created_at"),
    "crm.deals": (("deal_id",), "created_at"),
    "crm.consents": (("subject", "purpose", "granted_at"), "granted_at"),
    "crm.account_team": (("account_id", "team_member_id", "role", "valid_from"), "valid_from"),
    "events.users": (("account_id", "user_id"), "created_at"),
}


@dataclass(frozen=True, kw_only=True)
class CrmFacts:
    """The rows that count, each under its survivor, by table, and what else is known.

    Attributes:
        as_of: the as-of instant.
        zone: the reporting time zone.
        tables: the latest version of every row that is still there; of those that name an
            account, of accounts that are no test ones. Of the team also who left, as `gone_at`.
        users: product users by account and id.
        members: our own people by id.
        currencies: the currency of each account.
        fx: the published rates.
    """

    as_of: datetime
    zone: tzinfo
    tables: Mapping[str, list[Row]]
    users: Mapping[tuple[str, str], Row]
    members: Mapping[str, Row]
    currencies: Mapping[str, str | None]
    fx: Rates

    @property
    def today(self) -> date:
        """The as-of day."""
        return local_day(self.as_of, self.zone)

    def day(self, instant: datetime | None) -> date | None:
        """The local day of an instant, if there is one."""
        return None if instant is None else local_day(instant, self.zone)

    def happened(self, instant: datetime | None) -> datetime | None:
        """The instant, if it lies before the as-of one."""
        return instant if instant is not None and instant < self.as_of else None

    def member_name(self, member: str | None) -> str | None:
        """What one of ours is called."""
        name: str | None = self.members.get(member or "", {}).get("full_name")
        return name


def gather(world: CrmWorld, zone: tzinfo) -> CrmFacts:
    """The facts of a world."""
    merges = _merges(world)
    who = survivors(merges, {row["account_id"] for row in world.tables["crm.accounts"]})
    standing = {a["account_id"] for a in world.tables["crm.accounts"] if not a["is_test"]}
    standing |= {lead["lead_id"] for lead in world.tables["crm.leads"]}
    told = {name: latest(world, name, zone) for name in DATED}
    for name in told.keys() - {"crm.account_team"}:
        told[name] = [row for row in told[name] if row["gone_at"] is None]
    tables = {
        name: [
            {**row, "account_id": who.get(row["account_id"], row["account_id"])}
            for row in rows
            if who.get(row["account_id"], row["account_id"]) in standing
        ]
        for name, rows in told.items()
        if name not in ("crm.consents", "events.users")
    }
    users = users_of_survivors(told["events.users"], who, merges)
    return CrmFacts(
        as_of=world.as_of,
        zone=zone,
        tables={**tables, "crm.consents": told["crm.consents"], **_changes(world)},
        users={(user["account_id"], user["user_id"]): user for user in users},
        members={row["team_member_id"]: row for row in world.tables["crm.team_members"]},
        currencies={r["account_id"]: r["currency"] for r in world.tables["crm.accounts"]},
        fx=rates(world.tables["invoices.fx_rates"], zone=zone),
    )


def _merges(world: CrmWorld) -> list[Row]:
    """Merges that have happened, and conversions as merges."""
    merged = [m for m in world.tables["crm.account_merges"] if m["merged_at"] < world.as_of]
    converted = [
        {
            "from_account_id": lead["lead_id"],
            "into_account_id": lead["converted_account_id"],
            "merged_at": lead["converted_at"],
        }
        for lead in world.tables["crm.leads"]
        if lead["converted_at"] is not None and lead["converted_at"] < world.as_of
    ]
    return [*merged, *converted]


def _changes(world: CrmWorld) -> dict[str, list[Row]]:
    """The changes of stage that have happened, in order."""
    rows = [r for r in world.tables["crm.deal_stage_changes"] if r["changed_at"] < world.as_of]
    return {"crm.deal_stage_changes": sorted(rows, key=lambda r: (r["deal_id"], r["changed_at"]))}


def latest(world: CrmWorld, table: str, zone: tzinfo) -> list[Row]:
    """The latest version of each key that counts, with when one says that it was gone by as-of."""
    key, dated_by = DATED[table]
    found: dict[tuple[Any, ...], Row] = {}
    gone: dict[tuple[Any, ...], datetime] = {}
    numbered = sorted(enumerate(world.tables[table]), key=_version_order)
    for _, row in numbered:
        name = tuple(row[column] for column in key)
        if row.get("_is_deleted"):
            day = local_day(row["_version_at"] - MICROSECOND, zone)
            if name in found and is_told(row, world.as_of):
                gone.setdefault(name, first_instant(day, zone))
        elif (row[dated_by] is None or row[dated_by] < world.as_of) and (
            name not in found or is_told(row, world.as_of)
        ):
            found[name] = row
            gone.pop(name, None)
    past = {name: at for name, at in gone.items() if at < world.as_of}
    return [{**row, "gone_at": past.get(name)} for name, row in found.items()]


def _version_order(numbered: tuple[int, Row]) -> tuple[datetime, int]:
    number, row = numbered
    return (row.get("_version_at") or EARLIEST, number)
