"""Salesforce: a connector's tables as they are, and the API's objects as its reference has them."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.connectors import CONNECTORS, Landed, land, needs_data

SALESFORCE = CONNECTORS / "salesforce"
# The test tables of the connector have no created_date of an account.
NO_CREATED_DATE = "tables: {crm.accounts: {columns: {created_at: _fivetran_synced}}}\n"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    objects = ("account", "contact", "lead", "opportunity", "opportunity_history", "event", "task",
               "user")  # fmt: skip
    files = {f"crm/{name}/{name}.csv": SALESFORCE / f"sf_{name}_data.csv" for name in objects}
    return land(tmp_path_factory.mktemp("sf"), "salesforce", files, more=NO_CREATED_DATE)


@needs_data
def test_every_row_of_the_connectors_tables_is_loaded(tables: Landed) -> None:
    """Rows set aside for a name of the connector that the profile does not know.

    One contact has nothing but an id: it is loaded, and waits for its account. Of ten accounts one
    was merged into another.
    """
    assert tables.counts() == {
        "crm.accounts": (10, 0, 0),
        "crm.account_merges": (1, 0, 0),
        "crm.contacts": (4, 0, 0),
        "crm.leads": (1, 0, 0),
        "crm.team_members": (10, 0, 0),
        "crm.deals": (10, 0, 0),
        "crm.deal_stage_changes": (10, 0, 0),
        "crm.interactions": (10, 0, 0),
        "crm.tasks": (10, 0, 0),
    }


@needs_data
def test_accounts_of_the_connector(tables: Landed) -> None:
    """A deleted account that stays, an employee count in another column, a merge that is lost."""
    assert tables.rows(
        "select account_id, account_name, employee_count, _is_deleted, updated_at::varchar "
        "from crm.accounts where account_name in ('Eric''s Test', 'Seinfeld') "
        "or employee_count is not null order by 1"
    ) == [
        ("0015500000Xyy06AAB", "Eric's Test", None, False, "2019-10-17 21:10:19+00"),
        ("0015500000Ygpq1AAB", "Seinfeld", None, True, "2019-10-17 21:33:00+00"),
        ("001q0000013WMSUAA4", "Testins Opp Close", 120210, True, "2019-04-04 18:36:06+00"),
    ]
    assert tables.rows(
        "select from_account_id, into_account_id, merged_at::varchar from crm.account_merges"
    ) == [("0015500000Ygpq1AAB", "L4izOo4yZpLq5io5YM8pvA==", "2019-10-17 21:33:00+00")]


@needs_data
def test_people_of_the_connector(tables: Landed) -> None:
    """A contact without an account set aside, or a colleague without a name."""
    assert tables.rows(
        "select contact_id, account_id, full_name, email, title from crm.contacts order by 1"
    ) == [
        ("0031G00000q9jPQAQ", "0011G00000eM9wvQAC", "Janet Yellen", None, "Daa Science Direcor"),
        ("0031G00000qAfq1QAC", "0011G00000eNyiXQAS", "Jerome", "hi@google.com",
         "Markeing Direcor"),
        ("0031G00000rfAvuQAE", "0011G00000f8NwQAU", "Jerome Powell", None,
         "Direcor, Business Insighs & Sraegy"),
        ("0033700000JmrFPAA", "(none)", None, None, None),
    ]  # fmt: skip
    assert tables.rows(
        "select full_name, is_active, updated_at::varchar from crm.team_members "
        "where full_name in ('Brandon Zinn', 'Saurabh Kapadia', 'empty account') order by 1"
    ) == [
        ("Brandon Zinn", True, "2019-11-26 20:18:23+00"),
        ("Saurabh Kapadia", True, "2019-11-18 21:13:39+00"),
        ("empty account", False, "2019-04-04 18:48:20+00"),
    ]
    assert tables.rows("select lead_name, status, converted_account_id, converted_at::varchar "
                       "from crm.leads") == [
        ("h", "Converted", "0011G00000tLWKnQAO", "2019-11-11 17:23:34+00")
    ]  # fmt: skip


@needs_data
def test_deals_of_the_connector(tables: Landed) -> None:
    """An amount, a close date or a stage of another deal; a type that no pick-list has."""
    assert tables.rows(
        "select deal_name, amount, is_won, deal_type, created_at::varchar, "
        "expected_close_on::varchar from crm.deals where amount > 1000 order by amount desc"
    ) == [
        ("$1m deal", Decimal(24_120_000), True, None, "2018-12-19 19:51:13+00", "2018-12-19"),
        (
            "Testing Order from Process",
            Decimal(210_000),
            False,
            None,
            "2018-12-18 17:56:05+00",
            "2018-12-19",
        ),
        ("Evergreen Test", Decimal(200_000), False, None, "2018-11-14 19:12:53+00", "2018-11-21"),
    ]
    assert tables.rows(
        "select deal_id, changed_at::varchar, stage from crm.deal_stage_changes "
        "where deal_id in ('006q000000HddohAAB', '006q000000Hbmd1AAB') order by 2"
    ) == [
        ("006q000000Hbmd1AAB", "2019-04-04 18:36:08+00", "GavUFuuf4DrnQAoiRGlWpQ=="),
        ("006q000000HddohAAB", "2019-10-17 21:10:19+00", "GavUFuuf4DrnQAoiRGlWpQ=="),
    ]


@needs_data
def test_events_and_tasks_of_the_connector(tables: Landed) -> None:
    """A call taken for a meeting, a task that is done taken for an open one."""
    assert tables.rows(
        "select interaction_id, account_id, contact_id, interaction_type, occurred_at::varchar "
        "from crm.interactions where interaction_id in "
        "('00U1G00000DEaypUAD', '00U1G00000DEQNmUAP') order by 4"
    ) == [
        ("00U1G00000DEaypUAD", "0011G00000eLwuWQAS", "0031G00001Pji7ZQAR", "call",
         "2019-11-11 17:23:34+00"),
        ("00U1G00000DEQNmUAP", "0011G00000f8MOkQAM", "0031G00001QY4G5QAL", "meeting",
         "2019-11-11 17:23:34+00"),
    ]  # fmt: skip
    assert tables.rows(
        "select task_id, account_id, task_type, status, priority, due_on::varchar from crm.tasks "
        "where task_id in ('00T1G00003Ufap9UAB', '00T1G00003UffGjUAJ') order by 2 desc"
    ) == [
        ("00T1G00003Ufap9UAB", "0011G00000jWVWoQAO", "Task", "completed", "Normal", "2019-11-11"),
        ("00T1G00003UffGjUAJ", "(none)", "Task", "completed", "Normal", "2019-11-11"),
    ]


@needs_data
def test_a_table_without_a_required_column_is_refused(tmp_path: Path) -> None:
    """Accounts that came into being when somebody looked at them."""
    files = {"crm/account/a.csv": SALESFORCE / "sf_account_data.csv"}
    (said,) = land(tmp_path, "salesforce", files).loads["crm.accounts"].refusals
    assert "the required column created_date or CreatedDate (read as created_at" in said


def test_the_apis_own_names_and_a_link_of_an_accounts_field(tmp_path: Path) -> None:
    """An export of the Data Loader that needs a profile of its own; links that need code."""
    landed = land(
        tmp_path,
        "salesforce",
        {
            "crm/account/dt=2025-01-02/a.csv": (
                "Id,Name,Type,BillingCountry,NumberOfEmployees,ParentId,CreatedDate,"
                "LastModifiedDate,IsDeleted,Stripe_Customer_Id__c,MasterRecordId\n"
                "001A,Acme,Customer,DE,120,,2024-03-01T09:30:00.000+0000,"
                "2025-01-01T00:00:00.000+0000,false,cus_1,\n"
                "001B,Beta,Prospect,,,001A,2024-05-01T00:00:00.000Z,2025-01-01T00:00:00.000Z,true,"
                ",001A\n"
            ),
            "crm/opportunity/o.jsonl": [
                {"attributes": {"type": "Opportunity"}, "Id": "006A", "AccountId": "001A",
                 "Name": "Renewal 25", "StageName": "Negotiation", "Type": "Renewal",
                 "Amount": 1200.5, "CurrencyIsoCode": "EUR", "OwnerId": "005A",
                 "CreatedDate": "2024-12-01T10:00:00.000Z", "CloseDate": "2025-03-31",
                 "IsWon": False, "IsDeleted": False},
                {"Id": "006B", "AccountId": None, "Name": "Odd", "StageName": "New",
                 "Type": "Our own", "CreatedDate": "2024-12-02T10:00:00.000Z"},
            ],
            "crm/opportunity_history/h.jsonl": [
                {"Id": "008A", "OpportunityId": "006A", "StageName": "Qualification",
                 "CreatedDate": "2024-12-01T10:00:00.000Z"},
            ],
            "crm/account_team_member/t.csv": (
                "Id,AccountId,UserId,TeamMemberRole,CreatedDate,IsDeleted\n"
                "01M,001A,005A,Customer Success Manager,2024-06-01T00:00:00Z,false\n"
            ),
            "crm/task/t.csv": (
                "Id,AccountId,OwnerId,Subject,Status,TaskSubtype,CallType,CreatedDate,"
                "CompletedDateTime\n"
                "00T1,001A,005A,Renewal,Completed,Call,Inbound,2024-06-01T00:00:00Z,"
                "2024-06-02T00:00:00Z\n"
                "00T2,001A,005A,Ring,Not Started,Call,,2024-06-01T00:00:00Z,\n"
                "00T3,001A,005A,Do,Completed,Task,,2024-06-01T00:00:00Z,2024-06-02T00:00:00Z\n"
            ),
            "crm/event/e.csv": (
                "Id,AccountId,Type,Subject,StartDateTime,ActivityDate\n"
                "00U1,001A,Other,Fair,,2024-06-03\n"
            ),
        },
        more="""
