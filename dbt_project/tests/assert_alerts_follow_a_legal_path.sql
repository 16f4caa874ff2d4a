-- Transitions of alerts that follow on none: an alert opens first and once, each transition begins
-- where the one before ended, and nothing comes after its resolution (invariant 17).

with

alert_events as (

    select * from {{ ref('fct_alert_events') }}

),

ordered as (

    select
        *,
        lag(to_status) over (partition by alert_id order by ordinal) as status_before,
        row_number() over (partition by alert_id order by ordinal) as place

    from alert_events

)

select * from ordered

where
    ordinal != place
    or (ordinal = 1) != (transition = 'opened')
    or from_status is distinct from status_before
    or coalesce(status_before, 'open') = 'resolved'
