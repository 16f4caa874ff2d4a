-- One row per subscription and day on which one of its terms that have begun falls due: what was
-- due and what came of it. Days decide, so that a renewal billed some hours off the anchor is on
-- time; what was due is compared with what followed at the rate of what was due: a rate alone
-- neither expands nor contracts. A term that nobody paid for at its end has no row
-- (int_renewals_due).

with

renewals_due as (

    select * from {{ ref('int_renewals_due') }}

),

succeeded as (

    select * from {{ ref('int_renewals_succeeded') }}

),

amounts as (

    select * from {{ ref('int_subscription_item_amounts') }}

    where policy = 'standard'

),

health as (

    select * from {{ ref('fct_account_health_daily') }}

),

metrics as (

    select * from {{ ref('account_metrics_daily') }}

),

settings as (

    {{ renewal_risk_settings() }}

),

due as (

    -- Just before the renewal, the end or the as-of instant, whichever comes first.
    select
        renewals_due.account_id,
        renewals_due.subscription_id,
        renewals_due.term_number,
        renewals_due.term_starts_on,
        renewals_due.renewal_on,
        renewals_due.notice_window_starts_on,
        renewals_due.is_ended,
        coalesce({{ local_day('renewals_due.paid_until_at') }} <= renewals_due.renewal_on, false)
            as is_end_scheduled,
        min(amounts.currency) as currency,
        min(amounts.rate) as rate,
        sum(amounts.amount) as mrr_due

    from renewals_due

    inner join amounts
        on
            renewals_due.subscription_id = amounts.subscription_id
            and amounts.starts_at < least(
                {{ first_instant('renewals_due.renewal_on') }},
                renewals_due.paid_until_at,
                {{ as_of() }}
            )
            and (
                amounts.ends_at is null
                or amounts.ends_at >= least(
                    {{ first_instant('renewals_due.renewal_on') }},
                    renewals_due.paid_until_at,
                    {{ as_of() }}
                )
            )

    group by all

    having sum(amounts.amount) > 0

),

kept as (

    -- Still paid for when the day of the renewal is over.
    select distinct
        due.subscription_id,
        due.renewal_on

    from due

    inner join amounts
        on
            due.subscription_id = amounts.subscription_id
            and due.renewal_on < {{ as_of_day() }}
            and amounts.amount > 0
            and amounts.starts_at < {{ first_instant('due.renewal_on + 1') }}
            and (
                amounts.ends_at is null
                or amounts.ends_at >= {{ first_instant('due.renewal_on + 1') }}
            )

),

resumed as (

    select
        due.subscription_id,
        due.renewal_on,
        {{ local_day('min(amounts.starts_at)') }} as resumed_on

    from due

    inner join amounts
        on
            due.subscription_id = amounts.subscription_id
            and amounts.amount > 0
            and amounts.starts_at < {{ as_of() }}
            and {{ local_day('amounts.starts_at') }} > due.renewal_on
            and {{ local_day('amounts.starts_at') }} <= due.renewal_on + 60

    group by due.subscription_id, due.renewal_on

),

followed as (

    select
        due.subscription_id,
        due.renewal_on,
        succeeded.successor_id,
        {{ local_day('succeeded.successor_paid_from_at') }} as succeeded_on

    from due

    inner join succeeded on due.subscription_id = succeeded.subscription_id and due.is_ended

    where {{ local_day('succeeded.successor_paid_from_at') }} <= due.renewal_on + 60

),

resolved as (

    -- By a successor before or on the day, else by itself on the day, else by whichever came first.
    select
        due.*,
        case
            when followed.succeeded_on <= due.renewal_on then followed.successor_id
            when kept.subscription_id is not null then due.subscription_id
            when resumed.resumed_on > followed.succeeded_on then followed.successor_id
            else coalesce(resumed.subscription_id, followed.successor_id)
        end as renewed_by_id,
        case
            when followed.succeeded_on <= due.renewal_on then followed.succeeded_on
            when kept.subscription_id is not null then due.renewal_on
            else least(resumed.resumed_on, followed.succeeded_on)
        end as renewed_on

    from due

    left join followed
        on
            due.subscription_id = followed.subscription_id
            and due.renewal_on = followed.renewal_on

    left join kept
        on due.subscription_id = kept.subscription_id and due.renewal_on = kept.renewal_on

    left join resumed
        on due.subscription_id = resumed.subscription_id and due.renewal_on = resumed.renewal_on

),

