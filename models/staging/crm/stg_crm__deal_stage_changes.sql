-- One row per deal and instant, before the as-of one, at which its stage changed.

with

source as (

    select * from {{ source('crm', 'deal_stage_changes') }}

    where changed_at < {{ as_of() }}

),

renamed as (

    select
        deal_id,
        changed_at,
        stage,
        _extras as extras,
        {{ known_from() }} as known_from

    from source

)

select * from renamed
