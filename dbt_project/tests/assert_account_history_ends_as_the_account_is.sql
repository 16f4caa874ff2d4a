-- The current rows of account_history are what dim_accounts says, one for each account. What the
-- CRM dates at or after the as-of instant stands in dim_accounts, which has no other word, and not
-- in the history.
with

told_later as (

    select account_id

    from {{ ref('int_accounts_dated') }}

    where
        greatest(coalesce(updated_at, known_from), known_from) >= {{ as_of() }}
        or deleted_at >= {{ as_of() }}

),

accounts as (

    select dim_accounts.*

    from {{ ref('dim_accounts') }} as dim_accounts

    left join told_later on dim_accounts.account_id = told_later.account_id

    where told_later.account_id is null

),

histories as (

    select account_history.*

    from {{ ref('account_history') }} as account_history

    left join told_later on account_history.account_id = told_later.account_id

    where account_history.is_current and told_later.account_id is null

)

select coalesce(accounts.account_id, histories.account_id) as account_id

from accounts

full outer join histories on accounts.account_id = histories.account_id

where
    row(
        accounts.account_name, accounts.status, accounts.crm_status, accounts.lifecycle_stage,
        accounts.tier, accounts.region, accounts.country, accounts.industry,
        accounts.product_line, accounts.size_band, accounts.parent_account_id,
        accounts.relationship, accounts.csm_id, accounts.csm_name, accounts.custom_attributes,
        accounts.website, accounts.description, accounts.employee_count, accounts.amount_raised,
        accounts.social_links, accounts.contract_value_amount, accounts.currency,
        accounts.time_zone, accounts.onboarding_started_at, accounts.is_lead, accounts.is_test,
        accounts.is_deleted
    ) is distinct from row(
        histories.account_name, histories.status, histories.crm_status, histories.lifecycle_stage,
        histories.tier, histories.region, histories.country, histories.industry,
        histories.product_line, histories.size_band, histories.parent_account_id,
        histories.relationship, histories.csm_id, histories.csm_name, histories.custom_attributes,
        histories.website, histories.description, histories.employee_count,
        histories.amount_raised, histories.social_links, histories.contract_value_amount,
        histories.currency, histories.time_zone, histories.onboarding_started_at,
        histories.is_lead, histories.is_test, histories.is_deleted
    )
