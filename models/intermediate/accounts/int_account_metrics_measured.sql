-- One row per basis, account and local day: the metrics as known at the day's end, of the days that
-- no release has shown yet, and restated from all that is known now, of those that read otherwise
-- than before (int_metrics_due). A metric of a table or source that had not landed by then is NULL,
-- undefined, and not zero.

{{ config(tags=['restated']) }}

{# What int_metric_usage has in wide rows. #}
{% set used = [
    'dau', 'wau', 'active_user_days_30d', 'active_days_7d', 'active_days_30d', 'use_count_7d',
    'use_count_prior_7d', 'use_count_30d', 'use_count_prior_30d', 'modules_used_30d',
    'features_used_30d', 'error_count_30d',
] %}
{% set last_used = ['last_active_on', 'last_login_on'] %}

{# What is summed, or the earliest or latest day, of spans over a day. #}
{% set summed = [
    'mrr', 'mrr_30_days_before', 'paid_phases', 'past_due_phases', 'trial_phases',
    'paid_phases_so_far', 'registered_users_30d', 'mau', 'purchased_seats', 'open_ended_licenses',
    'active_seats', 'overdue_amount', 'open_tickets', 'urgent_open_tickets',
    'escalated_open_tickets', 'tickets_opened_30d', 'tickets_solved_30d',
    'satisfaction_answers_90d', 'satisfaction_sum_90d', 'interactions_30d', 'meetings_90d',
    'trainings_90d', 'check_ins_90d', 'open_tasks', 'overdue_tasks', 'open_goals',
    'goals_with_progress', 'goals_progress', 'open_deals_amount', 'key_contacts',
    'contacts_engaged_30d', 'departments_engaged_30d', 'nps_answers', 'nps_score_sum',
    'nps_balance',
] %}
{% set earliest = [
    'license_ends_on', 'renewal_on', 'notice_on', 'overdue_since', 'first_phase_on',
    'oldest_open_ticket_on',
] %}
{% set latest = ['last_touch_on', 'last_nps_on'] %}

{# What the daily usage marts hold restated. #}
{% set elsewhere = [
    'dau', 'wau', 'mau', 'registered_users_30d', 'active_user_days_30d', 'active_seats',
] %}

{# Each metric: name, source or table that it comes from, type, formula. #}
{% set whole, amount, ratio = 'bigint', 'decimal(18, 2)', 'double' %}
{% set metrics = [
    ('mrr', 'invoices', amount, 'mrr'),
    ('arr', 'invoices', amount, '12 * mrr'),
    ('mrr_30_days_before', 'invoices', amount, 'mrr_30_days_before'),
    ('mrr_change_30d_ratio', 'invoices', ratio, 'mrr / nullif(mrr_30_days_before, 0) - 1'),
    ('days_to_renewal', 'invoices', whole, 'renewal_on - day'),
    ('days_to_notice', 'invoices', whole, 'notice_on - day'),
    ('overdue_amount', 'invoices.invoices', amount, 'overdue_amount'),
    ('days_overdue', 'invoices.invoices', whole, 'coalesce(day - overdue_since, 0)'),
    ('past_due_days', 'invoices', whole, 'past_due_days'),
    ('tenure_days', 'crm', whole, 'greatest(day - coalesce(first_phase_on, created_on), 0)'),
    (
        'purchased_seats', 'crm.licenses', whole,
        'case when open_ended_licenses = 0 then purchased_seats end',
    ),
    ('active_seats', 'crm.license_assignments', whole, 'active_seats'),
    (
        'seat_adoption_ratio', 'crm.license_assignments', ratio,
        'case when open_ended_licenses = 0 then active_seats / nullif(purchased_seats, 0) end',
    ),
    ('days_to_license_end', 'crm.licenses', whole, 'license_ends_on - day'),
    ('registered_users_30d', 'events', whole, 'registered_users_30d'),
    ('dau', 'events', whole, 'dau'),
    ('wau', 'events', whole, 'wau'),
    ('mau', 'events', whole, 'mau'),
    ('active_user_ratio', 'events', ratio, 'mau / nullif(registered_users_30d, 0)'),
    ('active_user_days_30d', 'events', whole, 'active_user_days_30d'),
    ('stickiness_ratio', 'events', ratio, 'active_user_days_30d / nullif(30 * mau, 0)'),
    ('active_days_7d', 'events', whole, 'active_days_7d'),
    ('active_days_30d', 'events', whole, 'active_days_30d'),
    ('use_count_7d', 'events', whole, 'use_count_7d'),
    ('use_count_prior_7d', 'events', whole, 'use_count_prior_7d'),
    (
        'use_count_change_7d_ratio', 'events', ratio,
        'use_count_7d / nullif(use_count_prior_7d, 0) - 1',
    ),
    ('use_count_30d', 'events', whole, 'use_count_30d'),
    ('use_count_prior_30d', 'events', whole, 'use_count_prior_30d'),
    (
        'use_count_change_ratio', 'events', ratio,
        'use_count_30d / nullif(use_count_prior_30d, 0) - 1',
    ),
    ('modules_used_30d', 'events', whole, 'modules_used_30d'),
    ('features_used_30d', 'events', whole, 'features_used_30d'),
    ('error_count_30d', 'events', whole, 'error_count_30d'),
    ('days_since_last_login', 'events', whole, 'day - coalesce(last_login_on, last_active_on)'),
    ('days_since_last_activity', 'events', whole, 'day - last_active_on'),
    ('open_tickets', 'tickets', whole, 'open_tickets'),
    ('urgent_open_tickets', 'tickets', whole, 'urgent_open_tickets'),
    ('escalated_open_tickets', 'tickets', whole, 'escalated_open_tickets'),
    ('oldest_open_ticket_days', 'tickets', whole, 'coalesce(day - oldest_open_ticket_on, 0)'),
    ('tickets_opened_30d', 'tickets', whole, 'tickets_opened_30d'),
    ('tickets_solved_30d', 'tickets', whole, 'tickets_solved_30d'),
    (
        'tickets_per_user_ratio', 'tickets', ratio,
        'case when has_events then tickets_opened_30d / nullif(registered_users_30d, 0) end',
    ),
    ('satisfaction_answers_90d', 'tickets', whole, 'satisfaction_answers_90d'),
    (
        'satisfaction_90d', 'tickets', ratio,
        'satisfaction_sum_90d / nullif(satisfaction_answers_90d, 0)',
    ),
    ('days_since_last_touch', 'crm.interactions', whole, 'day - last_touch_on'),
    ('interactions_30d', 'crm.interactions', whole, 'interactions_30d'),
    ('meetings_90d', 'crm.interactions', whole, 'meetings_90d'),
    ('trainings_90d', 'crm.interactions', whole, 'trainings_90d'),
    ('check_ins_90d', 'crm.interactions', whole, 'check_ins_90d'),
    ('contacts_engaged_30d', 'crm.interactions', whole, 'contacts_engaged_30d'),
    ('departments_engaged_30d', 'crm.interactions', whole, 'departments_engaged_30d'),
    ('key_contacts', 'crm.contacts', whole, 'key_contacts'),
    ('open_tasks', 'crm.tasks', whole, 'open_tasks'),
    ('overdue_tasks', 'crm.tasks', whole, 'overdue_tasks'),
    ('open_goals', 'crm.goals', whole, 'open_goals'),
    ('goals_progress_ratio', 'crm.goals', ratio, 'goals_progress / nullif(goals_with_progress, 0)'),
    ('open_deals_amount', 'crm.deals', amount, 'open_deals_amount'),
    ('nps_answers', 'crm.nps_responses', whole, 'nps_answers'),
    ('nps_mean', 'crm.nps_responses', ratio, 'nps_score_sum / nullif(nps_answers, 0)'),
    ('net_promoter', 'crm.nps_responses', ratio, '100 * nps_balance / nullif(nps_answers, 0)'),
    ('days_since_nps', 'crm.nps_responses', whole, 'day - last_nps_on'),
] %}
{% set origins = [] %}
{% for _, origin, _, _ in metrics if origin not in origins %}
    {%- do origins.append(origin) -%}
{% endfor %}

with

days_due as (

    select * from {{ ref('int_account_days_due') }}

    where {{ in_share('account_id') }}

),

restated_due as (

    select * from {{ ref('int_metrics_due') }}

),

restated_days as (

    select * from {{ ref('int_account_days_restated') }}

),

metric_spans as (

    select * from {{ ref('int_metric_spans') }}

    where {{ in_share('account_id') }}

),

use_days as (

    select * from {{ ref('int_metric_usage') }}

    where {{ in_share('account_id') }}

),

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

deliveries as (

    select * from {{ ref('stg_landing__deliveries') }}

),

account_versions as (

    select
        account_id,
        status,
        is_lead,
        is_latest,
        {{ local_day('created_at') }} as created_on,
        {{ known_day('known_from') }} as first_day,
        {{ known_day('known_until') }} - 1 as last_day

    from {{ ref('int_companies_known') }}

),

recorded as (

    select * from {{ ref('stg_history__account_metrics_daily') }}

),

crm_statuses as (

    select * from {{ ref('account_statuses') }}

),

shown as (

    select coalesce(max(day), cast('1900-01-01' as date)) as last_day from recorded

),

account_days as not materialized (

    select
        'as_known' as basis,
        days_due.account_id,
        days_due.day

    from days_due

    inner join shown on days_due.day > shown.last_day

    where days_due.day >= days_due.known_day

    union all by name

    select
        'restated' as basis,
        restated_days.*

    from restated_days

),

spans_due as (

    -- What began before the days that are asked for begins with them.
    select
        metric_spans.* replace (
            case
                when metric_spans.basis = 'restated'
                    then greatest(metric_spans.first_day, restated_due.due_from)
                else greatest(metric_spans.first_day, shown.last_day + 1)
            end as first_day
        )

    from metric_spans

    cross join shown

    left join restated_due on metric_spans.account_id = restated_due.account_id

    where
        metric_spans.metric <> 'known_late_on'
        and case
            when metric_spans.basis = 'restated'
                then metric_spans.last_day >= restated_due.due_from
            else metric_spans.last_day > shown.last_day
        end

),

first_asked as (

    select
        basis,
        account_id,
        min(coalesce(first_day, day)) as first_day,
        min(day) as first_day_asked

    from account_days

    group by basis, account_id

),

deltas as (

    select
        basis,
        account_id,
        metric,
        first_day as day,
        value,
        case when last_day >= {{ as_of_day() }} - 1 then value_on end as value_on
    from spans_due
    where first_day < {{ as_of_day() }}
    union all
    select
        basis,
        account_id,
        metric,
        last_day + 1 as day,
        -value as value,
        null as value_on
    from spans_due
    where value is not null and last_day < {{ as_of_day() }} - 1
    union all
    -- The first day that is asked for, whether or not something begins on it.
    select
        basis,
        account_id,
        '' as metric,
        first_day_asked as day,
        0 as value,
        null as value_on
    from first_asked

),

netted as (

    -- First by metric: most that begins on a day meets something that ends.
    select
        basis,
        account_id,
        metric,
        day,
        sum(value) as value,
        min(value_on) as first_on,
        max(value_on) as last_on

    from deltas

    group by basis, account_id, metric, day

),

turns as (

    -- What a metric is from a day on, on which it changes.
    select
        basis,
        account_id,
        metric,
        day,
        cast(sum(value) over metric_so_far as decimal(18, 4)) as value,
        min(first_on) over metric_so_far as first_on,
        max(last_on) over metric_so_far as last_on

    from netted

    window
        metric_so_far as (
            partition by basis, account_id, metric order by day rows unbounded preceding
        )

),

turns_by_day as (

    select
        basis,
        account_id,
        {%- for metric in summed %}
            max(case when metric = '{{ metric }}' then value end) as {{ metric }},
        {%- endfor %}
        {%- for metric in earliest %}
            max(case when metric = '{{ metric }}' then first_on end) as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            max(case when metric = '{{ metric }}' then last_on end) as {{ metric }},
        {%- endfor %}
        day

    from turns

    group by basis, account_id, day

),

passing_days as (

    -- The days of what is over, one by one: an earliest or latest day has no running sum.
    select
        basis,
        account_id,
        metric,
        value_on,
        cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day

    from spans_due

    where value_on is not null and last_day < {{ as_of_day() }} - 1

),

passing_by_day as (

    select
        basis,
        account_id,
        {%- for metric in earliest %}
            min(value_on) filter (where metric = '{{ metric }}') as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            max(value_on) filter (where metric = '{{ metric }}') as {{ metric }},
        {%- endfor %}
        day

    from passing_days

    group by basis, account_id, day

),

spans_running as (

    -- What doesn't change stays: last values take half the CPU of so many running sums.
    select
        basis,
        account_id,
        {%- for metric in summed + earliest + latest %}
            last_value({{ metric }} ignore nulls) over account_so_far as {{ metric }},
        {%- endfor %}
        day as first_day,
        lead(day) over (partition by basis, account_id order by day) as next_day

    from turns_by_day

    window
        account_so_far as (
            partition by basis, account_id order by day rows unbounded preceding
        )

),

spans_by_day as (

    select
        * exclude (first_day, next_day),
        cast(
            unnest(
                generate_series(
                    first_day, coalesce(next_day, {{ as_of_day() }}) - 1, interval 1 day
                )
            ) as date
        ) as day

    from spans_running

),

past_due_days as (

    -- Few days of few accounts: a window over all wide rows would be sorted.
    select distinct
        metric_spans.basis,
        metric_spans.account_id,
        cast(
            unnest(
                generate_series(
                    greatest(metric_spans.first_day, first_asked.first_day),
                    least(metric_spans.last_day, {{ as_of_day() }} - 1),
                    interval 1 day
                )
            ) as date
        ) as day

    from metric_spans

    inner join first_asked
        on
            metric_spans.basis = first_asked.basis
            and metric_spans.account_id = first_asked.account_id

    where metric_spans.metric = 'past_due_phases'

),

counted_past_due_days as (

    select past_due_days.*

    from past_due_days

    left join account_versions
        on
            past_due_days.account_id = account_versions.account_id
            and case
                when past_due_days.basis = 'restated' then account_versions.is_latest
                else
                    past_due_days.day
                    between account_versions.first_day and account_versions.last_day
            end

    where not coalesce(account_versions.is_lead, false)

),

stretches as (

    -- Of days in a row, day and place are equally far apart.
    select
        *,
        date_diff('day', cast('1900-01-01' as date), day)
        - row_number() over (partition by basis, account_id order by day) as stretch

    from counted_past_due_days

),

recorded_last as (

    select
        recorded.account_id,
        recorded.past_due_days

    from recorded

    inner join shown on recorded.day = shown.last_day

),

numbered as (

    select
        *,
        row_number() over one_stretch as stretch_days,
        min(day) over one_stretch as first_day

    from stretches

    window one_stretch as (partition by basis, account_id, stretch order by day)

),

past_due as (

    -- What was past due on the first day seen was so for longer.
    select
        numbered.basis,
        numbered.account_id,
        numbered.day,
        case
            when numbered.first_day = first_asked.first_day
                then numbered.stretch_days + coalesce(recorded_last.past_due_days, 0)
            else numbered.stretch_days
        end as past_due_days

    from numbered

    inner join first_asked
        on
            numbered.basis = first_asked.basis
            and numbered.account_id = first_asked.account_id

    left join recorded_last
        on numbered.account_id = recorded_last.account_id and numbered.basis = 'as_known'

),

account_days_told as (

    -- Narrow before wide: what a day has of few columns comes first.
    select
        account_days.*,
        account_versions.created_on,
        account_versions.is_lead,
        crm_statuses.account_status as crm_account_status,
        coalesce(past_due.past_due_days, 0) as past_due_days

    from account_days

    left join account_versions
        on
            account_days.account_id = account_versions.account_id
            and case
                when account_days.basis = 'restated' then account_versions.is_latest
                else
                    account_days.day
                    between account_versions.first_day and account_versions.last_day
            end

    left join crm_statuses on lower(account_versions.status) = crm_statuses.crm_status

    left join past_due
        on
            account_days.basis = past_due.basis
            and account_days.account_id = past_due.account_id
            and account_days.day = past_due.day

),

running as (

    -- A day's sums of spans are those of the last day on which they changed.
    select
        {%- for metric in used %}
            coalesce(
                {{ 'days_told.' ~ metric ~ ',' if metric in elsewhere }}
                coalesce(use_alike.{{ metric }}, 0) + coalesce(use_apart.{{ metric }}, 0)
            ) as {{ metric }},
        {%- endfor %}
        {%- for metric in summed %}
            coalesce(
                {{ 'days_told.' ~ metric ~ ',' if metric in elsewhere }}
                spans_by_day.{{ metric }},
                0
            ) as {{ metric }},
        {%- endfor %}
        {%- for metric in last_used %}
            greatest(use_alike.{{ metric }}, use_apart.{{ metric }}) as {{ metric }},
        {%- endfor %}
        {%- for metric in earliest %}
            least(spans_by_day.{{ metric }}, passing_by_day.{{ metric }}) as {{ metric }},
        {%- endfor %}
        {%- for metric in latest %}
            greatest(spans_by_day.{{ metric }}, passing_by_day.{{ metric }}) as {{ metric }},
        {%- endfor %}
        days_told.* exclude (
            {%- for metric in elsewhere %}
                days_told.{{ metric }}{{ ',' if not loop.last }}
            {%- endfor %}
        )

    from spans_by_day

    inner join account_days_told as days_told
        on
            spans_by_day.basis = days_told.basis
            and spans_by_day.account_id = days_told.account_id
            and spans_by_day.day = days_told.day

    left join use_days as use_alike
        on
            days_told.account_id = use_alike.account_id
            and days_told.day = use_alike.day
            and use_alike.basis = 'both'

    left join use_days as use_apart
        on
            days_told.basis = use_apart.basis
            and days_told.account_id = use_apart.account_id
            and days_told.day = use_apart.day

    left join passing_by_day
        on
            days_told.basis = passing_by_day.basis
            and days_told.account_id = passing_by_day.account_id
            and days_told.day = passing_by_day.day

),

landings as (

    select
        source_name as origin,
        day
    from watermarks
    union all
    select
        source_name || '.' || table_name as origin,
        {{ known_day("coalesce(known_at, cast('1900-01-01' as timestamp with time zone))") }}
            as day
    from deliveries

),

landed as (

    -- Since which day the source, or the table, is there.
    select
        {%- for origin in origins %}
            min(day) filter (
                where origin = '{{ origin }}'
            ) as {{ origin | replace('.', '_') }}_from,
        {%- endfor %}
        count(*) as landings

    from landings

),

asked as (

    select
        {%- for origin in origins | map('replace', '.', '_') %}
            coalesce(
                (running.basis = 'restated' and landed.{{ origin }}_from is not null)
                or running.day >= landed.{{ origin }}_from,
                false
            ) as has_{{ origin }},
        {%- endfor %}
        running.*

    from running

    cross join landed

),

measured as (

    select
        *,
        case
            when is_lead then 'lead'
            when past_due_phases > 0 then 'past_due'
            when paid_phases > 0 then 'customer'
            when trial_phases > 0 then 'trial'
            when paid_phases_so_far > 0 then 'churned'
            else coalesce(crm_account_status, 'lead')
        end as account_status

    from asked

),

final as (

    select
        account_id,
        day,
        account_status,
        {%- for name, origin, data_type, formula in metrics %}
            cast(
                case when has_{{ origin | replace('.', '_') }} then {{ formula }} end
                as {{ data_type }}
            ) as {{ name }},
        {%- endfor %}
        basis

    from measured

)

select * from final
