"""Snowplow's own test events, Segment's calls and a plain log, written from their references."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.connectors import CONNECTORS, Landed, land, needs_data

SNOWPLOW = CONNECTORS / "snowplow_web_0.15.2" / "integration_tests" / "data"


@pytest.fixture(scope="module")
def snowplow(tmp_path_factory: pytest.TempPathFactory) -> Landed:
    file = SNOWPLOW / "source" / "snowplow_web_events.csv"
    return land(tmp_path_factory.mktemp("sp"), "snowplow", {"events/events/e.csv": file})


@needs_data
def test_snowplows_events_are_deduplicated_and_none_is_lost(snowplow: Landed) -> None:
    """An event that was sent twice counted twice, or one without a session set aside."""
    assert snowplow.counts() == {"events.events": (157, 0, 3)}
    assert snowplow.rows(
        "select event_type, count(*) from events.events group by 1 order by 1"
    ) == [
        ("custom", 94),
        ("heartbeat", 8),
        ("use", 55),
    ]
    assert snowplow.rows(
        "select user_id, event_name, module, feature, session_id, occurred_at::varchar, "
        "received_at::varchar from events.events "
        "where event_id in ('9e983d4a-e07c-4858-8e97-bdb7feb31241') or session_id is null "
        "order by session_id"
    ) == [
        ("dupe: event_id different collector_tstamp", "link_click", "snowplowanalytics.com", "/",
         "6b379f3eea11eb4ead878125af9cb708f8a91c455d9405b0bc617fa78c2e4291",
         "2021-03-03 21:27:32.695+00", "2021-03-03 21:27:32.696+00"),
        ("NULL domain_sessionid", "object_click", "next.console.snowplowanalytics.com",
         "/177234df-d425-412e-ad8d-8b97515b2807/jobs", None,
         "2021-03-01 11:46:46.218+00", "2021-03-01 11:46:46.221+00"),
    ]  # fmt: skip


@needs_data
def test_snowplows_page_views_sessions_and_users_can_be_told_from_raw(snowplow: Landed) -> None:
    """A column that its maintainers' page views, sessions and users are made from, lost.

    They take page views and pings that name their page, without what came more than three days
    late, more than three days into a session, or of consent; a session is of its first visitor.
    """
    views = """
        select
            session_id,
            anonymous_id,
            occurred_at,
            received_at,
            event_name,
            json_extract_string(attributes, '$[0].id') as page_id
        from events.events
        where
            event_name in ('page_view', 'page_ping')
            and package is distinct from 'consent_accel'
            and received_at - occurred_at < interval 3 days
            and session_id is not null
            and page_id is not null
        qualify received_at <= min(received_at) over (partition by session_id) + interval 3 days
    """
    snowplow.connection.execute(f"create temp view views as {views}")
    assert snowplow.rows(
        "select count(distinct page_id) from views where event_name = 'page_view'"
    ) == [(43,)]
    assert snowplow.rows(
        "with sessions as (select arg_min(anonymous_id, occurred_at) as visitor "
        "from views group by session_id) select count(*), count(distinct visitor) from sessions"
    ) == [(18, 11)]


def test_segments_calls(tmp_path: Path) -> None:
    """A call of group that makes somebody active, a device's clock, an account in the context."""
    common = {
        "anonymousId": "anon-1",
        "context": {"groupId": "acme", "userAgent": "Mozilla/5.0", "app": {"version": "4.2"}},
        "originalTimestamp": "2024-12-01T09:00:00.000Z",
        "receivedAt": "2024-12-01T10:00:00.500Z",
        "sentAt": "2024-12-01T09:00:01.000Z",
    }
    landed = land(
        tmp_path,
        "segment",
        {
            "events/track/dt=2024-12-01/t.jsonl": [
                common | {"messageId": "m1", "type": "track", "event": "Report Exported",
                          "userId": "u1", "timestamp": "2024-12-01T10:00:00.123Z",
                          "properties": {"module": "reports", "duration": 12.5, "quantity": 3,
                                         "format": "pdf"}},
                common | {"messageId": "m1", "type": "track", "event": "Report Exported",
                          "userId": "u1", "timestamp": "2024-12-01T10:00:00.123Z"},
                common | {"messageId": "m2", "type": "track", "event": "Clicked", "userId": None,
                          "context": {}, "timestamp": "2024-12-01T10:05:00+01:00",
                          "properties": {}},
            ],
            "events/page/p.jsonl": [
                common | {"messageId": "m3", "type": "page", "name": "Pricing", "category": "Docs",
                          "userId": "u1", "timestamp": "2024-12-01T11:00:00Z",
                          "properties": {"url": "https://x.io/pricing"}},
            ],
            "events/identify/i.jsonl": [
                common | {"messageId": "m4", "type": "identify", "userId": "u1",
                          "timestamp": "2024-12-01T09:59:00Z",
                          "traits": {"email": "ann@acme.com", "name": "Ann",
                                     "createdAt": "2024-01-02T03:04:05Z"}},
                # A visitor who left an address is no product user, and no reject.
                common | {"messageId": "m6", "type": "identify", "userId": None,
                          "timestamp": "2024-12-01T09:58:00Z", "traits": {"email": "x@acme.com"}},
            ],
            "events/group/g.jsonl": [
                common | {"messageId": "m5", "type": "group", "userId": "u1", "groupId": "acme",
                          "timestamp": "2024-12-01T09:59:30Z", "traits": {"plan": "pro"}},
            ],
        },
    )  # fmt: skip
    assert landed.counts() == {"events.events": (6, 0, 1), "events.users": (1, 0, 0)}
    assert landed.rows(
        "select event_id, account_id, user_id, event_type, event_name, module, feature, "
        "occurred_at::varchar from events.events order by 1"
    ) == [
        ("m1", "acme", "u1", "use", "Report Exported", "reports", "Report Exported",
         "2024-12-01 10:00:00.123+00"),
        ("m2", "anon-1", None, "use", "Clicked", None, "Clicked", "2024-12-01 09:05:00+00"),
        ("m3", "acme", "u1", "use", "Pricing", "Docs", "Pricing", "2024-12-01 11:00:00+00"),
        ("m4", "acme", "u1", "identify", None, None, None, "2024-12-01 09:59:00+00"),
        ("m5", "acme", "u1", "identify", None, None, None, "2024-12-01 09:59:30+00"),
        ("m6", "acme", None, "identify", None, None, None, "2024-12-01 09:58:00+00"),
    ]  # fmt: skip
    duration, quantity, device, version, attributes = landed.rows(
        "select duration_seconds, quantity, device, app_version, attributes from events.events "
        "where event_id = 'm1'"
    )[0]
    assert (duration, quantity, device, version) == (Decimal("12.5"), 3, "Mozilla/5.0", "4.2")
    assert json.loads(attributes)["format"] == "pdf"
    assert landed.rows(
        "select account_id, user_id, email, full_name, created_at::varchar from events.users"
    ) == [("acme", "u1", "ann@acme.com", "Ann", "2024-01-02 03:04:05+00")]


