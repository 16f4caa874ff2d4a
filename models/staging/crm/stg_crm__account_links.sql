-- One row per version of a link from a source's own id to an account that was ever the latest
-- known. An id that was linked anew from an instant on was the earlier account's until then: a
-- version replaces the one that begins with it, and ends where the next one of its id begins, or
-- where a full extract no longer names the id.

with

source as (

    select
        *,
        {{ is_told() }} as _is_told

    from {{ source('crm', 'account_links') }}

),

renamed as (

    select
        source as link_source,
        source_account_id,
        account_id,
        valid_from,
        valid_to,
        _extras as extras,
        _is_deleted,
        {{ counts('source, source_account_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('source, source_account_id, valid_from') }} as known_until,
        min(case when _is_told and _is_deleted then _version_at end) over (
            {{ version_order('source, source_account_id') }}
            rows between 1 following and unbounded following
        ) as _gone_at

    from source

),

counted as (

    select
        * exclude (_is_deleted, _counts, _gone_at),
        {{ first_instant(known_day('_gone_at')) }} as deleted_at,
        known_until = cast('9999-12-31' as timestamp with time zone) as is_latest

    from renamed

    where _counts and not _is_deleted and known_from < known_until

),

final as (

    select
        * replace (
            least(
                valid_to,
                deleted_at,
                lead(valid_from) over (
                    partition by link_source, source_account_id, is_latest
                    order by valid_from nulls first, known_from
                )
            ) as valid_to
        )

    from counted

)

select * from final
