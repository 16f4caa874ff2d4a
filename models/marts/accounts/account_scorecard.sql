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

health_reasons as (

    select * from {{ ref('health_reasons') }}

),

kpis as (

    select * from {{ ref('account_kpis') }}

),

peers as (

    select * from {{ ref('account_metrics') }}

),

licenses as (

    select * from {{ ref('account_license_totals') }}

),

nps as (

    select * from {{ ref('account_nps') }}

),

tasks as (

    select * from {{ ref('fct_tasks') }}

    where is_open

),

interactions as (

    select * from {{ ref('fct_interactions') }}

    where is_two_way

),

contacts as (

    select * from {{ ref('dim_contacts') }}

    where trim(key_role) <> ''

),

team as (

    select * from {{ ref('account_team') }}

    where is_current

),

alerts as (

    select * from {{ ref('fct_alerts') }}

    where is_open

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
        next_renewal_on,
        arr
    from terms

    union all

    -- Without a term, the end of the period that is paid for, of what is not to be cancelled.
    select
        subscriptions.account_id,
        {{ local_day('subscriptions.current_period_end_at') }} as next_renewal_on,
        terms.arr
    from subscriptions
    left join terms on subscriptions.subscription_id = terms.subscription_id
    where
        subscriptions.is_latest
        and coalesce(subscriptions.renewal_term_months, 0) = 0
        and subscriptions.current_period_end_at >= {{ as_of() }}
        and subscriptions.ended_at is null
        and subscriptions.cancel_at is null
        and coalesce(subscriptions.status, 'active') in ('active', 'past_due')

),

