-- One row per version of a member of our own team that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('crm', 'team_members') }}

),

renamed as (

    select
        team_member_id,
        full_name,
        email,
        manager_id,
        is_active,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('team_member_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('team_member_id') }} as known_until,
        {{ deleted_at('team_member_id') }} as deleted_at

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
