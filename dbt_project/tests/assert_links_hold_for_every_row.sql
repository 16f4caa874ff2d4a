-- Spec 00, "Identity": an id that a link explains for a time is explained for all of its rows;
-- those outside of it wait in raw. Ids without any link are counted by has_its_parents.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('dim_accounts') }}
{{ config(severity='warn') }}

with

accounts as (

    select account_id from {{ ref('int_accounts_dated') }}

    union

    -- What it became part of has its rows.
    select account_id from {{ ref('int_account_owners') }}

),

linked_ids as (

    select distinct
        link_source,
        source_account_id

    from {{ ref('stg_crm__account_links') }}

    where is_latest

),

children as (

    select
        'events.events' as table_name,
        account_id

    from {{ ref('int_events_linked') }}

    union all

    select
        'events.users' as table_name,
        account_id

    from {{ ref('int_users_linked') }}

    where is_latest

    union all

    select
        'invoices.subscriptions' as table_name,
        account_id

    from {{ ref('int_subscriptions_linked') }}

    where is_latest

    union all

    select
        'tickets.tickets' as table_name,
        account_id

    from {{ ref('int_tickets_linked') }}

    where is_latest

)

select
    children.table_name,
    children.account_id,
    count(*) as waiting_rows

from children

inner join linked_ids
    on
        children.account_id = linked_ids.source_account_id
        and split_part(children.table_name, '.', 1) = linked_ids.link_source

left join accounts on children.account_id = accounts.account_id

where accounts.account_id is null

group by children.table_name, children.account_id
