-- One row per version of a subscription and account that it counts under: the one that its billing
-- id means, until the merge of that one into another is known, then that other one.

with

subscriptions as (

    select * from {{ ref('stg_invoices__subscriptions') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

linked as (

    select
        subscriptions.* exclude (account_id),
        coalesce(links.account_id, subscriptions.account_id) as account_id

    from subscriptions

    left join links
        on
            subscriptions.account_id = links.source_account_id
            and {{ link_holds('invoices', 'subscriptions.started_at') }}

),

final as (

    select
        linked.* exclude (account_id, known_from, known_until, is_latest),
        {{ under_owner('linked') }}

    from linked

    left join owners on linked.account_id = owners.account_id

    where {{ is_told_under_owner('linked') }}

)

select * from final
