"""The sample's tables of which a delivery brings only what is new or reads otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from assets.extracts.contracts import load_contracts
from assets.extracts.sampling.billing import Billing, known_billing
from assets.extracts.sampling.relations import known_relations, plan_relations
from assets.extracts.sampling.selling import (
    known_deals,
    known_entitlements,
    known_leads,
    known_licenses,
    plan_deals,
    plan_leads,
)
from assets.extracts.sampling.tickets import known_ticket_changes
from assets.extracts.sampling.world import World

CHANGING_TABLES = (
    "crm.contacts", "crm.interactions", "crm.tasks", "crm.goals", "crm.documents",
    "crm.nps_responses", "crm.leads", "crm.deals", "crm.deal_stage_changes", "crm.licenses",
    "crm.license_assignments", "crm.entitlements", "tickets.ticket_changes",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Changing:
    """The plan of these tables, with the whole future in it."""

    world: World
    billing: Billing
    tickets: pl.DataFrame
    relations: Mapping[str, pl.DataFrame]
    leads: pl.DataFrame
    deals: pl.DataFrame


def plan_changing(
    world: World, billing: Billing, tickets: pl.DataFrame, until: datetime
) -> Changing:
    """Plans what is known by `until`."""
    return Changing(
        world=world,
        billing=billing,
        tickets=tickets,
        relations=plan_relations(world, until),
        leads=plan_leads(world, until),
        deals=plan_deals(world, billing),
    )


def changed_rows(
    plan: Changing, since: datetime | None, end: datetime
) -> Mapping[str, pl.DataFrame]:
    """The rows, by table, that stand just before `end` and did not read so just before `since`.

    Args:
        plan: all rows.
        since: the end of what was delivered before; None takes everything.
        end: the end of the day that is delivered.
    """
    now = _standing(plan, end)
    if since is None:
        return now
    before = _standing(plan, since)
    return {
        name: rows.join(before[name], on=rows.columns, how="anti", nulls_equal=True)
        for name, rows in now.items()
    }


def shaped(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The contract's columns in the contract's order; what the sample does not fill is empty."""
    columns = load_contracts()[name].column_names
    return rows.select(
        pl.col(column) if column in rows.columns else pl.lit(None, dtype=pl.String).alias(column)
        for column in columns
    )


def _standing(plan: Changing, end: datetime) -> Mapping[str, pl.DataFrame]:
    """The tables as they stand just before `end`."""
    known = {
        **known_relations(plan.relations, end),
        **known_deals(plan.deals, end),
        **known_licenses(plan.world, known_billing(plan.billing, end), end),
        "leads": known_leads(plan.leads, end),
        "entitlements": known_entitlements(),
        "ticket_changes": known_ticket_changes(plan.tickets, end),
    }
    return {name: shaped(known[name.split(".")[1]], name) for name in CHANGING_TABLES}
