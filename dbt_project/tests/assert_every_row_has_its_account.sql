-- Spec 10: a row of an account that has not landed waits in raw and joins on the run that brings
-- it; until then this warning counts it.
{{ config(severity='warn') }}

with

accounts as (

    select account_id from {{ ref('int_accounts_dated') }}

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

    from {{ ref('stg_events__users') }}

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

left join accounts on children.account_id = accounts.account_id

where accounts.account_id is null

group by children.table_name, children.account_id
