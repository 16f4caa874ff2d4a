-- One row per account and local week: the health of the week's last day (of the week that is not
-- over, of the last full day), the worst of its days, what it is due to, and what changed since the
-- week before. The contract value is 12 x MRR and moves by movements alone, never by a rate.

with

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

conditions as (

    select * from {{ ref('fct_health_conditions_daily') }}

    where influences_state

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

    where policy = 'standard' and movement <> 'fx'

),

dated as (

    select
        *,
        {{ week_of('day') }} as week

    from health

),

weeks as (

    select
        account_id,
        week,
        max(day) as last_day,
        cast(count(*) as bigint) as day_count,
        min({{ state_rank('state') }}) as worst_rank

    from dated

    group by account_id, week

),

reasons as (

    select
        conditions.account_id,
        weeks.week,
        string_agg(conditions.condition, ', ' order by conditions.condition) as reasons

    from conditions

    inner join weeks
        on conditions.account_id = weeks.account_id and conditions.day = weeks.last_day

    group by conditions.account_id, weeks.week

),

moved as (

    select
        account_id,
        {{ week_of('moved_on') }} as week,
        sum(amount) as mrr_change

    from movements

    group by account_id, {{ week_of('moved_on') }}

),

ended as (

    select
        weeks.account_id,
        weeks.week,
        weeks.last_day,
        weeks.day_count,
        weeks.worst_rank,
        dated.profile,
        dated.score,
        dated.state,
        dated.unknown_reason,
        nullif(
            concat_ws(
                ', ',
                case when dated.override_state is not null then 'override' end,
                case when dated.unknown_reason <> 'override' then dated.unknown_reason end,
                case
                    when dated.unknown_reason is null and dated.lost_inputs is not null
                        then 'lost_inputs'
                end,
                case
                    when dated.unknown_reason is null and dated.cap_score < dated.raw_score
                        then dated.cap
                end,
                reasons.reasons
            ),
            ''
        ) as reasons,
        coalesce(moved.mrr_change, 0) * 12 as contract_value_change,
        lag(dated.profile) over by_week as profile_before,
        lag(dated.state) over by_week as state_before,
        lag(dated.score) over by_week as score_before,
        lag(weeks.week) over by_week as week_before

    from weeks

    inner join dated on weeks.account_id = dated.account_id and weeks.last_day = dated.day

    left join reasons on weeks.account_id = reasons.account_id and weeks.week = reasons.week

    left join moved on weeks.account_id = moved.account_id and weeks.week = moved.week

    window by_week as (partition by weeks.account_id order by weeks.week)

),

final as (

    select
        account_id,
        week,
        last_day,
        profile,
        score,
        state,
        unknown_reason,
        coalesce(['poor', 'average', 'good'][worst_rank], 'unknown') as worst_state,
        reasons,
        case when week_before = week - 7 then state_before end as state_before,
        case when week_before = week - 7 then cast(score - score_before as decimal(9, 6)) end
            as score_change,
        cast(contract_value_change as decimal(18, 2)) as contract_value_change,
        coalesce(week_before = week - 7 and profile <> profile_before, false)
            as is_profile_changed,
        case when week_before = week - 7 and profile <> profile_before then profile_before end
            as profile_before,
        last_day < week + 6 as is_partial

    from ended

)

select * from final
