-- Spec 00, "account day": every local day from the first to the last full day has a row.
select
    account_id,
    min(day) as first_day,
    max(day) as last_day,
    count(*) as day_count

from {{ ref('fct_account_activity_daily') }}

group by account_id

having day_count <> last_day - first_day + 1 or last_day <> {{ as_of_day() }} - 1
