-- One row per account, period (the last 7, 14, 30 or 90 full days) and identified user who was
-- active in it: the place by active seconds, then actions, then id, against the period of the same
-- length before.

{% set periods = [7, 14, 30, 90] %}

with

actor_days as (

    select
        *,
        {{ as_of_day() }} - day as days_ago

    from {{ ref('int_actor_days') }}

    where day >= {{ as_of_day() }} - 180 and day < {{ as_of_day() }} and user_id is not null

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test and merged_day is null

),

totals as (

    -- One pass over the days, whatever the number of periods.
    select
        account_id,
        user_id,
{%- for period in periods %}
        bool_or(is_active) filter (where days_ago <= {{ period }}) as is_active_{{ period }},
        sum(active_us) filter (where days_ago <= {{ period }}) as active_us_{{ period }},
        sum(action_count) filter (where days_ago <= {{ period }}) as actions_{{ period }},
        bool_or(is_active) filter (
            where days_ago > {{ period }} and days_ago <= 2 * {{ period }}
        ) as was_active_{{ period }},
        sum(active_us) filter (
            where days_ago > {{ period }} and days_ago <= 2 * {{ period }}
        ) as prior_us_{{ period }},
        sum(action_count) filter (
            where days_ago > {{ period }} and days_ago <= 2 * {{ period }}
        ) as prior_actions_{{ period }}
        {%- if not loop.last %},{% endif %}
{%- endfor %}

    from actor_days

    group by account_id, user_id

),

boards as (
{% for period in periods %}
    select
        account_id,
        user_id,
        {{ period }} as period_days,
        coalesce(is_active_{{ period }}, false) as is_active,
        active_us_{{ period }} as active_us,
        actions_{{ period }} as actions,
        coalesce(was_active_{{ period }}, false) as was_active,
        prior_us_{{ period }} as prior_us,
        prior_actions_{{ period }} as prior_actions

    from totals
    {% if not loop.last %}
    union all
    {% endif %}
{%- endfor %}
),

ranked as (

    select
        *,
        row_number() over (
            partition by account_id, period_days, is_active
            order by active_us desc, actions desc, user_id asc
        ) as rank,
        case
            when was_active
                then
                    row_number() over (
                        partition by account_id, period_days, was_active
                        order by prior_us desc, prior_actions desc, user_id asc
                    )
        end as prior_rank

    from boards

),

final as (

    select
        ranked.account_id,
        cast(ranked.period_days as bigint) as period_days,
        ranked.user_id,
        ranked.rank,
        ranked.prior_rank,
        ranked.prior_rank - ranked.rank as rank_change,
        cast(ranked.active_us / 1000000 as double) as active_seconds,
        cast(ranked.actions as bigint) as actions,
        not ranked.was_active as is_new

    from ranked

    inner join accounts on ranked.account_id = accounts.account_id

    where ranked.is_active

)

select * from final
