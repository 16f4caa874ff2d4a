-- One row per account, local day and component: what its conditions gave to the score together.

with

conditions as (

    select * from {{ ref('fct_health_conditions_daily') }}

),

final as (

    select
        account_id,
        day,
        component,
        profile,
        cast(
            cast(sum(contribution) as double) / nullif(cast(sum(effective_weight) as double), 0)
            as decimal(9, 6)
        ) as score,
        cast(sum(effective_weight) as decimal(9, 6)) as weight,
        cast(sum(contribution) as decimal(9, 6)) as contribution,
        cast(
            cast(sum(nominal_weight * freshness_ratio) as double)
            / nullif(cast(sum(nominal_weight) as double), 0)
            as decimal(9, 6)
        ) as coverage,
        cast(count(*) as bigint) as condition_count

    from conditions

    group by account_id, day, component, profile

)

select * from final
