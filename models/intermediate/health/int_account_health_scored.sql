-- One row per account per local day that no release has shown yet: the score that the conditions'
-- contributions sum to, and the state by the profile's edges. Under the minimum coverage the state
-- is unknown, the score NULL, and a reason says why.

with

conditions as (

    select * from {{ ref('int_health_conditions_scored') }}

),

profiles as (

    select * from {{ ref('health_profiles') }}

),

summed as (

    select
        account_id,
        day,
        profile,
        min(coverage) as coverage,
        coalesce(sum(cast(effective_weight * score as decimal(9, 6))), 0) as raw_score,
        bool_and(is_warming_up or metric_value is null) as has_no_input,
        bool_or(is_warming_up) as is_warming_up

    from conditions

    group by account_id, day, profile

),

final as (

    select
        summed.account_id,
        summed.day,
        summed.profile,
        case
            when summed.coverage < profiles.minimum_coverage then null else summed.raw_score
        end as score,
        case
            when summed.coverage < profiles.minimum_coverage then 'unknown'
            when summed.raw_score >= profiles.good_from then 'good'
            when summed.raw_score >= profiles.average_from then 'average'
            else 'poor'
        end as state,
        case
            when summed.coverage >= profiles.minimum_coverage then null
            when summed.is_warming_up then 'warming up'
            when summed.coverage = 0 then 'no data'
            else 'low coverage'
        end as unknown_reason,
        summed.coverage,
        summed.raw_score,
        profiles.good_from,
        profiles.average_from

    from summed

    inner join profiles on summed.profile = profiles.profile

)

select * from final
