"""Golden cases of the plain re-computation of activity, each worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

import pytest

from tests.recompute.activity import account_activity_daily, account_module_usage

AS_OF = datetime(2024, 3, 31, tzinfo=UTC)
DAY = date(2024, 3, 30)
_numbers = count()


def at(day: int, hour: int = 9, minute: int = 0, second: float = 0, month: int = 3) -> datetime:
    return datetime(2024, month, day, hour, minute, tzinfo=UTC) + timedelta(seconds=second)


def event(when: datetime, user: str | None = "u", kind: str = "use", **more: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{next(_numbers):04d}",
        "account_id": "a",
        "user_id": user,
        "occurred_at": when,
        "event_type": kind,
    } | more


def account(created: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"account_id": "a", "created_at": created or at(1, month=1)} | more


def user(name: str, created: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"account_id": "a", "user_id": name, "created_at": created} | more


def daily(
    events: list[dict[str, Any]],
    users: list[dict[str, Any]] | None = None,
    day: date = DAY,
    as_of: datetime = AS_OF,
    who: dict[str, Any] | None = None,
) -> dict[str, Any]:
    rows = account_activity_daily([who or account()], users or [], events, as_of)
    return next(row for row in rows if row["day"] == day)


def modules(
    events: list[dict[str, Any]],
    users: list[dict[str, Any]] | None = None,
    as_of: datetime = AS_OF,
) -> dict[str, dict[str, Any]]:
    rows = account_module_usage([account()], users or [], events, as_of)
    return {row["module"]: row for row in rows}


def test_each_gap_belongs_to_the_event_that_opens_it_and_the_last_event_has_none() -> None:
    """Time at the wrong module, or a guess for the last event. 09:00 A, 09:10 B, 09:25 A."""
    events = [
        event(at(30, 9, 0), module="A"),
        event(at(30, 9, 10), module="B"),
        event(at(30, 9, 25), module="A"),
    ]
    row, found = daily(events), modules(events)
    assert (row["active_seconds"], row["sessions"]) == (1500, 1)
    assert (found["A"]["total_seconds"], found["B"]["total_seconds"]) == (600, 900)


@pytest.mark.parametrize(
    ("gap", "sessions", "seconds"), [(1799.999999, 1, "1799.999999"), (1800, 2, 0), (3600, 2, 0)]
)
def test_a_session_ends_after_30_minutes_without_an_event(
    gap: float, sessions: int, seconds: str
) -> None:
    """The gap of exactly 30 minutes on the wrong side."""
    row = daily([event(at(30)), event(at(30, second=gap))])
    assert (row["sessions"], row["active_seconds"]) == (sessions, Fraction(seconds))


def test_no_time_crosses_midnight() -> None:
    """A day's numbers that depend on the next day. 23:50, 23:58 | 00:03: 8 minutes, then none."""
    events = [event(at(29, 23, 50)), event(at(29, 23, 58)), event(at(30, 0, 3))]
    before, after = daily(events, day=DAY - timedelta(days=1)), daily(events)
    assert (before["active_seconds"], before["sessions"]) == (480, 1)
    assert (after["active_seconds"], after["sessions"]) == (0, 1)


def test_a_duration_counts_instead_of_the_gap_between_0_and_12_hours() -> None:
    """Both counted; a negative one that takes time away; a forgotten tab of three days."""
    short = [event(at(30, 9, 0), duration_seconds="90.5"), event(at(30, 9, 10))]
    assert daily(short)["active_seconds"] == Fraction("90.5")
    last = [event(at(30, 9, 0)), event(at(30, 9, 10), duration_seconds=60)]
    assert daily(last)["active_seconds"] == 660
    assert daily([event(at(30), duration_seconds=-5)])["active_seconds"] == 0
    assert daily([event(at(30), duration_seconds=260_000)])["active_seconds"] == 43_200


def test_a_session_is_capped_at_12_hours_in_the_order_of_its_events() -> None:
    """Modules that add up to more than their session. 8 h of A, then 8 h of B: 8 and 4."""
    events = [
        event(at(30, 9, 0), module="A", duration_seconds=28_800),
        event(at(30, 9, 1), module="B", duration_seconds=28_800),
        event(at(30, 9, 2), module="C", duration_seconds=60),
    ]
    found = modules(events)
    assert [found[m]["total_seconds"] for m in "ABC"] == [28_800, 14_400, 0]
    assert daily(events)["active_seconds"] == 43_200


def test_a_sources_own_session_keeps_its_events_together_within_the_day() -> None:
    """Two hours apart, one session by its id; events without an id between them are another."""
    events = [
        event(at(30, 9, 0), session_id="x"),
        event(at(30, 9, 20)),
        event(at(30, 9, 30)),
        event(at(30, 11, 0), session_id="x"),
    ]
    row = daily(events)
    assert (row["sessions"], row["active_seconds"]) == (2, 7200 + 600)
    assert row["mean_session_length"] == 3900
    assert row["median_session_length"] == 3900


