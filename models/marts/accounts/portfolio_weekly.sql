-- One row per week, csm, tier and region with an active account on the week's last full day: what
-- the csm looks after, as it was known on that day. Who looked after it, and its tier and region,
-- are those of the day; an account that nobody looks after stands under `(none)`.

{% set windows = [30, 60, 90] %}
{% set bands = ['high', 'medium', 'low', 'unrated'] %}

with

metrics as (

    select * from {{ ref('account_metrics_daily') }}

    where account_status in ('customer', 'past_due')

),

attributes as (

    select * from {{ ref('account_history') }}

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

kpis as (

    select * from {{ ref('account_kpis') }}

),

alerts as (

    select * from {{ ref('fct_alerts') }}

),

week_ends as (

    select
        *,
        {{ week_of('day') }} as week,
        day = {{ as_of_day() }} - 1 as is_latest_week

    from metrics

    where day = {{ week_of('day') }} + 6 or day = {{ as_of_day() }} - 1

),

ranked_health as (

    select
        account_id,
        day,
        state,
        case state when 'poor' then 1 when 'average' then 2 when 'good' then 3 end as rank

    from health

),

alerts_by_week as (

    select
        week_ends.account_id,
        week_ends.day,
        count(*) filter (where alerts.opened_on >= week_ends.week) as alerts_opened,
        count(*) filter (
            where
            alerts.opened_on < week_ends.day - 7
            and (alerts.resolved_on is null or alerts.resolved_on > week_ends.day)
        ) as alerts_open_over_7_days

    from week_ends

    inner join alerts
        on week_ends.account_id = alerts.account_id and week_ends.day >= alerts.opened_on

    group by week_ends.account_id, week_ends.day

),

placed as (

    select
        week_ends.*,
        {{ segment('attributes.csm_id') }} as csm_id,
        attributes.csm_name,
        {{ segment('attributes.tier') }} as tier,
        {{ segment('attributes.region') }} as region,
        coalesce(health.state, 'unknown') as health_state,
        health.rank - health_before.rank as steps,
        -- Whom nobody ever talked with is untouched since the beginning, if talks land at all.
        coalesce(
            week_ends.days_since_last_touch,
            case when week_ends.interactions_30d is not null then week_ends.tenure_days end
        ) as untouched_days,
        -- Risk is told as of now; of the weeks before nobody wrote it down.
        case when week_ends.is_latest_week then coalesce(kpis.renewal_risk_band, 'unrated')
            else 'unrated'
        end as risk_band,
        coalesce(alerts_by_week.alerts_opened, 0) as alerts_opened,
        coalesce(alerts_by_week.alerts_open_over_7_days, 0) as alerts_open_over_7_days

    from week_ends

    left join attributes
        on
            week_ends.account_id = attributes.account_id
            and week_ends.day >= attributes.first_on
            and (attributes.last_on is null or week_ends.day <= attributes.last_on)
            and (attributes.last_on is null or attributes.first_on <= attributes.last_on)

    left join ranked_health as health
        on week_ends.account_id = health.account_id and week_ends.day = health.day

    left join ranked_health as health_before
        on
            week_ends.account_id = health_before.account_id
            and week_ends.day - 7 = health_before.day

    left join kpis on week_ends.account_id = kpis.account_id

    left join alerts_by_week
        on
            week_ends.account_id = alerts_by_week.account_id
            and week_ends.day = alerts_by_week.day

    qualify
        row_number() over (
            partition by week_ends.account_id, week_ends.day
            order by attributes.valid_from desc nulls last
        ) = 1

),

final as (

    select
        week,
        csm_id,
        tier,
        region,
        max(csm_name) as csm_name,
        max(day) as ends_on,
        count(*) as accounts,
        cast(coalesce(sum(arr), 0) as decimal(18, 2)) as arr,
        count(*) filter (where health_state = 'good') as good_accounts,
        count(*) filter (where health_state = 'average') as average_accounts,
        count(*) filter (where health_state = 'poor') as poor_accounts,
        count(*) filter (where health_state = 'unknown') as unknown_accounts,
        count(*) filter (where steps > 0) as better_accounts,
        count(*) filter (where steps < 0) as worse_accounts,
        {%- for days in windows %}
            {%- for band in bands %}
                cast(
                    coalesce(
                        sum(arr) filter (
                            where
                            days_to_renewal between 0 and {{ days }}
                            and risk_band = '{{ band }}'
                        ),
                        0
                    ) as decimal(18, 2)
                ) as renewals_{{ days }}d_{{ band }}_arr,
            {%- endfor %}
        {%- endfor %}
        cast(sum(alerts_opened) as bigint) as alerts_opened,
        cast(sum(alerts_open_over_7_days) as bigint) as alerts_open_over_7_days,
        cast(coalesce(sum(overdue_tasks), 0) as bigint) as overdue_tasks,
        count(*) filter (where untouched_days > 45) as untouched_accounts,
        bool_or(is_latest_week) as is_latest_week,
        max(day) < week + 6 as is_partial

    from placed

    group by week, csm_id, tier, region

)

select * from final
