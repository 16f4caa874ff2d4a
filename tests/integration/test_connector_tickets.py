"""Zendesk's and Jira's connector tables as they are; API objects of these and of Freshdesk."""

import json
from pathlib import Path

import pytest

from tests.integration.connectors import CONNECTORS, DATA, Landed, land, needs_data

ZENDESK = CONNECTORS / "zendesk"
JIRA = CONNECTORS / "jira"
FRESHDESK = DATA / "api" / "freshdesk" / "freshdesk" / "v2" / "tests" / "sample_json_data"
JIRA_TABLES = ("issue", "status", "priority", "issue_type", "user", "issue_field_history")


@pytest.fixture(scope="module")
def zendesk(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    names = ("ticket", "user", "ticket_field_history")
    files = {f"tickets/{name}/{name}.csv": ZENDESK / f"{name}_data.csv" for name in names}
    metrics = "ticket_id,solved_at,updated_at\n11071,2020-11-14 11:01:27,2020-11-15 11:01:27\n"
    return land(
        tmp_path_factory.mktemp("zd"), "zendesk", files | {"tickets/ticket_metric/m.csv": metrics}
    )


@needs_data
def test_every_row_of_zendesks_tables_is_loaded(zendesk: Landed) -> None:
    """A ticket without an organization set aside.

    Of 38 changes one is of the requester, which no contract has, and three say the same again.
    """
    assert zendesk.counts() == {
        "tickets.tickets": (10, 0, 0),
        "tickets.ticket_changes": (34, 0, 3),
    }


@needs_data
def test_zendesks_tickets_and_changes(zendesk: Landed) -> None:
    """A deleted ticket that is open, a requester's address lost, on-hold as a word of its own."""
    assert zendesk.rows(
        "select ticket_id, account_id, requester_id, requester_email, status, priority, "
        "is_deleted, created_at::varchar, solved_at::varchar from tickets.tickets "
        "where ticket_id in ('1595', '11071', '16988') order by 1"
    ) == [
        ("11071", "2222", "2222", "example@email.com", "closed", "urgent", False,
         "2020-08-28 18:06:36+00", "2020-11-14 11:01:27+00"),
        ("1595", "370295712714", "396331237134", None, "deleted", None, True,
         "2020-02-19 01:54:52+00", None),
        ("16988", "370469077513", "1500656884401", None, "solved", None, False,
         "2020-12-22 00:19:23+00", None),
    ]  # fmt: skip
    assert zendesk.rows(
        "select field, new_value, count(*) from tickets.ticket_changes "
        "where ticket_id = '11071' group by all order by all"
    ) == [
        ("assignee", "1111", 1),
        ("priority", "high", 1),
        ("priority", "medium", 1),
        ("priority", "normal", 1),
        ("priority", "urgent", 1),
        ("status", "closed", 1),
        ("status", "on_hold", 3),
        ("status", "open", 4),
        ("status", "pending", 4),
        ("status", "solved", 1),
    ]


def test_zendesks_objects_and_audits(tmp_path: Path) -> None:
    """A change that only an audit's events tell; a bad answer as a text."""
    landed = land(
        tmp_path,
        "zendesk",
        {
            "tickets/ticket/t.jsonl": [
                {"id": 35436, "organization_id": 509974, "requester_id": 20978392,
                 "subject": "Help", "status": "hold", "priority": "high", "type": "incident",
                 "assignee_id": 235323, "tags": ["enterprise", "other"], "url": "https://z/1",
                 "satisfaction_rating": {"score": "bad", "comment": "Slow"},
                 "created_at": "2024-07-20T22:55:29Z", "updated_at": "2024-07-21T00:00:00Z"},
            ],
            "tickets/user/u.jsonl": [{"id": 20978392, "email": "ann@acme.com"}],
            "tickets/ticket_metric/m.jsonl": [{"id": 1, "ticket_id": 35436, "solved_at": None}],
            "tickets/ticket_audit/a.jsonl": [
                {"id": 1, "ticket_id": 35436, "created_at": "2024-07-20T22:55:29Z", "events": [
                    {"id": 2, "type": "Create", "field_name": "status", "value": "new"},
                    {"id": 3, "type": "Comment", "body": "Help!"},
                    {"id": 4, "type": "Create", "field_name": "subject", "value": "Help"}]},
                {"id": 5, "ticket_id": 35436, "created_at": "2024-07-20T23:55:29Z", "events": [
                    {"id": 6, "type": "Change", "field_name": "status", "value": "hold",
                     "previous_value": "new"},
                    {"id": 7, "type": "Change", "field_name": "assignee_id", "value": "235323",
                     "previous_value": None}]},
            ],
        },
    )  # fmt: skip
    assert landed.counts() == {
        "tickets.tickets": (1, 0, 0),
        "tickets.ticket_changes": (3, 0, 0),
    }
    assert landed.rows(
        "select ticket_id, account_id, requester_email, status, satisfaction_score, tags, "
        "is_deleted from tickets.tickets"
    ) == [
        ("35436", "509974", "ann@acme.com", "on_hold", 0.0, '["enterprise","other"]', False)
    ]  # fmt: skip
    assert landed.rows(
        "select ticket_id, changed_at::varchar, field, old_value, new_value "
        "from tickets.ticket_changes order by 2, 3"
    ) == [
        ("35436", "2024-07-20 22:55:29+00", "status", None, "new"),
        ("35436", "2024-07-20 23:55:29+00", "assignee", None, "235323"),
        ("35436", "2024-07-20 23:55:29+00", "status", "new", "on_hold"),
    ]


@needs_data
def test_freshdesks_objects(tmp_path: Path) -> None:
    """A number for a status, an offset of ten hours, a company that a ticket does not have."""
    ticket = json.loads((FRESHDESK / "ticket_1.json").read_text())
    listed = json.loads((FRESHDESK / "all_tickets.json").read_text())
    activity = {
        "performed_at": "18-05-2016 05:00:00 +0000",
        "ticket_id": 1,
        "performer_type": "user",
        "performer_id": 1,
        "activity": {"status": "Resolved"},
    }
    landed = land(
        tmp_path,
        "freshdesk",
        {
            "tickets/ticket/one.jsonl": [ticket, ticket | {"id": 9, "company_id": 77, "status": 6,
                                                           "priority": 4, "spam": True}],
            "tickets/ticket/all.jsonl": [each | {"id": 2} for each in listed],
            "tickets/ticket_activity/a.jsonl": [
                activity, activity | {"activity": {"priority": 3, "note": {"id": 1}}}
            ],
        },
    )  # fmt: skip
    assert landed.counts() == {
        "tickets.tickets": (2 + len(listed), 0, 0),
        "tickets.ticket_changes": (1, 0, 0),
    }
    assert landed.rows(
        "select ticket_id, account_id, requester_email, status, priority, type, is_spam, "
        "is_escalated, created_at::varchar, first_response_at::varchar, solved_at::varchar "
        "from tickets.tickets where ticket_id in ('1', '9') order by 1"
    ) == [
        ("1", "6012691534", "dummyname@example.com", "open", "low", "Question", False, True,
         "2016-05-18 04:36:04+00", "2020-06-17 20:23:43+00", "2020-07-24 15:35:21+00"),
        ("9", "77", "dummyname@example.com", "pending", "urgent", "Question", True, True,
         "2016-05-18 04:36:04+00", "2020-06-17 20:23:43+00", "2020-07-24 15:35:21+00"),
    ]  # fmt: skip
    assert landed.rows(
        "select ticket_id, changed_at::varchar, field, new_value from tickets.ticket_changes"
    ) == [("1", "2016-05-18 05:00:00+00", "status", "solved")]


@needs_data
def test_jiras_tables_with_what_their_ids_mean(tmp_path: Path) -> None:
    """A status that is a number, a priority that is another number.

    Two of the four issues have a status that is not in the test table of statuses; none of the
    test history's changes is of a status.
    """
    files = {f"tickets/{name}/{name}.csv": JIRA / f"{name}.csv" for name in JIRA_TABLES}
    landed = land(tmp_path, "jira_tables", files)
    assert landed.counts() == {"tickets.tickets": (4, 0, 0), "tickets.ticket_changes": (0, 0, 0)}
    assert landed.rows(
        "select ticket_id, account_id, status, priority, subject, created_at::varchar, "
        "solved_at::varchar from tickets.tickets where ticket_id in ('10011', '10015', '10027') "
        "order by 1"
    ) == [
        ("10011", "5c3326c24b248c315badf3ee", "open", "medium", "We want to test permissions",
         "2020-04-01 08:33:58+00", "2020-05-29 11:33:53+00"),
        ("10015", "5ed0edbe2999b60c23255b4f", None, "low", "Part of test epic",
         "2020-06-11 07:38:03+00", "2020-06-11 07:38:03+00"),
        ("10027", "5ed0edbe2999b60c23255b4f", "open", "urgent", "just a regular issue",
         "2020-11-15 19:11:45+00", None),
    ]  # fmt: skip


@needs_data
def test_jiras_history_of_a_status(tmp_path: Path) -> None:
    """A change from one number to another."""
    files = {f"tickets/{name}/{name}.csv": JIRA / f"{name}.csv" for name in JIRA_TABLES[1:-1]}
    history = "field_id,issue_id,time,value\nstatus,10011,2020-04-02 08:00:00,3\n"
    landed = land(tmp_path, "jira_tables", files | {"tickets/issue_field_history/h.csv": history})
    assert landed.rows(
        "select ticket_id, changed_at::varchar, field, new_value from tickets.ticket_changes"
    ) == [("10011", "2020-04-02 08:00:00+00", "status", "open")]


def test_jiras_objects(tmp_path: Path) -> None:
    """An issue of an organization, whose status has a name that only this site knows."""
    fields = {
        "summary": "VPN is down", "created": "2024-11-10T19:19:41.472+0100",
        "updated": "2024-11-11T08:00:00.000+0100", "resolutiondate": None,
        "status": {"name": "Bei uns", "statusCategory": {"key": "indeterminate"}},
        "priority": {"name": "Highest"}, "issuetype": {"name": "[System] Incident"},
        "reporter": {"accountId": "qm:1", "emailAddress": "ann@acme.com"},
        "assignee": {"accountId": "557058:a9"}, "labels": ["vpn"],
        "customfield_10002": [{"id": "17", "name": "Acme"}],
    }  # fmt: skip
    item = {
        "issueId": "10100",
        "created": "2024-11-10T19:30:00.000+0100",
        "field": "status",
        "fromString": "Waiting for support",
        "toString": "Waiting for customer",
    }
    landed = land(
        tmp_path,
        "jira",
        {
            "tickets/issue/i.jsonl": [
                {"id": "10100", "key": "SD-1", "self": "https://j/10100", "fields": fields},
                {"id": "10101", "key": "SD-2", "fields": fields | {"customfield_10002": []}},
            ],
            "tickets/changelog/c.jsonl": [item, item | {"field": "Attachment"}],
        },
    )  # fmt: skip
    assert landed.counts() == {"tickets.tickets": (2, 0, 0), "tickets.ticket_changes": (1, 0, 0)}
    assert landed.rows(
        "select ticket_id, account_id, requester_id, requester_email, status, priority, type, "
        "assignee_id, created_at::varchar, url from tickets.tickets order by 1"
    ) == [
        ("10100", "17", "qm:1", "ann@acme.com", "open", "urgent", "[System] Incident",
         "557058:a9", "2024-11-10 18:19:41.472+00", "https://j/10100"),
        ("10101", "qm:1", "qm:1", "ann@acme.com", "open", "urgent", "[System] Incident",
         "557058:a9", "2024-11-10 18:19:41.472+00", None),
    ]  # fmt: skip
    assert landed.rows(
        "select changed_at::varchar, field, old_value, new_value from tickets.ticket_changes"
    ) == [("2024-11-10 18:30:00+00", "status", "open", "pending")]
