"""The marts of the CRM's people and records against plain Python, on generated worlds."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.integration.agreement import assert_agree
from tests.integration.compiled_warehouse import Warehouse, read_rows
from tests.recompute.crm_facts import CrmFacts, gather
from tests.recompute.crm_people import (
    account_nps,
    account_team,
    contacts,
    interactions,
    notes,
    nps_responses,
)
from tests.recompute.crm_work import deal_stages, deals, documents, goals, tasks
from tests.recompute.crm_world import CrmWorld, seeded_crm, shifted_world

Mart = tuple[str, list[dict[str, Any]], list[str]]


def _marts(facts: CrmFacts) -> Iterator[Mart]:
    """Every mart with its plain rows and its grain."""
    assigned = ["account_id", "role", "team_member_id", "valid_from"]
    yield "dim_contacts", contacts(facts), ["contact_id"]
    yield "account_team", account_team(facts), assigned
    yield "fct_interactions", interactions(facts), ["interaction_id"]
    yield "fct_notes", notes(facts), ["note_id"]
    yield "fct_tasks", tasks(facts), ["task_id"]
    yield "fct_goals", goals(facts), ["goal_id"]
    yield "fct_documents", documents(facts), ["document_id"]
    yield "fct_deals", deals(facts), ["deal_id"]
    yield "deal_stage_history", deal_stages(facts), ["deal_id", "stage_number"]
    yield "fct_nps_responses", nps_responses(facts), ["response_id"]
    yield "account_nps", account_nps(facts), ["account_id"]


@pytest.mark.parametrize("seed", range(5))
def test_the_crm_agrees_on_a_generated_world(warehouse: Warehouse, seed: int) -> None:
    """Prevents any wrong row of the CRM's marts that shows up among many oddities.

    The seeds cover every as-of of the generator, two of them inside a day.
    """
    _assert_agree(warehouse, seeded_crm(seed))


@pytest.mark.parametrize("hours", [-2, -1])
def test_the_crm_agrees_in_a_zone_with_summer_time(warehouse: Warehouse, hours: int) -> None:
    """Prevents local days, ages and NPS windows that are those of UTC."""
    world = shifted_world(seeded_crm(12), timedelta(hours=hours))
    _assert_agree(warehouse, world, zone="Europe/Berlin")


def _assert_agree(warehouse: Warehouse, world: CrmWorld, *, zone: str = "UTC") -> None:
    marts = list(_marts(gather(world, ZoneInfo(zone))))
    small = warehouse.only(*(name for name, _, _ in marts))
    with closing(small.build(world.tables, world.as_of, zone=zone)) as build:
        for name, plain, key in marts:
            assert plain, f"{name}: nothing to compare"
            try:
                assert_agree(read_rows(build, f"accounts.{name}"), plain, key)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from error
