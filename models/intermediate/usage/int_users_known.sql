-- One row per account and product user, told of by the source or seen in an event, anonymous
-- visitors too: who it is, and when it was first and last seen. Internal users, test accounts and
-- accounts that became part of another one are left out.

{{ config(materialized='table', tags=['kept']) }}

with

users as (

    select
        *,
        'user ' || user_id as actor_id

    from {{ ref('int_users_linked') }}

    where is_last_told

),

seen as (

    select * from {{ ref('int_actors_seen') }}

    where actor_id <> 'nameless'

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

told as (

    select
        coalesce(users.account_id, seen.account_id) as account_id,
        coalesce(users.actor_id, seen.actor_id) as actor_id,
        users.user_id is not null as is_told,
        users.email,
        users.full_name,
        users.extras,
        users.sign_in_providers,
        users.created_at,
        {{ local_day('users.created_at') }} as created_on,
        least(users.deactivated_at, users.deleted_at) as deactivated_at,
        seen.first_day,
        seen.last_device,
        seen.first_login_at,
        seen.last_login_at,
        seen.first_seen_at,
        seen.last_seen_at

    from users

    full join seen on users.account_id = seen.account_id and users.actor_id = seen.actor_id

    where not coalesce(users.is_internal, false)

),

final as (

    select
        told.account_id,
        told.actor_id,
        case
            when told.actor_id like 'anonymous %' then substr(told.actor_id, 11)
            else substr(told.actor_id, 6)
        end as user_id,
        told.actor_id like 'anonymous %' as is_anonymous,
        told.email,
        told.full_name,
        case
            when told.is_told then coalesce(told.extras ->> 'created_via', 'extract')
            else 'event'
        end as created_via,
        told.sign_in_providers,
        told.last_device,
        least(told.created_on, told.first_day) as registered_on,
        told.created_at,
        told.deactivated_at,
        told.first_login_at,
        told.last_login_at,
        told.first_seen_at,
        told.last_seen_at

    from told

    inner join accounts on told.account_id = accounts.account_id

)

select * from final
