-- One row per version of a subscription that was ever the latest known. An end that has not
-- happened yet takes its word back with it (spec 00, "What dates a row").

with

source as (

    select
        *,
        {{ is_told('updated_at') }} as _is_told

    from {{ source('invoices', 'subscriptions') }}

    where started_at < {{ as_of() }} or _is_deleted

),

renamed as (

    select
        subscription_id,
        account_id,
        case
            when
                {{ is_over(subscription_word('status')) }}
                and coalesce(ended_at, cancelled_at) >= {{ as_of() }}
                then 'active'
            else {{ subscription_word('status') }}
        end as status,
        plan,
        {{ currency_code('currency') }} as currency,
        started_at,
        {{ happened('ended_at') }} as ended_at,
        trial_ends_at,
        {{ happened('cancelled_at') }} as cancelled_at,
        cancel_at,
        current_period_end_at,
        renewal_term_months,
        notice_days,
        coalesce(is_today_only, false) as is_today_only,
        created_at,
        updated_at,
        _extras as extras,
        _is_deleted,
        {{ counts('subscription_id') }} as _counts,
        {{ known_from() }} as known_from,
        {{ known_until('subscription_id') }} as known_until,
        {{ deleted_at('subscription_id') }} as deleted_at

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
