-- One row per version of a goal that was ever the latest known. A completion that has not happened
-- yet takes its word back with it (spec 00, "What dates a row").

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'goals') }}

    where created_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        goal_id,
        account_id,
        title,
        case when completed_at >= {{ as_of() }} then 'open' else lower(trim(status)) end as status,
        lower(trim(priority)) as priority,
        progress_ratio,
        created_at,
        due_on,
        {{ happened('completed_at') }} as completed_at,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('goal_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('goal_id') }} as known_until,
        {{ deleted_at('goal_id') }} as deleted_at

    from source

),

final as (

    select
        * exclude (_is_deleted, _counts),
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

)

select * from final
