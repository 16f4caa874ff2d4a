-- One row per account that landed: its latest version, since when it is known, and its first day,
-- the earlier of its creation and its first dated row (spec 00, "account day").

{{ config(materialized='table') }}

with

versions as (

    select * from {{ ref('stg_crm__accounts') }}

),

events as (

    select * from {{ ref('int_events_linked') }}

),

users as (

    select * from {{ ref('stg_events__users') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

tickets as (

    select * from {{ ref('int_tickets_linked') }}

),

account_team as (

    select * from {{ ref('stg_crm__account_team') }}

),

dated_rows as (

    select account_id, created_at as dated_at from versions
    union all
    select account_id, min(occurred_at) as dated_at from events group by account_id
    union all
    select account_id, created_at as dated_at from users
    union all
    select account_id, started_at as dated_at from subscriptions
    union all
    select account_id, created_at as dated_at from tickets
    union all
    select account_id, valid_from as dated_at from account_team

),

first_days as (

    select
        account_id,
        {{ local_day('min(dated_at)') }} as first_day

    from dated_rows

    group by account_id

),

known as (

    select
        account_id,
        {{ known_day('min(known_from)') }} as known_day

    from versions

    group by account_id

),

final as (

    select
        versions.*,
        first_days.first_day,
        {{ local_day('versions.created_at') }} as created_on,
        known.known_day

    from versions

    inner join first_days on versions.account_id = first_days.account_id

    inner join known on versions.account_id = known.account_id

    where versions.is_latest

)

select * from final
