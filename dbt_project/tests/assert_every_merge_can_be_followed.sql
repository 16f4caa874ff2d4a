-- Spec 00, "Identity": the survivor has both histories. A merge that leads back to its own account,
-- or into one that never landed, is not followed, and counted here.
-- Its result is kept with the mart that it speaks of. depends_on: {{ ref('dim_accounts') }}
{{ config(severity='warn') }}

with

walked as (

    select * from {{ ref('int_account_merges_walked') }}

    where depth = 1

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

)

select
    walked.account_id as from_account_id,
    walked.owner_id as into_account_id,
    case
        when walked.is_cyclic then 'leads back to itself'
        else 'leads to no account that landed'
    end as reason

from walked

left join owners on walked.account_id = owners.account_id

where owners.account_id is null
