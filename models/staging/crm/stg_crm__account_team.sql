-- One row per version of an assignment of a team member to an account that was ever the latest
-- known. Roles are written one way, since models look for csm: "CSM" and "Account Executive" are
-- csm and account_executive.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'account_team') }}

    where valid_from < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        account_id,
        team_member_id,
        regexp_replace(lower(trim(role)), '[ -]+', '_', 'g') as role,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('account_id, team_member_id, role, valid_from') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('account_id, team_member_id, role, valid_from') }} as known_until,
        {{ deleted_at('account_id, team_member_id, role, valid_from') }} as deleted_at

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
