-- One row per account and local day whose published rows (the daily marts of users, errors and
-- interactions) are made anew: the days that are due, and those on which a user's licences read
-- differently now, or all of them where a source begins or ceases to send logins.

{{ config(materialized='table', post_hook='{{ note_days_begun() }}') }}

with

due as (

    select * from {{ ref('int_usage_days_due') }}

),

actor_days as (

    select * from {{ ref('int_actor_days') }}

),

event_days as (

    select * from {{ ref('int_event_days') }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

licenses as (

    select * from {{ ref('int_user_licenses_chosen') }}

),

licenses_before as (

    select * from {{ ref('stg_rollups__licenses') }}

),

done as (

    select * from {{ ref('stg_rollups__done') }}

),

changed_licenses as (

    (
        select * from licenses
        except
        select * from licenses_before
    )

    union

    (
        select * from licenses_before
        except
        select * from licenses
    )

),

changed_logins as (

    select login_source.has_logins <> coalesce(done.has_logins, false) as is_changed

    from login_source

    left join done on true

),

final as (

    select
        account_id,
        day

    from due

    union

    select
        actor_days.account_id,
        actor_days.day

    from actor_days

    inner join changed_licenses
        on
            actor_days.account_id = changed_licenses.account_id
            and actor_days.user_id = changed_licenses.user_id
            and actor_days.day between changed_licenses.first_day and changed_licenses.last_day

    union

    select
        event_days.account_id,
        event_days.day

    from event_days

    inner join changed_logins on changed_logins.is_changed

)

select * from final
