-- One row per segment of an item that is paid for, as known now, policy and rate at which it
-- stands: the latest of int_subscription_items_rated, from which all marts of revenue are counted.

with

rated as (

    select * from {{ ref('int_subscription_items_rated') }}

),

final as (

    select * exclude (compared_policy, rule, sign, known_from, known_until, is_latest) from rated

    where is_latest and rule is null

)

select * from final
