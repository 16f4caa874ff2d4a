"""HubSpot: a connector's tables as they are, and the API's objects written from its reference."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.connectors import CONNECTORS, Landed, land, needs_data

HUBSPOT = CONNECTORS / "hubspot"
TABLES = (
    "company", "contact", "deal", "deal_company", "deal_stage", "owner", "engagement_call",
    "engagement_email", "engagement_meeting", "engagement_note", "engagement_task",
    "engagement_company", "engagement_contact",
)  # fmt: skip


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    files = {f"crm/{name}/{name}.csv": HUBSPOT / f"{name}_data.csv" for name in TABLES}
    return land(tmp_path_factory.mktemp("hs"), "hubspot", files)


@needs_data
def test_every_row_of_the_connectors_tables_is_loaded(tables: Landed) -> None:
    """Rows set aside for a name of the connector that the profile does not know.

    The test tables' deals have no stage and none of the companies that deal_company names; their
    engagements have no company: they wait under (none).
    """
    assert tables.counts() == {
        "crm.accounts": (24, 0, 0),
        "crm.contacts": (22, 0, 0),
        "crm.team_members": (100, 0, 0),
        "crm.deals": (44, 0, 0),
        "crm.deal_stage_changes": (14, 0, 0),
        "crm.interactions": (103, 0, 0),
        "crm.tasks": (2, 0, 0),
    }


@needs_data
def test_companies_contacts_and_owners_of_the_connector(tables: Landed) -> None:
    """A name of another column, an hour without its zero, a first name without the last."""
    assert tables.rows(
        "select account_id, account_name, country, created_at::varchar, updated_at::varchar "
        "from crm.accounts where account_id in ('2182162682', '2539352677') order by 1"
    ) == [
        ("2182162682", "4b2c13cca3eb58ee49bbddcf00417130", "United States",
         "2019-07-05 20:35:26+00", "2020-12-30 03:15:52+00"),
        ("2539352677", "fafc347400679e25e47860b0d74d0d48", "United States",
         "2019-10-29 10:00:41+00", "2020-12-30 04:16:24+00"),
    ]  # fmt: skip
    assert tables.rows(
        "select full_name, email, account_id, created_at::varchar from crm.contacts "
        "where contact_id = '78971951'"
    ) == [
        ("db320f93ead463e1a2faee198cd9a122 22370ea245fce0b355938327d41bd1e4",
         "fcb67ef339b691956cc85fa12be6490c", "(none)", "2021-04-01 17:32:47+00"),
    ]  # fmt: skip
    assert tables.rows(
        "select full_name, email, updated_at::varchar from crm.team_members "
        "where team_member_id = '42972304'"
    ) == [
        ("1B2M2Y8AsgTpgAmY7PhCfg== 1B2M2Y8AsgTpgAmY7PhCfg==", "ZzTvm1sk8IZmdO5i6kMURA==",
         "2020-01-30 19:33:24.876+00"),
    ]  # fmt: skip


@needs_data
def test_deals_and_their_stages_of_the_connector(tables: Landed) -> None:
    """A deal whose owner, creation or change of stage is another's."""
    assert tables.rows(
        "select deal_id, account_id, stage, created_at::varchar from crm.deals "
        "where deal_id in ('1244495215', '1077598754') order by 1"
    ) == [
        ("1077598754", "(none)", "(none)", "2019-10-08 10:01:15+00"),
        ("1244495215", "(none)", "(none)", "2019-12-04 12:48:22+00"),
    ]
    assert tables.rows("select owner_id, count(*) from crm.deals group by 1 order by 1") == [
        ("35252170", 19), ("37790786", 1), ("40706000", 2), (None, 22)
    ]  # fmt: skip
    assert tables.rows(
        "select deal_id, changed_at::varchar, stage from crm.deal_stage_changes "
        "order by changed_at limit 2"
    ) == [
        ("3954699413", "2021-01-07 06:49:18+00", "f66ca9bc5a02c2f1513ce83f0a0e117d"),
        ("3954780486", "2021-01-07 08:00:46+00", "09a969da1d61b38bd3746f0f49c1475a"),
    ]


