-- One row per licence of an account that landed and is no test, under the account that it counts
-- under now: from which day it is there, suspended, and until which day it holds. A word without a
-- date holds since the source last changed the row, else always; a licence that left a full extract
-- ended on that day.

{{ config(materialized='table', tags=['kept']) }}

with

licenses as (

    select
        *,
        {{ local_day('started_at') }} as started_on,
        {{ local_day('updated_at') }} as updated_on

    from {{ ref('stg_crm__licenses') }}

    where is_latest

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

final as (

    select
        accounts.account_id,
        licenses.package,
        licenses.license_id,
        licenses.is_trial or coalesce(licenses.status in ('trial', 'trialing'), false) as is_trial,
        licenses.is_unlimited,
        licenses.seats_purchased,
        licenses.seats_allocated,
        licenses.started_on,
        coalesce(
            {{ local_day('licenses.suspended_at') }},
            case
                when licenses.status = 'suspended'
                    then coalesce(licenses.updated_on, licenses.started_on)
            end
        ) as suspended_on,
        least(
            licenses.expires_on,
            {{ local_day('licenses.deleted_at') }} - 1,
            case
                when licenses.status in ('expired', 'canceled', 'cancelled')
                    then coalesce(licenses.updated_on, licenses.started_on) - 1
            end
        ) as expires_on,
        licenses.updated_at

    from licenses

    left join owners on licenses.account_id = owners.account_id

    inner join accounts on coalesce(owners.owner_id, licenses.account_id) = accounts.account_id

)

select * from final
