-- One row per account with an NPS answer before the as-of instant: the answers whose local date is
-- at most 90 days before that of its latest one (spec 40), all of them and one per respondent, the
-- last.

with

responses as (

    select * from {{ ref('fct_nps_responses') }}

),

dated as (

    select
        *,
        max(submitted_on) over (partition by account_id) as latest_response_on,
        row_number() over (
            partition by account_id, respondent_id order by submitted_at desc, response_id desc
        ) = 1 as is_last_of_respondent

    from responses

),

counted as (

    -- A respondent's last answer is in the window if any of theirs is.
    select
        account_id,
        latest_response_on,
        count(*) as response_count,
        sum(score) as score_sum,
        count(*) filter (where class = 'promoter') as promoters,
        count(*) filter (where class = 'passive') as passives,
        count(*) filter (where class = 'detractor') as detractors,
        count(*) filter (where is_last_of_respondent) as respondent_count,
        coalesce(sum(score) filter (where is_last_of_respondent), 0) as respondent_score_sum,
        count(*) filter (
            where is_last_of_respondent and class = 'promoter'
        ) as respondent_promoters,
        count(*) filter (
            where is_last_of_respondent and class = 'passive'
        ) as respondent_passives,
        count(*) filter (
            where is_last_of_respondent and class = 'detractor'
        ) as respondent_detractors,
        max(submitted_at) as latest_response_at

    from dated

    where submitted_on >= latest_response_on - 90

    group by account_id, latest_response_on

),

final as (

    select
        account_id,
        response_count,
        cast(score_sum as bigint) as score_sum,
        promoters,
        passives,
        detractors,
        cast(score_sum / nullif(response_count, 0) as double) as mean_score,
        cast(100 * (promoters - detractors) / nullif(response_count, 0) as double)
            as net_promoter,
        respondent_count,
        cast(respondent_score_sum as bigint) as respondent_score_sum,
        respondent_promoters,
        respondent_passives,
        respondent_detractors,
        cast(respondent_score_sum / nullif(respondent_count, 0) as double)
            as respondent_mean_score,
        cast(
            100 * (respondent_promoters - respondent_detractors) / nullif(respondent_count, 0)
            as double
        ) as respondent_net_promoter,
        {{ as_of_day() }} - latest_response_on as age_days,
        {{ as_of_day() }} - latest_response_on > 180 as is_stale,
        latest_response_on,
        latest_response_at

    from counted

)

select * from final
