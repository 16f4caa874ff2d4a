-- One row per account or lead that landed: everything that the top of an account page shows, as of
-- the as-of day. Test accounts stand here with their flag and without usage, revenue or health.

with

accounts as (

    select * from {{ ref('dim_accounts') }}

),

csms as (

    select * from {{ ref('int_account_csms') }}

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

activity as (

    select * from {{ ref('fct_account_activity_daily') }}

),

movements as (

    select * from {{ ref('fct_mrr_movements') }}

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

conditions as (

    select * from {{ ref('fct_health_conditions_daily') }}

),

sentences as (

    select * from {{ ref('health_conditions') }}

),

registry as (

    select * from {{ ref('metric_registry') }}

),

module_usage as (

    select * from {{ ref('account_module_usage') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_linked') }}

),

terms as (

    select * from {{ ref('fct_subscriptions') }}

),

balances as (

    select
        accounts.account_id,
        coalesce(sum(movements.mrr_after - movements.mrr_before), 0) as mrr,
        coalesce(
            sum(movements.mrr_after - movements.mrr_before) filter (
                where movements.moved_on < {{ as_of_day() }} - 30
            ),
            0
        ) as mrr_30_days_ago

    from accounts

    left join movements
        on accounts.account_id = movements.account_id and movements.policy = 'standard'

    where not accounts.is_test

    group by accounts.account_id

),

renewal_days as (

    select
        account_id,
        next_renewal_on
    from terms

    union all

    -- Without a term, the end of the period that is paid for, of what is not to be cancelled.
    select
        account_id,
        {{ local_day('current_period_end_at') }} as next_renewal_on
    from subscriptions
    where
        is_latest
        and coalesce(renewal_term_months, 0) = 0
        and current_period_end_at >= {{ as_of() }}
        and ended_at is null
        and cancel_at is null
        and coalesce(status, 'active') in ('active', 'past_due')

),

renewals as (

    select
        account_id,
        min(next_renewal_on) as next_renewal_on

    from renewal_days

    group by account_id

),

scored as (

    select
        *,
        lag(score, 7) over (partition by account_id order by day) as score_7_days_ago,
        lag(state, 7) over (partition by account_id order by day) as state_7_days_ago,
        lag(state) over (partition by account_id order by day) as state_the_day_before

    from health

),

changed as (

    select
        account_id,
        max(day) filter (where state is distinct from state_the_day_before) as state_changed_on

    from scored

    group by account_id

),

latest_health as (

    select * from scored

    where day = {{ as_of_day() }} - 1

),

worded as (

    select
        conditions.account_id,
        conditions.condition,
        row_number() over (
            partition by conditions.account_id
            order by
                case
                    when latest_health.state = 'good' then conditions.contribution
                    else conditions.effective_weight * 100 - conditions.contribution
                end desc,
                conditions.condition
        ) as position,
        replace(
            replace(
                replace(
                    sentences.sentence,
                    '{value}',
                    case
                        when registry.unit = 'ratio'
                            then
                                cast(
                                    cast(round(conditions.metric_value * 100) as integer) as varchar
                                )
                                || ' %'
                        else format('{:g}', cast(conditions.metric_value as double))
                    end
                ),
                '{lower}',
                case
                    when registry.unit = 'ratio'
                        then
                            cast(cast(round(conditions.lower_edge * 100) as integer) as varchar)
                            || ' %'
                    else format('{:g}', cast(conditions.lower_edge as double))
                end
            ),
            '{upper}',
            case
                when registry.unit = 'ratio'
                    then
                        cast(cast(round(conditions.upper_edge * 100) as integer) as varchar)
                        || ' %'
                else format('{:g}', cast(conditions.upper_edge as double))
            end
        ) as reason

    from conditions

    inner join latest_health
        on
            conditions.account_id = latest_health.account_id
            and conditions.day = latest_health.day

    inner join sentences on conditions.condition = sentences.condition

    inner join registry on conditions.metric = registry.metric

    where conditions.influences_state

),

reasons as (

    select
        account_id,
        max(reason) filter (where position = 1) as reason_1,
        max(reason) filter (where position = 2) as reason_2,
        max(reason) filter (where position = 3) as reason_3

    from worded

    group by account_id

),

top_modules as (

    select
        account_id,
        string_agg(module, ', ' order by rank) filter (where rank <= 3) as top_modules

    from module_usage

    where total_seconds > 0 or total_count > 0

    group by account_id

),

gathered as (

    select
        accounts.account_id,
        accounts.account_name,
        accounts.status,
        accounts.crm_status,
        accounts.lifecycle_stage,
        accounts.tier,
        accounts.region,
        accounts.country,
        accounts.industry,
        accounts.product_line,
        accounts.size_band,
        csms.csm_id,
        csms.csm_name,
        csms.csm_email,
        csms.manager_id,
        csms.manager_name,
        latest_health.profile as health_profile,
        latest_health.score as health_score,
        latest_health.state as health_state,
        latest_health.unknown_reason as health_unknown_reason,
        latest_health.coverage as health_coverage,
        latest_health.arrow as health_arrow,
        latest_health.score_7_days_ago as health_score_7_days_ago,
        latest_health.state_7_days_ago as health_state_7_days_ago,
        changed.state_changed_on as health_state_changed_on,
        reasons.reason_1,
        reasons.reason_2,
        reasons.reason_3,
        cast(balances.mrr as decimal(18, 2)) as mrr,
        cast(balances.mrr * 12 as decimal(18, 2)) as arr,
        cast(balances.mrr - balances.mrr_30_days_ago as decimal(18, 2)) as mrr_change_30d,
        renewals.next_renewal_on,
        renewals.next_renewal_on - {{ as_of_day() }} as days_to_renewal,
        metrics.registered_users_30d,
        metrics.mau,
        metrics.active_user_ratio,
        metrics.active_days_30d,
        metrics.use_count_30d,
        metrics.use_count_change_ratio,
        metrics.modules_used_30d,
        top_modules.top_modules,
        activity.last_login_at,
        activity.last_activity_at,
        metrics.days_since_last_activity,
        metrics.open_tickets,
        metrics.urgent_open_tickets,
        accounts.is_test,
        accounts.created_on

    from accounts

    left join csms on accounts.account_id = csms.account_id

    left join metrics
        on accounts.account_id = metrics.account_id and metrics.day = {{ as_of_day() }} - 1

    left join activity
        on accounts.account_id = activity.account_id and activity.day = {{ as_of_day() }} - 1

    left join latest_health on accounts.account_id = latest_health.account_id

    left join changed on accounts.account_id = changed.account_id

    left join reasons on accounts.account_id = reasons.account_id

    left join balances on accounts.account_id = balances.account_id

    left join renewals on accounts.account_id = renewals.account_id

    left join top_modules on accounts.account_id = top_modules.account_id

),

final as (

    -- Attention: recurring revenue at risk, then points lost in 7 days, over the active accounts.
    select
        *,
        case
            when status in ('customer', 'past_due') and not is_test
                then
                    row_number() over (
                        partition by status in ('customer', 'past_due') and not is_test
                        order by
                            cast(arr as decimal(24, 2)) * (100 - health_score) desc nulls last,
                            health_score_7_days_ago - health_score desc nulls last,
                            account_id
                    )
        end as attention_rank

    from gathered

)

select * from final