LOG = (
    "timestamp,account_id,user_id,action,module,duration_ms,version\n"
    "2024-12-01T10:00:00Z,a1,u1,login,,,4.2\n"
    "2024-12-01T10:00:05Z,a1,u1,export,reports,1500,4.2\n"
    "2024-12-01T10:00:05Z,a1,u1,export,reports,1500,4.2\n"
    "2024-12-01T10:00:09Z,a1,u1,error,reports,,4.2\n"
    "2024-12-01T10:00:10Z,,u2,export,reports,10,4.2\n"
)


def test_a_plain_log(tmp_path: Path) -> None:
    """Equal rows of a log without ids taken for one; a row without an account taken along."""
    landed = land(tmp_path, "event_log", {"events/event_log/dt=2024-12-01/log.csv": LOG})
    assert landed.counts() == {"events.events": (4, 1, 0)}
    assert landed.reasons("events.events") == ["account_id is empty, and a row needs it"]
    assert landed.rows(
        "select event_type, event_name, module, feature, duration_seconds, app_version "
        "from events.events order by occurred_at, event_id"
    ) == [
        ("login", "login", None, "login", None, "4.2"),
        ("use", "export", "reports", "export", Decimal("1.5"), "4.2"),
        ("use", "export", "reports", "export", Decimal("1.5"), "4.2"),
        ("error", "error", "reports", "error", None, "4.2"),
    ]


def test_a_log_that_is_called_otherwise_needs_only_what_differs(tmp_path: Path) -> None:
    """The adaption that the profile describes."""
    landed = land(
        tmp_path,
        "event_log",
        {"events/event_log/log.jsonl": [
            {"id": "e1", "at": 1733047200000, "tenant": "a1", "actor": "u1", "action": "sign_in"}
        ]},
        more="tables: {events.events: {columns: {event_id: id, "
        "occurred_at: {from: at, format: epoch_milliseconds}}}}\n",
    )  # fmt: skip
    assert landed.rows(
        "select event_id, account_id, user_id, event_type, occurred_at::varchar from events.events"
    ) == [("e1", "a1", "u1", "login", "2024-12-01 10:00:00+00")]
