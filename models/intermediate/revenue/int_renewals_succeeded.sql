-- One row per subscription that has ended and the subscription of the same account that took its
-- place: paid for the first time on the end or up to 60 days later, or of the same plan and up to
-- 60 days earlier (a renewal that overlaps), each taken once. The one nearest to the end is taken
-- first, then the same plan, then by id.

{{ config(materialized='table') }}

with recursive

anchored as (

    select * from {{ ref('int_renewals_anchored') }}

),

pairs as (

    select
        ended.account_id,
        ended.subscription_id,
        successors.subscription_id as successor_id,
        successors.paid_from_at as successor_paid_from_at,
        row_number() over (
            partition by ended.account_id
            order by
                abs(date_diff('microsecond', ended.paid_until_at, successors.paid_from_at)),
                ended.plan is distinct from successors.plan,
                ended.subscription_id,
                successors.subscription_id
        ) as place

    from anchored as ended

    inner join anchored as successors
        on
            ended.account_id = successors.account_id
            and ended.subscription_id <> successors.subscription_id
            and ended.paid_until_at < {{ as_of() }}
            and ended.paid_until_at + to_hours(24 * 60) >= successors.paid_from_at
            and (
                ended.paid_until_at <= successors.paid_from_at
                or (
                    ended.paid_until_at - to_hours(24 * 60) <= successors.paid_from_at
                    and ended.paid_from_at < successors.paid_from_at
                    and ended.plan = successors.plan
                )
            )

),

walked as (

    select
        account_id,
        place,
        true as is_taken,
        list_value(subscription_id) as ended_ids,
        list_value(successor_id) as successor_ids

    from pairs

    where place = 1

    union all

    select
        pairs.account_id,
        pairs.place,
        not list_contains(walked.ended_ids, pairs.subscription_id)
        and not list_contains(walked.successor_ids, pairs.successor_id) as is_taken,
        case
            when
                list_contains(walked.ended_ids, pairs.subscription_id)
                or list_contains(walked.successor_ids, pairs.successor_id)
                then walked.ended_ids
            else list_append(walked.ended_ids, pairs.subscription_id)
        end as ended_ids,
        case
            when
                list_contains(walked.ended_ids, pairs.subscription_id)
                or list_contains(walked.successor_ids, pairs.successor_id)
                then walked.successor_ids
            else list_append(walked.successor_ids, pairs.successor_id)
        end as successor_ids

    from walked

    inner join pairs
        on walked.account_id = pairs.account_id and walked.place + 1 = pairs.place

),

final as (

    select
        pairs.account_id,
        pairs.subscription_id,
        pairs.successor_id,
        pairs.successor_paid_from_at

    from pairs

    inner join walked
        on
            pairs.account_id = walked.account_id
            and pairs.place = walked.place
            and walked.is_taken

)

select * from final