def test_events_at_one_instant_are_ordered_by_their_id() -> None:
    """Numbers that depend on the order of loading."""
    events = [
        event(at(30, 9, 0), event_id="z", module="B"),
        event(at(30, 9, 0), event_id="b", module="A"),
        event(at(30, 9, 5), event_id="c", module="A"),
    ]
    found = modules(events)
    assert (found["A"]["total_seconds"], found["B"]["total_seconds"]) == (0, 300)


def test_a_heartbeat_opens_gaps_and_is_no_activity() -> None:
    """A browser tab that makes an active user; or time lost between two real events."""
    alone = daily([event(at(30), kind="heartbeat"), event(at(30, 9, 5), kind="heartbeat")])
    assert (alone["dau"], alone["active_seconds"], alone["last_activity_at"]) == (0, 300, None)
    assert alone["time_per_active_user"] is None
    among = daily([event(at(30)), event(at(30, 9, 5), kind="heartbeat"), event(at(30, 9, 8))])
    assert (among["dau"], among["active_seconds"]) == (1, 480)


def test_windows_of_7_and_30_days_end_with_the_day_itself() -> None:
    """A user who is counted a day too long or too short."""
    events = [event(at(1), "gone"), event(at(24), "week"), event(at(30), "today")]
    row = daily(events)
    assert (row["dau"], row["wau"], row["mau"]) == (1, 2, 3)
    events = [event(at(29, month=2), "gone"), event(at(23), "week")]
    row = daily(events)
    assert (row["dau"], row["wau"], row["mau"]) == (0, 0, 1)


def test_use_without_a_user_counts_for_the_account_and_never_for_users() -> None:
    """Anonymous visitors among the users, or their time lost. Each of the three is an actor."""
    events = [
        event(at(30, 9, 0)),
        event(at(30, 9, 1)),
        event(at(30, 9, 0), None, anonymous_id="v", module="A", quantity=4),
        event(at(30, 9, 2), None, anonymous_id="v", module="A"),
        event(at(30, 9, 0), None, module="A"),
        event(at(30, 9, 10), None, module="A"),
    ]
    row = daily(events)
    assert (row["dau"], row["sessions"], row["anonymous_users"]) == (1, 3, 1)
    assert (row["active_seconds"], row["identified_active_seconds"]) == (60 + 120 + 600, 60)
    assert row["time_per_active_user"] == 60
    assert row["identified_user_ratio"] == Fraction(1, 2)
    assert row["registered_users"] == 1
    used = modules(events)["A"]
    assert (used["total_count"], used["users"], used["anonymous_users"]) == (7, 0, 1)
    assert (used["non_users"], used["days_used"]) == (1, 1)
    assert used["time_per_user_per_day_used"] is None


def test_internal_users_and_test_accounts_are_left_out() -> None:
    """Our own people in a customer's numbers."""
    users = [user("us", at(1), is_internal=True), user("u", at(1))]
    row = daily([event(at(30), "us"), event(at(30))], users)
    assert (row["dau"], row["sessions"], row["registered_users"]) == (1, 1, 1)
    assert account_activity_daily([account(is_test=True)], [], [event(at(30))], AS_OF) == []


def test_logins_sum_quantity_and_are_inferred_only_where_the_source_sends_none() -> None:
    """Sessions counted as logins beside real ones."""
    real = [event(at(30), kind="login", quantity=2), event(at(30, 12)), event(at(30, 15))]
    row = daily(real)
    assert (row["logins"], row["login_is_inferred"]) == (2, False)
    assert row["last_login_at"] == at(30)
    row = daily([event(at(29)), event(at(30, 12)), event(at(30, 12, 5)), event(at(30, 15))])
    assert (row["logins"], row["login_is_inferred"]) == (2, True)
    assert row["last_login_at"] == at(30, 15)


def test_a_login_at_the_as_of_instant_infers_logins_all_the_same() -> None:
    """A row dated tomorrow that changes today's numbers."""
    row = daily([event(at(30)), event(AS_OF, kind="login")])
    assert (row["logins"], row["login_is_inferred"]) == (1, True)


def test_errors_sum_quantity_and_an_empty_quantity_is_one() -> None:
    """Rows counted instead of what they stand for."""
    events = [event(at(30), kind="error", quantity=3), event(at(30), kind="error")]
    assert daily(events)["errors"] == 4


@pytest.mark.parametrize(
    ("created", "gone", "today", "month"),
    [
        (at(30, 23), None, 1, 1),
        (AS_OF, None, 0, 0),
        (at(1, month=1), at(30, 12), 1, 1),
        (at(1, month=1), at(29, 12), 0, 1),
        (at(1, month=1), at(1, 0), 0, 1),
        (at(1, month=1), at(29, 23, month=2), 0, 0),
        (at(1, month=1), AS_OF, 1, 1),
    ],
)
def test_a_user_is_registered_from_creation_to_deactivation(
    created: datetime, gone: datetime | None, today: int, month: int
) -> None:
    """Deactivated mid-window; on the window's first day; before it; after as-of. 30 d: from 1.3."""
    row = daily([], [user("u", created, deactivated_at=gone)])
    assert (row["registered_users"], row["registered_users_30d"]) == (today, month)


