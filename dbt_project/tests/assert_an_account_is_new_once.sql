-- Spec 20, "Movements": new is the first instant with MRR above 0, exactly once.
select
    account_id,
    policy,
    count_if(movement = 'new') as new_count,
    min(moved_at) as first_moved_at,
    min(moved_at) filter (where movement = 'new') as new_at

from {{ ref('fct_mrr_movements') }}

group by account_id, policy

having new_count <> 1 or first_moved_at <> new_at