renewals as (

    select
        account_id,
        next_renewal_on,
        sum(arr) as renewal_arr

    from renewal_days

    where next_renewal_on is not null

    group by account_id, next_renewal_on

    qualify row_number() over (partition by account_id order by next_renewal_on) = 1

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

reasons as (

    select
        account_id,
        max(sentence) filter (where position = 1) as reason_1,
        max(sentence) filter (where position = 2) as reason_2,
        max(sentence) filter (where position = 3) as reason_3

    from health_reasons

    group by account_id

),

benchmarks as (

    select
        account_id,
        max(profile_peer_median) filter (where metric = 'mau') as mau_peer_median,
        max(profile_peer_median) filter (where metric = 'active_user_ratio')
            as active_user_ratio_peer_median,
        max(profile_peer_median) filter (where metric = 'modules_used_30d')
            as modules_used_30d_peer_median,
        max(slope_8_weeks) filter (where metric = 'mau') as mau_slope_8_weeks

    from peers

    where metric in ('mau', 'active_user_ratio', 'modules_used_30d')

    group by account_id

),

next_tasks as (

    -- What is due first; what has no day comes last.
    select * from tasks

    qualify
        row_number() over (
            partition by account_id order by due_on asc nulls last, created_at asc, task_id asc
        ) = 1

),

last_touches as (

    select * from interactions

    qualify
        row_number() over (
            partition by account_id order by occurred_at desc, interaction_id desc
        ) = 1

),

people as (

    select
        account_id,
        string_agg(
            coalesce(full_name, contact_id) || ' (' || trim(key_role) || ')', ', '
            order by full_name, contact_id
        ) as key_contact_names

    from contacts

    group by account_id

),

teams as (

    select
        account_id,
        string_agg(
            role || ': ' || coalesce(full_name, team_member_id), ', '
            order by role, full_name, team_member_id
        ) as team

    from team

    group by account_id

),

alarms as (

    select
        account_id,
        count(*) as open_alerts,
        count(*) filter (where severity = 'critical') as open_critical_alerts,
        arg_max(
            severity, case severity when 'critical' then 3 when 'warning' then 2 else 1 end
        ) as highest_alert_severity

    from alerts

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
        metrics.tenure_days,
        csms.csm_id,
        csms.csm_name,
        csms.csm_email,
        csms.manager_id,
        csms.manager_name,
        teams.team,
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
        coalesce(alarms.open_alerts, 0) as open_alerts,
        coalesce(alarms.open_critical_alerts, 0) as open_critical_alerts,
        alarms.highest_alert_severity,
        accounts.contract_value_amount,
        accounts.currency as contract_currency,
        cast(balances.mrr as decimal(18, 2)) as mrr,
        cast(balances.mrr * 12 as decimal(18, 2)) as arr,
        cast(balances.mrr - balances.mrr_30_days_ago as decimal(18, 2)) as mrr_change_30d,
        renewals.next_renewal_on,
        renewals.next_renewal_on - {{ as_of_day() }} as days_to_renewal,
        coalesce(renewals.next_renewal_on - {{ as_of_day() }} <= 90, false) as is_renewal_upcoming,
        cast(renewals.renewal_arr as decimal(18, 2)) as renewal_arr,
        kpis.renewal_risk_points,
        kpis.renewal_risk_band,
        metrics.overdue_amount,
        metrics.days_overdue,
        metrics.open_deals_amount,
        kpis.expansion_score,
        coalesce(kpis.is_expansion_flagged, false) as is_expansion_flagged,
        licenses.status as license_status,
        licenses.expires_on as license_expires_on,
        licenses.seats_purchased as purchased_seats,
        licenses.seats_active as active_seats,
        licenses.active_seat_ratio as seat_adoption_ratio,
        kpis.feature_adoption_ratio,
        kpis.time_to_value_days,
        coalesce(kpis.is_time_to_value_censored, false) as is_time_to_value_censored,
        kpis.engagement_score,
        metrics.registered_users_30d,
        metrics.mau,
        benchmarks.mau_peer_median,
        benchmarks.mau_slope_8_weeks,
        metrics.active_user_ratio,
        benchmarks.active_user_ratio_peer_median,
        metrics.stickiness_ratio,
        metrics.active_days_30d,
        metrics.use_count_30d,
        metrics.use_count_change_ratio,
        metrics.modules_used_30d,
        benchmarks.modules_used_30d_peer_median,
        top_modules.top_modules,
        activity.last_login_at,
        activity.last_activity_at,
        metrics.days_since_last_activity,
        metrics.open_tickets,
        metrics.urgent_open_tickets,
        metrics.escalated_open_tickets,
        metrics.oldest_open_ticket_days,
        metrics.satisfaction_90d,
        nps.mean_score as nps_mean,
        nps.net_promoter,
        nps.response_count as nps_answers,
        nps.age_days as days_since_nps,
        last_touches.occurred_on as last_touch_on,
        last_touches.interaction_type as last_touch_type,
        {{ as_of_day() }} - last_touches.occurred_on as days_since_last_touch,
        metrics.interactions_30d,
        metrics.contacts_engaged_30d,
        metrics.key_contacts,
        people.key_contact_names,
        next_tasks.task_type as next_task,
        next_tasks.assignee_name as next_task_assignee,
        next_tasks.due_on as next_task_due_on,
        metrics.open_tasks,
        metrics.overdue_tasks,
        metrics.open_goals,
        metrics.goals_progress_ratio,
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

    left join kpis on accounts.account_id = kpis.account_id

    left join benchmarks on accounts.account_id = benchmarks.account_id

    left join licenses on accounts.account_id = licenses.account_id

    left join nps on accounts.account_id = nps.account_id

    left join next_tasks on accounts.account_id = next_tasks.account_id

    left join last_touches on accounts.account_id = last_touches.account_id

    left join people on accounts.account_id = people.account_id

    left join teams on accounts.account_id = teams.account_id

    left join alarms on accounts.account_id = alarms.account_id

),

final as (

    -- Attention: open critical alerts, then recurring revenue at risk, then points lost in 7 days,
    -- over the active accounts.
    select
        *,
        case
            when status in ('customer', 'past_due') and not is_test
                then
                    row_number() over (
                        partition by status in ('customer', 'past_due') and not is_test
                        order by
                            open_critical_alerts desc,
                            cast(arr as decimal(24, 2)) * (100 - health_score) desc nulls last,
                            health_score_7_days_ago - health_score desc nulls last,
                            account_id
                    )
        end as attention_rank

    from gathered

)

select * from final
