"""The same rollups and marts by hand: one DuckDB script over text keys, from the same files.

    python -m benchmarks.usage.with_duckdb LANDING OUT AS_OF

The other competitors do the same steps in their own words. None of them knows what a late row
changed or from when a row was known: known days are left out of the comparison.
"""

import json
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.usage.runs import MEMORY_LIMIT, THREADS

PERIODS = ("month", "quarter", "year")
LOAD = """
create table accounts as
    select account_id, max_by(is_test, updated_at) as is_test,
        cast(max_by(created_at, updated_at) as date) as created_on
    from read_csv('{landing}/crm/accounts/*/*.csv',
        types = {{'updated_at': 'timestamptz', 'created_at': 'timestamptz'}})
    where created_at < timestamptz '{as_of}'
    group by account_id;
create table assignments as
    select account_id, user_id, license_id, package, cast(assigned_at as date) as first_day,
        cast(max(unassigned_at) as date) as end_day
    from read_csv('{landing}/crm/license_assignments/*/*.csv',
        types = {{'assigned_at': 'timestamptz', 'unassigned_at': 'timestamptz'}})
    inner join (select distinct license_id, account_id, package
        from read_csv('{landing}/crm/licenses/*/*.csv')) using (license_id)
    where assigned_at < timestamptz '{as_of}'
    group by all;
create table internal_users as
    select account_id, user_id
    from read_csv('{landing}/events/users/*/*.csv', types = {{'updated_at': 'timestamptz'}})
    group by account_id, user_id having max_by(is_internal, updated_at);
create table events as
    select distinct on (event_id) *
    from read_parquet('{landing}/events/events/*/*.parquet', hive_partitioning = false)
    where occurred_at < timestamptz '{as_of}';
"""
# The window over a session's events finds its start and end; the one over its running time caps it
# at 12 hours.
ROLLUPS = """
create table identifications as
    select account_id, anonymous_id, occurred_at as identified_at, min(user_id) as user_id
    from events anti join internal_users using (account_id, user_id)
    where user_id is not null and anonymous_id is not null group by all;
create table timed as
with counted as (
    select events.* replace (coalesce(
            events.user_id,
            if(identified_at <= occurred_at + interval 30 day, identifications.user_id, null)
        ) as user_id),
        cast(occurred_at as date) as day, epoch_us(occurred_at) as us,
        event_type not in ('heartbeat', 'identify') as is_activity
    from events inner join accounts using (account_id)
    asof left join identifications
        on events.account_id = identifications.account_id
        and events.anonymous_id = identifications.anonymous_id
        and events.occurred_at <= identifications.identified_at
    where not coalesce(is_test, false)
),
named as (
    select * replace (
            coalesce(package, '(none)') as package, coalesce(module, '(none)') as module,
            coalesce(feature, '(none)') as feature, coalesce(quantity, 1) as quantity
        ),
        case when user_id is not null then 'user ' || user_id
            when anonymous_id is not null then 'anonymous ' || anonymous_id
            else 'nameless' end as actor_id
    from counted anti join internal_users using (account_id, user_id)
),
spaced as (
    select *,
        coalesce(session_id is null and us - lag(us) over visit >= 1800000000, false)
            or lag(us) over visit is null as is_session_start,
        lead(us) over visit - us as gap
    from named
    window visit as (partition by account_id, actor_id, day, session_id order by us, event_id)
),
opened as (
    select *,
        sum(cast(is_session_start as integer)) over visit as session_number,
        coalesce(
            case when duration_seconds is not null
                then cast(least(duration_seconds, 43200)::decimal(18, 6) * 1000000 as bigint) end,
            if(session_id is not null or gap < 1800000000, gap, 0), 0
        ) as opened_us
    from spaced
    window visit as (
        partition by account_id, actor_id, day, session_id order by us, event_id
        rows unbounded preceding
    )
),
summed as (
    select *, sum(opened_us) over (
        partition by account_id, actor_id, day, session_id, session_number order by us, event_id
        rows unbounded preceding) as session_us
    from opened
)
select * exclude (gap, us),
    cast(least(session_us, 43200000000) - least(session_us - opened_us, 43200000000) as bigint)
        as active_us
from summed;

create table actor_feature_days as
    select account_id, actor_id, user_id, package, module, feature, day,
        bool_or(is_activity) as is_active, bool_or(event_type = 'use') as is_used,
        sum(active_us)::bigint as active_us,
        (sum(quantity) filter (event_type = 'use'))::bigint as use_count,
        (sum(quantity) filter (event_type = 'login'))::bigint as login_count,
        (sum(quantity) filter (event_type = 'error'))::bigint as error_count,
        (sum(quantity) filter (is_activity))::bigint as action_count,
        count(*) filter (is_activity) as event_count,
        count(*) filter (is_session_start) as session_count,
        min(occurred_at) filter (event_type = 'login') as first_login_at,
        max(occurred_at) filter (event_type = 'login') as last_login_at,
        min(occurred_at) filter (is_session_start) as first_session_at,
        max(occurred_at) filter (is_session_start) as last_session_at,
        min(occurred_at) filter (is_activity) as first_activity_at,
        max(occurred_at) filter (is_activity) as last_activity_at,
        max(occurred_at) filter (event_type = 'use') as last_used_at,
        max_by(device, occurred_at) filter (is_activity and device is not null) as last_device,
        max(occurred_at) filter (is_activity and device is not null) as last_device_at
    from timed group by all;
create table actor_days as
    select account_id, actor_id, user_id, day, bool_or(is_active) as is_active,
        sum(active_us)::bigint as active_us, sum(session_count)::bigint as session_count,
        sum(login_count)::bigint as login_count, sum(error_count)::bigint as error_count,
        sum(action_count)::bigint as action_count, sum(event_count)::bigint as event_count,
        min(first_login_at) as first_login_at, max(last_login_at) as last_login_at,
        min(first_session_at) as first_session_at, max(last_session_at) as last_session_at,
        min(first_activity_at) as first_activity_at, max(last_activity_at) as last_activity_at,
        max_by(last_device, last_device_at) as last_device
    from actor_feature_days group by all;
create table module_days as
    select account_id, module, actor_id, user_id, day, bool_or(is_used) as is_used,
        sum(active_us)::bigint as active_us, sum(use_count)::bigint as use_count
    from actor_feature_days group by all;
create table session_days as
with sessions as (
    select account_id, actor_id, day, session_id, session_number, sum(active_us) as session_us
    from timed group by all
)
select account_id, day, count(*) as session_count, sum(session_us)::bigint as sessions_us,
    median(session_us) as median_session_us
from sessions group by all;
create table use_days as
    select account_id, module, feature, day, sum(quantity)::bigint as use_count
    from timed where event_type = 'use' group by all;
create table event_type_days as
    select account_id, actor_id, user_id, event_type, event_name, day,
        count(*) as event_count, sum(quantity)::bigint as quantity
    from timed group by all;
create table error_days as
    select account_id, actor_id, user_id, package, coalesce(app_version, '(none)') as app_version,
        coalesce(error_fingerprint, '(none)') as error_fingerprint, day,
        sum(quantity)::bigint as occurrence_count,
        min(occurred_at) as first_seen_at, max(occurred_at) as last_seen_at,
        max_by(error_message, occurred_at) as error_message
    from timed where event_type = 'error' and is_unhandled group by all;
drop table timed;
"""
# The marts that grow with the events. In these files a user has one licence at most, so that whose
# package it is decides nothing.
PERIOD = """
create table usage_{period}ly as
    select account_id, package, module, feature, date_trunc('{period}', day) as {period},
        sum(use_count)::bigint as interactions,
        count(distinct user_id) filter (is_active) as active_users,
        count(distinct actor_id) filter (is_active and actor_id like 'anonymous %')
            as anonymous_users,
        sum(active_us) / 1000000 as active_seconds
    from actor_feature_days group by all;
create table account_usage_{period}ly as
with firsts as (
    select account_id, least(created_on, min(day)) as first_day
    from accounts left join actor_days using (account_id)
    where not coalesce(is_test, false)
    group by account_id, created_on
),
periods as (
    select account_id, unnest(generate_series(
        date_trunc('{period}', first_day), date '{as_of}' - 1, interval 1 {period}
    ))::date as {period}
    from firsts
),
totals as (
    select account_id, date_trunc('{period}', day)::date as {period},
        sum(use_count)::bigint as interactions,
        count(distinct user_id) filter (is_active) as active_users,
        count(distinct actor_id) filter (is_active and actor_id like 'anonymous %')
            as anonymous_users,
        sum(active_us) / 1000000 as active_seconds
    from actor_feature_days group by all
)
select account_id, {period}, coalesce(interactions, 0) as interactions,
    coalesce(active_users, 0) as active_users, coalesce(anonymous_users, 0) as anonymous_users,
    coalesce(active_seconds, 0) as active_seconds
from periods left join totals using (account_id, {period});
"""
DAILY = """
create table fct_user_{name}daily as
    select actor_feature_days.account_id, actor_feature_days.user_id, {keys}
        coalesce(license_id, '(unassigned)') as license_id, day,
        sum(login_count)::bigint as logins, sum(session_count)::bigint as sessions,
        sum(active_us) / 1000000 as active_seconds, sum(use_count)::bigint as use_count,
        sum(event_count)::bigint as events, bool_or(is_active) as is_active,
        bool_or(is_used) as is_used, max_by(last_device, last_device_at) as last_device
    from actor_feature_days left join assignments
        on actor_feature_days.account_id = assignments.account_id
        and actor_feature_days.user_id = assignments.user_id
        and day >= first_day and (end_day is null or day < end_day)
    where actor_feature_days.user_id is not null
    group by all;
"""
OTHERS = """
create table fct_unhandled_errors_daily as
    select account_id, package, app_version, error_fingerprint, day,
        max_by(error_message, last_seen_at) as error_message,
        sum(occurrence_count)::bigint as occurrences, count(distinct user_id) as users_affected,
        count(*) filter (actor_id like 'anonymous %') as anonymous_users_affected,
        min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at
    from error_days group by all;
create table fct_custom_interactions_daily as
    select account_id, coalesce(event_name, '(none)') as event_name, day,
        sum(quantity)::bigint as interaction_count, count(distinct user_id) as users,
        count(distinct actor_id) filter (actor_id like 'anonymous %') as anonymous_users
    from event_type_days where event_type = 'custom' group by all;
"""


