-- One row per answer to an NPS survey before the as-of instant, of accounts that are no test ones;
-- people of our own company are left out. Who answered is told by the e-mail address, else by the
-- one of the product user, so that one person with both is one respondent.

with

responses as (

    select * from {{ ref('stg_crm__nps_responses') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

users as (

    select * from {{ ref('int_users_linked') }}

    where is_last_told

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

told as (

    select
        responses.response_id,
        accounts.account_id,
        responses.user_id,
        responses.email,
        responses.score,
        responses.comment,
        responses.response_source,
        responses.submitted_at

    from responses

    inner join accounts on responses.account_id = accounts.named_id

),

final as (

    select
        told.response_id,
        told.account_id,
        coalesce(
            nullif(lower(trim(told.email)), ''),
            nullif(lower(trim(users.email)), ''),
            'user ' || told.user_id,
            'response ' || told.response_id
        ) as respondent_id,
        users.full_name as respondent_name,
        told.user_id,
        told.email,
        told.score,
        case
            when told.score >= 9 then 'promoter'
            when told.score >= 7 then 'passive'
            else 'detractor'
        end as class,
        told.comment,
        told.response_source as source,
        {{ local_day('told.submitted_at') }} as submitted_on,
        told.submitted_at

    from told

    left join users on told.account_id = users.account_id and told.user_id = users.user_id

    where not coalesce(users.is_internal, false)

)

select * from final
