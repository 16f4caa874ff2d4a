-- One row per merged account or converted lead and account that its rows count under: itself until
-- the merge is known, then whoever it became part of (spec 00, "Identity": the survivor has both
-- histories; spec 30, "Leads"). A merge in a cycle or into an account that nobody knows is not
-- followed. An account that was never merged has no row.

{{ config(materialized='table') }}

with

walked as (

    select * from {{ ref('int_account_merges_walked') }}

),

accounts as (

    select distinct account_id from {{ ref('stg_crm__accounts') }}

),

unbroken as (

    -- What lies behind a cyclic merge is not reached.
    select * from walked

    qualify
        not bool_or(is_cyclic) over (
            partition by account_id order by depth rows unbounded preceding
        )

),

reached as (

    -- An account in between may have left the CRM: whether the last one is known is what counts.
    select
        unbroken.*,
        max(case when accounts.account_id is not null then unbroken.depth end) over (
            partition by unbroken.account_id
        ) as last_depth

    from unbroken

    left join accounts on unbroken.owner_id = accounts.account_id

),

owners as (

    select
        account_id,
        owner_id,
        known_from,
        depth

    from reached

    where depth <= last_depth

    union all

    select
        account_id,
        account_id as owner_id,
        cast('1900-01-01' as timestamp with time zone) as known_from,
        0 as depth

    from reached

    where depth = last_depth

),

bounded as (

    select
        *,
        coalesce(
            lead(known_from) over (partition by account_id order by depth),
            cast('9999-12-31' as timestamp with time zone)
        ) as known_until

    from owners

),

final as (

    select
        account_id,
        owner_id,
        depth,
        known_from,
        known_until,
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from bounded

    where known_from < known_until

)

select * from final
