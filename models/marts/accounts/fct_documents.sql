-- One row per document about a customer that is no test account; the document itself stays where
-- its link points.

with

documents as (

    select * from {{ ref('stg_crm__documents') }}

    where is_latest and (deleted_at is null or deleted_at >= {{ as_of() }})

),

accounts as (

    select * from {{ ref('int_accounts_named') }}

),

final as (

    select
        documents.document_id,
        accounts.account_id,
        documents.document_type,
        documents.title as document_title,
        documents.uri as link,
        coalesce(documents.extras ->> 'source', 'crm') as source,
        {{ as_of_day() }} - {{ local_day('documents.created_at') }} as age_days,
        {{ local_day('documents.created_at') }} as created_on,
        documents.created_at

    from documents

    inner join accounts on documents.account_id = accounts.named_id

)

select * from final
