-- One row per subscription and instant, before the as-of one, at which its status changed.

with

source as (

    select * from {{ source('invoices', 'subscription_changes') }}

    where changed_at < {{ as_of() }}

),

renamed as (

    select
        subscription_id,
        changed_at,
        {{ subscription_word('status') }} as status,
        _extras as extras,
        {{ known_from() }} as known_from

    from source

)

select * from renamed
