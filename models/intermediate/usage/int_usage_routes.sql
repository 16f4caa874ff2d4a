-- One row per source id of an account with events, account under which these may count, and the
-- days for which that is so (empty: all). `fact` says all that decides about their rollups besides
-- the events: where it reads differently than when the rollups were made, they are made anew.

with

event_days as (

    select * from {{ ref('stg_landing__event_days') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

accounts as (

    select * from {{ ref('int_companies_known') }}

    where is_latest

),

users as (

    select * from {{ ref('int_users_linked') }}

),

non_activity as (

    select * from {{ ref('non_activity_event_types') }}

),

sources as (

    select distinct source_account_id from event_days

),

settings as (

    select
        concat_ws(
            ' ',
            '{{ var("reporting_time_zone") }}',
            '{{ version_of('rollup') }}',
            string_agg(event_type, ' ' order by event_type)
        ) as settings

    from non_activity

),

internal_users as (

    select
        account_id,
        string_agg(user_id, ' ' order by user_id) as user_ids

    from users

    where is_internal and is_last_told

    group by account_id

),

linked as (

    -- Outside a link's time an id stands for itself, so both are always possible.
    select
        source_account_id,
        source_account_id as account_id,
        cast(null as timestamp with time zone) as valid_from,
        cast(null as timestamp with time zone) as valid_to

    from sources

    union all

    select
        sources.source_account_id,
        links.account_id,
        links.valid_from,
        links.valid_to

    from sources

    inner join links
        on
            sources.source_account_id = links.source_account_id
            and links.link_source = 'events'
            and links.is_latest

),

owned as (

    select
        linked.*,
        coalesce(owners.owner_id, linked.account_id) as owner_id,
        owners.known_from

    from linked

    left join owners on linked.account_id = owners.account_id

),

final as (

    select
        owned.source_account_id,
        owned.owner_id as account_id,
        {{ local_day('owned.valid_from') }} as first_day,
        {{ local_day('owned.valid_to') }} as last_day,
        concat_ws(
            '|',
            owned.account_id,
            coalesce(epoch_us(owned.valid_from), 0),
            coalesce(epoch_us(owned.valid_to), 0),
            coalesce(epoch_us(owned.known_from), 0),
            coalesce(cast(accounts.is_test as varchar), 'unknown'),
            md5(coalesce(internal_users.user_ids, '')),
            settings.settings
        ) as fact

    from owned

    cross join settings

    left join accounts on owned.owner_id = accounts.account_id

    left join internal_users on owned.owner_id = internal_users.account_id

)

select * from final
