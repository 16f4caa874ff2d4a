-- The change of a score is its parts' sum, to the last digit, and is told wherever both days have
-- a score.
with

changes as (

    select * from {{ ref('fct_health_changes') }}

)

select * from changes

where
    change is distinct from (
        from_profile + from_weights + from_thresholds + from_missing + from_inputs + from_cap
        + from_override
    )
    or change is distinct from score - score_before
