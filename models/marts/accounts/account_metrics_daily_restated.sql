-- One row per account per local day, from all that is known now: the columns of
-- account_metrics_daily, for trends, charts and comparisons. What was shown on a day, and what
-- health and rules read, stands there. Kept from run to run: those from an account's due day on are
-- made anew, and with them it is noted what they were made of.

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    tags=['restated'],
    meta={'in_shares': true},
    pre_hook=[
        "{{ forget_from_due(ref('int_metrics_due'), 'day') }}",
        "{{ share_out(ref('int_metrics_due'), ref('int_accounts_dated')) }}",
    ],
    post_hook=[
        "delete from {{ source('rollups', 'metric_months').render() }}",
        "insert into {{ source('rollups', 'metric_months').render() }} select * from {{ ref('int_metric_months') }}",
    ],
) }}

-- depends_on: {{ ref('int_metric_months') }}, {{ ref('int_accounts_dated') }}

with

due as (

    select * from {{ ref('int_metrics_due') }}

    where {{ in_share('account_id') }}

),

measured as (

    select * exclude (basis)

    from {{ ref('int_account_metrics_measured') }}

    where basis = 'restated' and {{ in_share('account_id') }}

),

shown as (

    -- With the columns in the order of what they are compared with, whichever of them were added.
    select * exclude (basis)
    from {{ ref('int_account_metrics_measured') }}
    where false
    union all by name
    select shown_days.*
    from {{ ref('account_metrics_daily') }} as shown_days
    inner join due on shown_days.account_id = due.account_id and shown_days.day >= due.due_from
    where {{ in_share('shown_days.account_id') }}

),

late_rows as (

    select * from {{ ref('int_metric_spans') }}

    where
        metric = 'known_late_on' and basis = 'restated' and {{ in_share('account_id') }}

),

late_days as (

    select
        late_rows.account_id,
        late_rows.value_on,
        cast(
            unnest(
                generate_series(
                    greatest(late_rows.first_day, due.due_from),
                    late_rows.last_day,
                    interval 1 day
                )
            ) as date
        ) as day

    from late_rows

    inner join due on late_rows.account_id = due.account_id

),

latest_known as (

    select
        account_id,
        day,
        max(value_on) as known_on

    from late_days

    group by account_id, day

),

shown_contents as (

    select
        account_id,
        day,
        hash(shown) as content  -- noqa: RF02

    from shown

),

final as (

    -- Rows are compared as wholes, by 64 bits of them.
    select
        measured.*,
        case
            when hash(measured) <> shown_contents.content  -- noqa: RF02
                then cast(coalesce(latest_known.known_on - measured.day, 0) as bigint)
        end as days_late

    from measured

    left join shown_contents
        on measured.account_id = shown_contents.account_id and measured.day = shown_contents.day

    left join latest_known
        on measured.account_id = latest_known.account_id and measured.day = latest_known.day

)

select * from final
