-- One row per account, package, version, fingerprint and full local day with an unhandled error.

with

error_days as (

    select * from {{ ref('int_error_days') }}

    where day < {{ as_of_day() }}

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where merged_day is null

),

published as (

    select * from {{ ref('int_usage_days_published') }}

),

kept as (

    select error_days.*

    from error_days

    semi join published
        on error_days.account_id = published.account_id and error_days.day = published.day

    semi join accounts on error_days.account_id = accounts.account_id

),

final as (

    select
        account_id,
        package,
        app_version,
        error_fingerprint,
        day,
        max_by(
            error_message, struct_pack(at := last_message_at, message := error_message)
        ) filter (where error_message is not null) as error_message,
        cast(sum(occurrence_count) as bigint) as occurrences,
        count(distinct user_id) as users_affected,
        count(*) filter (where actor_id like 'anonymous %') as anonymous_users_affected,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at

    from kept

    group by account_id, package, app_version, error_fingerprint, day

)

select * from final