tables:
  crm.account_links:
    files: crm/account/**
    only: {Stripe_Customer_Id__c: "*"}
    columns:
      {source: {constant: invoices}, source_account_id: Stripe_Customer_Id__c, account_id: Id}
""",
    )  # fmt: skip
    assert landed.counts() == {
        "crm.accounts": (2, 0, 0),
        "crm.account_merges": (1, 0, 0),
        "crm.account_links": (1, 0, 0),
        "crm.deals": (2, 0, 0),
        "crm.deal_stage_changes": (1, 0, 0),
        "crm.account_team": (1, 0, 0),
        "crm.interactions": (2, 0, 0),
        "crm.tasks": (3, 0, 0),
    }
    assert landed.rows(
        "select interaction_id, account_id, interaction_type, direction, occurred_at::varchar "
        "from crm.interactions order by 1"
    ) == [
        ("00T1", "001A", "call", "inbound", "2024-06-02 00:00:00+00"),
        ("00U1", "001A", "meeting", None, "2024-06-03 00:00:00+00"),
    ]
    assert landed.rows(
        "select account_id, account_name, status, country, employee_count, parent_account_id, "
        "created_at::varchar, _is_deleted from crm.accounts order by 1"
    ) == [
        ("001A", "Acme", "Customer", "DE", 120, None, "2024-03-01 09:30:00+00", False),
        ("001B", "Beta", "Prospect", None, None, "001A", "2024-05-01 00:00:00+00", True),
    ]
    assert landed.rows(
        "select from_account_id, into_account_id, merged_at::varchar from crm.account_merges"
    ) == [("001B", "001A", "2025-01-01 00:00:00+00")]
    assert landed.rows("select source, source_account_id, account_id from crm.account_links") == [
        ("invoices", "cus_1", "001A")
    ]
    assert landed.rows(
        "select deal_id, account_id, deal_type, amount, currency, expected_close_on::varchar "
        "from crm.deals order by 1"
    ) == [
        ("006A", "001A", "renewal", Decimal("1200.5"), "EUR", "2025-03-31"),
        ("006B", "(none)", None, None, None, None),
    ]
    assert landed.rows("select deal_id, stage from crm.deal_stage_changes") == [
        ("006A", "Qualification")
    ]
    assert landed.rows("select account_id, team_member_id, role from crm.account_team") == [
        ("001A", "005A", "csm")
    ]