renewed as (

    select
        resolved.subscription_id,
        resolved.renewal_on,
        sum(
            case
                when amounts.currency = resolved.currency and amounts.rate <> resolved.rate
                    then
                        {{ reporting_amount(
                            'amounts.net_picos', 'amounts.per_months', 'resolved.rate'
                        ) }}
                else amounts.amount
            end
        ) as mrr_renewed

    from resolved

    inner join amounts
        on
            resolved.renewed_by_id = amounts.subscription_id
            and amounts.starts_at < least(
                {{ first_instant('resolved.renewed_on + 1') }}, {{ as_of() }}
            )
            and (
                amounts.ends_at is null
                or amounts.ends_at >= least(
                    {{ first_instant('resolved.renewed_on + 1') }}, {{ as_of() }}
                )
            )

    group by resolved.subscription_id, resolved.renewal_on

),

compared as (

    select
        resolved.*,
        coalesce(renewed.mrr_renewed, 0) as mrr_renewed,
        case
            when
                resolved.renewed_on is null
                and resolved.renewal_on >= {{ as_of_day() }}
                and not resolved.is_ended
                then 'open'
            when coalesce(renewed.mrr_renewed, 0) = 0 then 'churned'
            when resolved.renewed_on > resolved.renewal_on then 'late'
            when renewed.mrr_renewed > resolved.mrr_due then 'expanded'
            when renewed.mrr_renewed < resolved.mrr_due then 'contracted'
            else 'renewed'
        end as outcome

    from resolved

    left join renewed
        on
            resolved.subscription_id = renewed.subscription_id
            and resolved.renewal_on = renewed.renewal_on

),

judged as (

    -- 90 days before a renewal all points of its risk count: they are those of renewal_risk.
    select
        compared.*,
        health.state as health_state_90d_before,
        health.score as health_score_90d_before,
        cast(
            round({{ renewal_risk_points('health', 'metrics', 'settings') }}, 6) as decimal(9, 6)
        ) as risk_points_90d_before,
        settings.medium_from,
        settings.high_from

    from compared

    cross join settings

    left join health
        on
            compared.account_id = health.account_id
            and compared.renewal_on - 90 = health.day

    left join metrics
        on
            compared.account_id = metrics.account_id
            and compared.renewal_on - 90 = metrics.day

),

final as (

    select
        subscription_id,
        renewal_on,
        account_id,
        cast(date_trunc('month', renewal_on) as date) as month,
        term_number,
        term_starts_on,
        notice_window_starts_on,
        outcome,
        case when outcome not in ('open', 'churned') then renewed_by_id end
            as renewed_by_subscription_id,
        case when outcome not in ('open', 'churned') then renewed_on end
            as renewed_on,
        {{ renewal_risk_band('risk_points_90d_before') }} as risk_band_90d_before,
        health_state_90d_before,
        health_score_90d_before,
        risk_points_90d_before,
        cast(12 * mrr_due as decimal(18, 2)) as arr_due,
        cast(
            case when outcome <> 'open' then 12 * mrr_renewed end
            as decimal(18, 2)
        ) as arr_renewed,
        cast(
            case
                when outcome <> 'open'
                    then 12 * least(mrr_due, mrr_renewed)
            end as decimal(18, 2)
        ) as arr_renewed_capped,
        case
            when outcome not in ('open', 'churned')
                then renewed_on - renewal_on
        end as days_early_or_late,
        renewal_on < {{ as_of_day() }} as is_due,
        outcome = 'open' and is_end_scheduled as is_cancellation_scheduled

    from judged

)

select * from final
