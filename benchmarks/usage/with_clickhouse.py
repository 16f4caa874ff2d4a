"""The same rollups in ClickHouse's engine, embedded by chdb, which is no dependency of the project.

python -m benchmarks.usage.with_clickhouse LANDING OUT AS_OF
"""

import json
import sys
import time
from pathlib import Path

import chdb.session

from benchmarks.usage.runs import THREADS

SETTINGS = f"set max_threads = {THREADS}"
# Text that is missing is NULL in the files; keys of groups and sorts may be.
LOAD = """
create table accounts engine = MergeTree order by account_id as
    select assumeNotNull(account_id) as account_id
    from file('{landing}/crm/accounts/*/*.csv', CSVWithNames)
    group by account_id having argMax(is_test, updated_at) = 'false';
create table internal_users engine = MergeTree order by (account_id, user_id) as
    select assumeNotNull(account_id) as account_id, assumeNotNull(user_id) as user_id
    from file('{landing}/events/users/*/*.csv', CSVWithNames)
    group by account_id, user_id having argMax(is_internal, updated_at) = 'true';
create table events engine = MergeTree order by occurred_at as
    select assumeNotNull(event_id) as event_id, assumeNotNull(account_id) as account_id, user_id,
        anonymous_id, assumeNotNull(occurred_at) as occurred_at,
        assumeNotNull(event_type) as event_type, event_name, package, module, feature, session_id,
        duration_seconds, quantity, device, app_version, error_fingerprint, error_message,
        is_unhandled
    from file('{landing}/events/events/*/*.parquet', Parquet)
    where occurred_at < parseDateTime64BestEffort('{as_of}', 6)
    limit 1 by event_id
"""
ROLLUPS = """
create table identifications engine = MergeTree order by (account_id, visitor, identified_at) as
    select account_id, assumeNotNull(anonymous_id) as visitor, occurred_at as identified_at,
        min(user_id) as moved_to
    from events where user_id is not null and anonymous_id is not null
        and (account_id, coalesce(user_id, ''))
            not in (select account_id, user_id from internal_users)
    group by account_id, visitor, identified_at;
create table timed engine = MergeTree order by day as
with counted as (
    select events.*, if(events.user_id is null and i.identified_at <= occurred_at + interval 30 day,
            i.moved_to, events.user_id) as owner
    from (select *, coalesce(anonymous_id, '') as visitor from events
        where account_id in (select account_id from accounts)) as events
    asof left join identifications as i on events.account_id = i.account_id
        and events.visitor = i.visitor and events.occurred_at <= i.identified_at
),
named as (
    select event_id, account_id, owner as user_id, occurred_at, event_type, event_name,
        coalesce(package, '(none)') as package, coalesce(module, '(none)') as module,
        coalesce(feature, '(none)') as feature, session_id, duration_seconds,
        coalesce(quantity, 1) as quantity, device, app_version, error_fingerprint, error_message,
        is_unhandled, toDate(occurred_at) as day, toUnixTimestamp64Micro(occurred_at) as us,
        event_type not in ('heartbeat', 'identify') as is_activity,
        multiIf(owner is not null, 'user ' || assumeNotNull(owner),
            anonymous_id is not null, 'anonymous ' || assumeNotNull(anonymous_id), 'nameless')
            as actor_id
    from counted
    where (account_id, coalesce(owner, '')) not in (select account_id, user_id from internal_users)
),
spaced as (
    select *, lagInFrame(us, 1, 0) over visit as previous,
        leadInFrame(us, 1, us) over visit as following
    from named
    window visit as (partition by account_id, actor_id, day, session_id order by us, event_id
        rows between unbounded preceding and unbounded following)
),
opened as (
    select *, (previous = 0 or (session_id is null and us - previous >= 1800000000))
            as is_session_start,
        toInt64(multiIf(
            duration_seconds is not null, least(toInt64(duration_seconds * 1000000), 43200000000),
            session_id is not null or following - us < 1800000000, following - us, 0
        )) as opened_us
    from spaced
),
numbered as (
    select *, sum(is_session_start) over (
        partition by account_id, actor_id, day, session_id order by us, event_id
        rows unbounded preceding) as session_number
    from opened
),
summed as (
    select *, sum(opened_us) over (
        partition by account_id, actor_id, day, session_id, session_number order by us, event_id
        rows unbounded preceding) as session_us
    from numbered
)
select * except (us, previous, following, opened_us, session_us),
    least(session_us, 43200000000) - least(session_us - opened_us, 43200000000) as active_us
from summed;

create table actor_feature_days engine = MergeTree order by (account_id, day) as
    select account_id, actor_id, user_id, package, module, feature, day,
        max(is_activity) as is_active, max(event_type = 'use') as is_used,
        sum(active_us) as active_us, sumIf(quantity, event_type = 'use') as use_count,
        sumIf(quantity, event_type = 'login') as login_count,
        sumIf(quantity, event_type = 'error') as error_count,
        sumIf(quantity, is_activity) as action_count, countIf(is_activity) as event_count,
        countIf(is_session_start) as session_count,
        minOrNullIf(occurred_at, event_type = 'login') as first_login_at,
        maxOrNullIf(occurred_at, event_type = 'login') as last_login_at,
        minOrNullIf(occurred_at, is_session_start) as first_session_at,
        maxOrNullIf(occurred_at, is_session_start) as last_session_at,
        minOrNullIf(occurred_at, is_activity) as first_activity_at,
        maxOrNullIf(occurred_at, is_activity) as last_activity_at,
        maxOrNullIf(occurred_at, event_type = 'use') as last_used_at,
        argMaxIf(device, occurred_at, is_activity and device is not null) as last_device,
        maxOrNullIf(occurred_at, is_activity and device is not null) as last_device_at
    from timed group by account_id, actor_id, user_id, package, module, feature, day;
create table actor_days engine = MergeTree order by (account_id, day) as
    select account_id, actor_id, user_id, day, max(is_active) as is_active,
        sum(active_us) as active_us, sum(session_count) as session_count,
        sum(login_count) as login_count, sum(error_count) as error_count,
        sum(action_count) as action_count, sum(event_count) as event_count,
        min(first_login_at) as first_login_at, max(last_login_at) as last_login_at,
        min(first_session_at) as first_session_at, max(last_session_at) as last_session_at,
        min(first_activity_at) as first_activity_at, max(last_activity_at) as last_activity_at,
        argMax(last_device, last_device_at) as last_device
    from (select * from actor_feature_days) group by account_id, actor_id, user_id, day;
create table module_days engine = MergeTree order by (account_id, day) as
    select account_id, module, actor_id, user_id, day, max(is_used) as is_used,
        sum(active_us) as active_us, sum(use_count) as use_count
    from (select * from actor_feature_days) group by account_id, module, actor_id, user_id, day;
create table session_days engine = MergeTree order by (account_id, day) as
    select account_id, day, count() as session_count, sum(session_us) as sessions_us,
        (quantileExactLow(0.5)(session_us) + quantileExactHigh(0.5)(session_us)) / 2
            as median_session_us
    from (
        select account_id, actor_id, day, session_id, session_number, sum(active_us) as session_us
        from timed group by account_id, actor_id, day, session_id, session_number
    )
    group by account_id, day;
create table use_days engine = MergeTree order by (account_id, day) as
    select account_id, module, feature, day, sum(quantity) as use_count
    from timed where event_type = 'use' group by account_id, module, feature, day;
create table event_type_days engine = MergeTree order by (account_id, day) as
    select account_id, actor_id, user_id, event_type, event_name, day,
        count() as event_count, sum(quantity) as quantity
    from (select * from timed)
    group by account_id, actor_id, user_id, event_type, event_name, day;
create table error_days engine = MergeTree order by (account_id, day) as
    select account_id, actor_id, user_id, package, coalesce(app_version, '(none)') as app_version,
        coalesce(error_fingerprint, '(none)') as error_fingerprint, day,
        sum(quantity) as occurrence_count, min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at, argMax(error_message, occurred_at) as error_message
    from (select * from timed where event_type = 'error' and is_unhandled)
    group by account_id, actor_id, user_id, package, app_version, error_fingerprint, day
"""
TABLES = (
    "actor_feature_days", "actor_days", "module_days", "session_days", "use_days",
    "event_type_days", "error_days",
)  # fmt: skip


def main(landing: Path, out: Path, as_of: str) -> None:
    """Loads the files and makes the rollups; says the seconds of both, the export left out."""
    out.mkdir(parents=True, exist_ok=True)
    session = chdb.session.Session(str(out / "clickhouse"))
    session.query(SETTINGS)
    session.query("create database if not exists usage; use usage")
    begun = time.perf_counter()
    _run(session, LOAD.format(landing=landing, as_of=as_of))
    loaded = time.perf_counter()
    _run(session, ROLLUPS)
    done, cpu = time.perf_counter(), time.process_time()
    for table in TABLES:
        _run(session, f"select * from {table} into outfile '{out / table}.parquet'")  # noqa: S608
    parts = {"load": loaded - begun, "rollups": done - loaded}
    print(json.dumps(parts | {"cpu": cpu}))  # noqa: T201


def _run(session: chdb.session.Session, script: str) -> None:
    for statement in script.split(";\n"):
        session.query(statement)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
