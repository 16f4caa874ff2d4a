-- One row per id by which a source names an account or lead that is no test one: the account that
-- its rows count under now, which is another one after a merge or a conversion.

with

companies as (

    select * from {{ ref('int_companies_known') }}

    where is_latest and not is_test

),

owners as (

    select * from {{ ref('int_account_owners') }}

    where is_latest

),

named as (

    select
        account_id as named_id,
        owner_id

    from owners

    union

    select
        companies.account_id as named_id,
        companies.account_id as owner_id

    from companies

    anti join owners on companies.account_id = owners.account_id

),

final as (

    select
        named.named_id,
        companies.account_id

    from named

    inner join companies on named.owner_id = companies.account_id

)

select * from final