@needs_data
def test_engagements_of_the_connector(tables: Landed) -> None:
    """A meeting without a type set aside; a call without whom it was with."""
    assert tables.rows(
        "select interaction_type, count(*) from crm.interactions group by 1 order by 1"
    ) == [("call", 1), ("email", 1), ("meeting", 100), ("note", 1)]
    assert tables.rows(
        "select interaction_id, contact_id, subject, occurred_at::varchar from crm.interactions "
        "where interaction_type in ('call', 'email') or interaction_id = '3416212491' "
        "order by interaction_id"
    ) == [
        ("19732367783", None, "This is the subject of the email", "2014-08-27 20:50:44.778+00"),
        ("19732910159", "501", None, "2014-08-27 20:50:44.778+00"),
        ("3416212491", None, "fzT4ZzkUdmieUYeYaA+ZuQ==", "2019-09-26 13:00:00+00"),
    ]
    assert tables.rows(
        "select task_id, account_id, task_type, status, assignee_id, due_on::varchar "
        "from crm.tasks order by 1"
    ) == [
        ("32034933897", "(none)", "TODO", "open", "32779820", "2023-03-08"),
        ("32034933899", "(none)", "TODO", "open", "32779820", "2023-03-08"),
    ]


def test_the_apis_objects_and_their_associations(tmp_path: Path) -> None:
    """A deal without its company, since that is a row of another table."""
    landed = land(
        tmp_path,
        "hubspot",
        {
            "crm/company/c.jsonl": [
                {"id": "51", "archived": False, "createdAt": "2024-01-02T03:04:05.678Z",
                 "updatedAt": "2024-06-01T00:00:00Z",
                 "properties": {"name": "Acme", "lifecyclestage": "customer", "country": "Japan",
                                "numberofemployees": "40", "stripe_id": "cus_7",
                                "createdate": "2024-01-02T03:04:05.678Z"}},
                {"id": "52", "archived": True, "createdAt": "2024-01-02T03:04:05.678Z",
                 "properties": {"name": "Gone"}},
                {"id": "53", "createdAt": "2024-01-02T03:04:05.678Z",
                 "properties": {"name": None, "domain": "beta.io"}},
            ],
            "crm/deal/d.jsonl": [
                {"id": "91", "properties": {"dealname": "New", "dealstage": "closedwon",
                 "dealtype": "newbusiness", "amount": "1000.50", "deal_currency_code": "JPY",
                 "createdate": "2024-02-01T00:00:00Z", "closedate": "2024-03-31T00:00:00Z",
                 "hs_is_closed_won": "true", "hubspot_owner_id": "7"}},
            ],
            "crm/deal_company/x.csv": "deal_id,company_id\n91,51\n",
            "crm/owner/o.jsonl": [
                {"id": "7", "firstName": "Ann", "lastName": "Lee", "email": "ann@us.io",
                 "archived": False, "updatedAt": "2024-01-01T00:00:00Z"},
            ],
            "crm/engagement_call/x.csv": (
                "engagement_id,type,property_hs_timestamp,property_hs_call_direction,"
                "property_hs_call_title,property_hubspot_owner_id\n"
                "81,CALL,2024-05-01 10:00:00,INBOUND,Renewal,7\n"
            ),
            "crm/engagement_company/x.csv": "engagement_id,company_id\n81,51\n",
            "crm/engagement_contact/x.csv": "engagement_id,contact_id\n",
        },
        more="""
tables:
  crm.account_links:
    files: crm/company/**
    only: {properties.stripe_id: "*"}
    columns:
      {source: {constant: invoices}, source_account_id: properties.stripe_id, account_id: id}
""",
    )  # fmt: skip
    assert landed.rows(
        "select account_id, account_name, lifecycle_stage, status, employee_count, "
        "created_at::varchar, _is_deleted from crm.accounts order by 1"
    ) == [
        ("51", "Acme", "customer", "customer", 40, "2024-01-02 03:04:05.678+00", False),
        ("52", "Gone", None, None, None, "2024-01-02 03:04:05.678+00", True),
        ("53", "beta.io", None, None, None, "2024-01-02 03:04:05.678+00", False),
    ]
    assert landed.rows(
        "select deal_id, account_id, stage, deal_type, amount, currency, "
        "expected_close_on::varchar, is_won, owner_id from crm.deals"
    ) == [
        ("91", "51", "closedwon", "new", Decimal("1000.5"), "JPY", "2024-03-31", True, "7")
    ]  # fmt: skip
    assert landed.rows("select full_name, is_active from crm.team_members") == [("Ann Lee", True)]
    assert landed.rows(
        "select account_id, interaction_type, direction, subject, team_member_id "
        "from crm.interactions"
    ) == [("51", "call", "inbound", "Renewal", "7")]
    assert landed.rows("select source_account_id, account_id from crm.account_links") == [
        ("cus_7", "51")
    ]
