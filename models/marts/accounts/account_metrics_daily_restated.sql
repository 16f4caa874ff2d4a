-- One row per account per local day, from all that is known now: the columns of
-- account_metrics_daily, for trends, charts and comparisons. What was shown on a day, and what
-- health and rules read, stands there.

with

measured as (

    select * exclude (basis)

    from {{ ref('int_account_metrics_measured') }}

    where basis = 'restated'

),

shown as (

    select * from {{ ref('account_metrics_daily') }}

),

late_rows as (

    select * from {{ ref('int_metric_spans') }}

    where metric = 'known_late_on' and basis = 'restated'

),

late_days as (

    select
        account_id,
        value_on,
        cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day

    from late_rows

),

latest_known as (

    select
        account_id,
        day,
        max(value_on) as known_on

    from late_days

    group by account_id, day

),

unequal as (

    -- Rows as wholes: both have the metrics in the order of the registry.
    select
        measured.account_id,
        measured.day

    from measured

    inner join shown on measured.account_id = shown.account_id and measured.day = shown.day

    where measured is distinct from shown  -- noqa: RF02

),

final as (

    select
        measured.*,
        case
            when unequal.day is not null
                then cast(coalesce(latest_known.known_on - measured.day, 0) as bigint)
        end as days_late

    from measured

    left join unequal
        on measured.account_id = unequal.account_id and measured.day = unequal.day

    left join latest_known
        on measured.account_id = latest_known.account_id and measured.day = latest_known.day

)

select * from final
