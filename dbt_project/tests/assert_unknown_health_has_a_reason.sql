-- Invariant 11: coverage is in [0, 1]; the score is NULL exactly where the state is unknown, which
-- has a reason.
select * from {{ ref('fct_account_health_daily') }}

where
    coverage not between 0 and 1
    or (score is null) <> (state = 'unknown')
    or (unknown_reason is null) = (state = 'unknown')
