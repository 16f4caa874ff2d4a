-- One row per merged account or converted lead and account that it became part of, directly or
-- through others, as the merges and conversions say it; those in a cycle are walked no further than
-- the cycle, and flagged.

{{ config(materialized='table') }}

with recursive

versions as (

    select * from {{ ref('stg_crm__account_merges') }}

),

conversions as (

    select * from {{ ref('int_leads_converted') }}

),

merged as (

    -- A merge is known from the first row that told of it, and not before the day it happened on.
    select
        latest.from_account_id as account_id,
        latest.into_account_id as owner_id,
        greatest(
            min(versions.known_from),
            {{ first_instant(local_day('latest.merged_at') ~ ' + 1') }}
        ) as known_from

    from versions as latest

    inner join versions
        on
            latest.from_account_id = versions.from_account_id
            and latest.into_account_id = versions.into_account_id

    where latest.is_latest and latest.deleted_at is null

    group by latest.from_account_id, latest.into_account_id, latest.merged_at

),

told as (

    select
        account_id,
        owner_id,
        known_from
    from merged
    union all
    select
        lead_id as account_id,
        account_id as owner_id,
        known_from
    from conversions

),

walked as (

    select
        account_id,
        owner_id,
        known_from,
        1 as depth,
        list_value(account_id) as passed

    from told

    union all

    select
        walked.account_id,
        told.owner_id,
        greatest(walked.known_from, told.known_from) as known_from,
        walked.depth + 1 as depth,
        list_append(walked.passed, walked.owner_id) as passed

    from walked

    inner join told on walked.owner_id = told.account_id

    where not list_contains(walked.passed, walked.owner_id)

),

cyclic as (

    select distinct account_id from walked

    where account_id = owner_id

),

final as (

    select
        walked.account_id,
        walked.owner_id,
        walked.known_from,
        walked.depth,
        cyclic.account_id is not null as is_cyclic

    from walked

    -- The merge of the last account on the way is what leads to this owner.
    left join cyclic on list_extract(walked.passed, -1) = cyclic.account_id

)

select * from final