def test_a_user_whom_only_an_event_knows_is_registered_from_that_event_on() -> None:
    """MAU above the registered users. A late creation date moves nothing forward."""
    events = [event(at(20), "u")]
    for users in ([], [user("u", at(25))], [user("u")]):
        assert daily(events, users, date(2024, 3, 19))["registered_users"] == 0
        assert daily(events, users, date(2024, 3, 20))["registered_users"] == 1
        assert daily(events, users)["registered_users"] == 1


def test_a_deactivated_user_who_acts_is_registered_in_that_window_all_the_same() -> None:
    """MAU above the registered users."""
    users = [user("u", at(1, month=1), deactivated_at=at(1, month=2))]
    events = [event(at(20), "u")]
    assert daily(events, users, date(2024, 3, 20))["registered_users"] == 1
    row = daily(events, users)
    assert (row["registered_users"], row["registered_users_30d"], row["mau"]) == (0, 1, 1)


def test_days_run_from_the_first_dated_row_to_the_last_full_day_and_gaps_are_zeros() -> None:
    """An event before the account, cut off; a half day shown as a whole one."""
    as_of = at(5, 14)
    rows = account_activity_daily([account(at(3, 12))], [], [event(at(1)), event(at(5, 10))], as_of)
    assert [r["day"].day for r in rows] == [1, 2, 3, 4]
    assert [r["is_before_creation"] for r in rows] == [True, True, False, False]
    assert [r["dau"] for r in rows] == [1, 0, 0, 0]
    assert rows[3]["last_activity_at"] == at(1)
    other = [("a", at(28, month=2))]
    assert len(account_activity_daily([account(at(3))], [], [], as_of, other_dated=other)) == 6


def test_time_per_user_per_day_used_is_the_formula_and_not_the_mean() -> None:
    """One user 60 minutes on one day, nine users 1 minute each on another: 30.5 and 6.9."""
    events = [event(at(10), "u0", module="A", duration_seconds=3600)]
    events += [event(at(11), f"u{n}", module="A", duration_seconds=60) for n in range(9)]
    row = modules(events)["A"]
    assert row["time_per_user_per_day_used"] == Fraction("30.5") * 60
    assert row["avg_seconds_per_user_day"] == Fraction("6.9") * 60
    assert row["count_per_user_per_day_used"] == 1
    assert (row["days_used"], row["users"], row["total_count"]) == (2, 9, 10)


def test_a_module_row_counts_the_30_full_days_before_as_of_and_remembers_older_use() -> None:
    """A window that slides by a day; a module forgotten once it is out of use."""
    events = [
        event(at(31, month=1), module="A", quantity=2, duration_seconds=40),  # 60 days before
        event(at(30, month=1), module="A"),
        event(at(29, month=2), module="A"),
        event(at(1), module="A", quantity=5, duration_seconds=10),
        event(at(2, month=1), module="Old"),
    ]
    found = modules(events)
    row = found["A"]
    assert (row["total_count"], row["prior_total_count"]) == (5, 3)
    assert (row["total_seconds"], row["prior_total_seconds"]) == (10, 40)
    assert row["total_seconds_change_ratio"] == Fraction(-3, 4)
    assert row["total_count_change_ratio"] == Fraction(2, 3)
    assert row["last_used_on"] == date(2024, 3, 1)
    old = found["Old"]
    assert (old["total_count"], old["last_used_on"]) == (0, date(2024, 1, 2))
    assert (old["users"], old["non_users"]) == (0, 1)
    assert old["total_seconds_change_ratio"] is None


def test_todays_use_counts_from_tomorrow() -> None:
    """An intraday run whose windows hold 31 days, or a last use on the as-of day itself."""
    events = [event(at(29), module="A"), event(at(30, 8), module="A"), event(at(30, 8), module="B")]
    found = modules(events, as_of=at(30, 12))
    assert list(found) == ["A"]
    assert (found["A"]["total_count"], found["A"]["last_used_on"]) == (1, date(2024, 3, 29))


def test_modules_are_ranked_by_time_then_name_and_none_has_no_rank() -> None:
    """A rank that changes from run to run, or one for what is no module."""
    events = [
        event(at(10), "u", "login"),
        event(at(10, 9, 10), "u", module="C"),
        event(at(10, 9, 15), "u", module="A"),
        event(at(10, 9, 20), "u", module="B"),
    ]
    found = modules(events)
    ranks = {name: row["rank"] for name, row in found.items()}
    assert ranks == {"(none)": None, "A": 1, "C": 2, "B": 3}
    assert sum(row["total_seconds"] for row in found.values()) == 1200
    assert (found["(none)"]["total_seconds"], found["(none)"]["last_used_on"]) == (600, None)
