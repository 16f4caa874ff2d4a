-- One row per version of the assignment of a licence's seat to a user that was ever the latest
-- known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'license_assignments') }}

    where assigned_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        license_id,
        user_id,
        assigned_at,
        {{ happened('unassigned_at') }} as unassigned_at,
        _extras as extras,
        _is_deleted,
        {{ counts('license_id, user_id, assigned_at') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('license_id, user_id, assigned_at') }} as known_until,
        {{ deleted_at('license_id, user_id, assigned_at') }} as deleted_at

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