def marts(as_of: str) -> str:
    """The script of the marts."""
    qualified = "actor_feature_days.package,"
    grains = {"activity_": "", "module_": " module,", "feature_": " module, feature,"}
    daily = [DAILY.format(name=name, keys=qualified + more) for name, more in grains.items()]
    periods = [PERIOD.format(period=period, as_of=as_of[:10]) for period in PERIODS]
    return "".join((*daily, *periods, OTHERS))


def main(landing: Path, out: Path, as_of: str) -> None:
    """Loads the files, makes the rollups and the marts; says the seconds of each."""
    out.mkdir(parents=True, exist_ok=True)
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": THREADS,
        "temp_directory": str(out / "spill"),
    }
    with duckdb.connect(str(out / "tables.duckdb"), config=config) as connection:
        connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
        begun = time.perf_counter()
        connection.execute(LOAD.format(landing=landing, as_of=as_of))
        loaded = time.perf_counter()
        connection.execute(ROLLUPS)
        connection.execute("checkpoint")
        rolled, cpu = time.perf_counter(), time.process_time()
        connection.execute(marts(as_of))
        connection.execute("checkpoint")
        done = time.perf_counter()
    parts = {"load": loaded - begun, "rollups": rolled - loaded, "marts": done - rolled}
    print(json.dumps(parts | {"cpu": cpu}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
