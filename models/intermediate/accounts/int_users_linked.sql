-- One row per version of a product user and account that it counts under: the one that the source's
-- id of the account means, until the merge of that one into another is known, then that other one.
-- A user's id that several of them know is one user of the survivor, whose own row tells of it from
-- when it is known: is_last_told marks the last row that did.

with

users as (

    select * from {{ ref('stg_events__users') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

linked as (

    -- Without a creation, the link that holds now.
    select
        users.* exclude (account_id),
        users.account_id as source_account_id,
        coalesce(links.account_id, users.account_id) as account_id

    from users

    left join links
        on
            users.account_id = links.source_account_id
            and {{ link_holds('events', 'coalesce(users.created_at, ' ~ as_of() ~ ')') }}

),

owned as (

    select
        linked.* exclude (account_id, known_from, known_until, is_latest),
        coalesce(owners.depth, 0) as depth,
        {{ under_owner('linked') }}

    from linked

    left join owners on linked.account_id = owners.account_id

    where {{ is_told_under_owner('linked') }}

),

ranked as (

    select
        *,
        min(
            greatest(known_from, {{ first_instant(local_day('created_at') ~ ' + 1') }})
        ) over (
            partition by account_id, user_id
            order by depth, source_account_id
            groups between unbounded preceding and 1 preceding
        ) as better_known_from

    from owned

),

final as (

    select
        * exclude (depth, source_account_id, better_known_from, known_until, is_latest),
        least(known_until, better_known_from) as known_until,
        is_latest and better_known_from is null as is_latest,
        row_number() over (
            partition by account_id, user_id
            order by depth asc, source_account_id asc, known_until desc
        ) = 1 as is_last_told

    from ranked

)

select * from final
