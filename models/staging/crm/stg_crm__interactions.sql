-- One row per version of an interaction that was ever the latest known.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'interactions') }}

    where occurred_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        interaction_id,
        account_id,
        contact_id,
        team_member_id,
        interaction_type,
        lower(trim(sub_type)) as sub_type,
        subject,
        lower(direction) as direction,
        nullif(trim(message_id, '<> '), '') as message_id,
        coalesce(is_completed, true) as is_completed,
        occurred_at,
        source as interaction_source,
        _extras as extras,
        _is_deleted,
        {{ counts('interaction_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('interaction_id') }} as known_until,
        {{ deleted_at('interaction_id') }} as deleted_at

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
