-- A term of a subscription falls due once, and a subscription takes the place of one other at
-- most.
with

renewals as (

    select * from {{ ref('fct_renewals') }}

),

successions as (

    select distinct
        subscription_id,
        renewed_by_subscription_id

    from renewals

    where renewed_by_subscription_id <> subscription_id

)

select
    subscription_id,
    'term ' || term_number as what,
    count(*) as row_count

from renewals

group by subscription_id, term_number

having count(*) > 1

union all

select
    renewed_by_subscription_id as subscription_id,
    'successor' as what,
    count(*) as row_count

from successions

group by renewed_by_subscription_id

having count(*) > 1
