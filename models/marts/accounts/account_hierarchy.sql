-- One row per ancestor, descendant and stretch of time in which the one was above the other; every
-- account is its own ancestor at depth 0. What a descendant has stands on its current rows (own_…),
-- so that their sum over an ancestor is its subtree's, which stands once, on the ancestor's current
-- row about itself (subtree_…). The walk passes through test accounts and leaves them out.

with recursive

hierarchy_links as (

    select * from {{ ref('int_account_hierarchy_dated') }}

),

accounts as (

    select * from {{ ref('dim_accounts') }}

    where not is_test

),

scorecard as (

    select * from {{ ref('account_scorecard') }}

),

followed as (

    select * from hierarchy_links

    where parent_account_id is not null and not is_refused

),

lifetimes as (

    select
        account_id,
        min(valid_from) as valid_from,
        max(valid_until) as valid_until,
        bool_or(
            is_refused and valid_until = cast('9999-12-31' as timestamp with time zone)
        ) as is_in_cycle

    from hierarchy_links

    group by account_id

),

walked as (

    select
        account_id as ancestor_id,
        account_id as descendant_id,
        0 as depth,
        cast(null as varchar) as relationship,
        valid_from,
        valid_until

    from lifetimes

    union all

    select
        followed.parent_account_id as ancestor_id,
        walked.descendant_id,
        walked.depth + 1 as depth,
        case when walked.depth = 0 then followed.relationship else walked.relationship end
            as relationship,
        greatest(walked.valid_from, followed.valid_from) as valid_from,
        least(walked.valid_until, followed.valid_until) as valid_until

    from walked

    inner join followed
        on
            walked.ancestor_id = followed.account_id
            and walked.valid_from < followed.valid_until
            and walked.valid_until > followed.valid_from

),

told as (

    select walked.*

    from walked

    inner join accounts as ancestors on walked.ancestor_id = ancestors.account_id

    inner join accounts as descendants on walked.descendant_id = descendants.account_id

),

numbered as (

    -- What goes on as it was is one stretch, whatever changed on the way up.
    select
        *,
        coalesce(
            valid_from = lag(valid_until) over so_far
            and depth = lag(depth) over so_far
            and relationship is not distinct from lag(relationship) over so_far,
            false
        ) as goes_on

    from told

    window so_far as (partition by ancestor_id, descendant_id order by valid_from)

),

grouped as (

    select
        *,
        count_if(not goes_on) over (
            partition by ancestor_id, descendant_id
            order by valid_from
            rows unbounded preceding
        ) as stretch

    from numbered

),

related as (

    select
        ancestor_id,
        descendant_id,
        depth,
        relationship,
        min(valid_from) as valid_from,
        max(valid_until) as valid_until,
        max(valid_until) = cast('9999-12-31' as timestamp with time zone) as is_current

    from grouped

    group by ancestor_id, descendant_id, depth, relationship, stretch

),

owned as (

    select
        related.*,
        scorecard.mrr as own_mrr,
        scorecard.registered_users_30d as own_registered_users_30d,
        scorecard.mau as own_mau,
        scorecard.open_tickets as own_open_tickets,
        scorecard.health_score as own_health_score

    from related

    left join scorecard on related.is_current and related.descendant_id = scorecard.account_id

),

subtrees as (

    select
        ancestor_id,
        count(*) as account_count,
        sum(own_mrr) as mrr,
        sum(own_registered_users_30d) as registered_users_30d,
        sum(own_mau) as mau,
        sum(own_open_tickets) as open_tickets,
        count(own_health_score) as scored_account_count,
        sum(case when own_health_score is not null then own_mrr end) as scored_mrr,
        sum(own_health_score * cast(own_mrr as decimal(28, 2))) as score_mrr

    from owned

    where is_current

    group by ancestor_id

),

heads as (

    select descendant_id as account_id from owned

    where is_current

    group by descendant_id

    having max(depth) = 0

),

final as (

    select
        owned.ancestor_id,
        owned.descendant_id,
        owned.depth,
        owned.relationship,
        owned.own_mrr,
        owned.own_registered_users_30d,
        owned.own_mau,
        owned.own_open_tickets,
        owned.own_health_score,
        subtrees.account_count as subtree_account_count,
        cast(subtrees.mrr as decimal(18, 2)) as subtree_mrr,
        cast(subtrees.registered_users_30d as bigint) as subtree_registered_users_30d,
        cast(subtrees.mau as bigint) as subtree_mau,
        cast(subtrees.open_tickets as bigint) as subtree_open_tickets,
        subtrees.scored_account_count as subtree_scored_account_count,
        cast(subtrees.scored_mrr as decimal(18, 2)) as subtree_scored_mrr,
        cast(
            case
                when subtrees.scored_mrr > 0
                    then
                        cast(subtrees.score_mrr as double)
                        / nullif(cast(subtrees.scored_mrr as double), 0)
            end as double
        ) as subtree_health_score,
        heads.account_id is not null as is_head,
        lifetimes.is_in_cycle,
        owned.is_current,
        owned.valid_from,
        case when not owned.is_current then owned.valid_until end as valid_to

    from owned

    inner join lifetimes on owned.descendant_id = lifetimes.account_id

    left join heads on owned.ancestor_id = heads.account_id

    left join subtrees
        on
            owned.is_current
            and owned.depth = 0
            and owned.ancestor_id = subtrees.ancestor_id

)

select * from final
