-- Invariant 6: dau <= wau <= mau <= registered_users_30d, over identified users, on each day.
select * from {{ ref('fct_account_activity_daily') }}

where not (0 <= dau and dau <= wau and wau <= mau and mau <= registered_users_30d)
