-- One row per version of a subscription, under the account that its billing id means.

with

subscriptions as (

    select * from {{ ref('stg_invoices__subscriptions') }}

),

links as (

    select * from {{ ref('stg_crm__account_links') }}

),

final as (

    select
        subscriptions.* exclude (account_id),
        coalesce(links.account_id, subscriptions.account_id) as account_id

    from subscriptions

    left join links
        on
            subscriptions.account_id = links.source_account_id
            and links.link_source = 'invoices'
            and links.is_latest
            and (links.valid_from is null or subscriptions.started_at >= links.valid_from)
            and (links.valid_to is null or subscriptions.started_at < links.valid_to)

)

select * from final
