-- One row per month in which renewals fall due, attribute to cut by and value of it, from the
-- first one on, also after the as-of month where renewals are open. An account stands where it
-- stood at the end of the month before. The rates are over what was due before the as-of day.

with

renewals as (

    select * from {{ ref('fct_renewals') }}

),

accounts_monthly as (

    select * from {{ ref('dim_accounts_monthly') }}

),

account_spans as (

    select
        account_id,
        min(month) as first_month,
        max(month) as last_month

    from accounts_monthly

    group by account_id

),

placed as (

    select
        renewals.*,
        unnest(
            [
                { 'segment_by': 'all', 'segment': '(all)' },
                { 'segment_by': 'tier', 'segment': accounts_monthly.tier },
                { 'segment_by': 'region', 'segment': accounts_monthly.region },
                { 'segment_by': 'product_line', 'segment': accounts_monthly.product_line },
                { 'segment_by': 'size_band', 'segment': accounts_monthly.size_band }
            ]
        ) as place

    from renewals

    left join account_spans on renewals.account_id = account_spans.account_id

    left join accounts_monthly
        on
            renewals.account_id = accounts_monthly.account_id
            and accounts_monthly.month = greatest(
                least(renewals.month - interval 1 month, account_spans.last_month),
                account_spans.first_month
            )

),

summed as (

    select
        month,
        place['segment_by'] as segment_by,
        {{ segment("place['segment']") }} as segment,
        count(*) filter (where is_due) as renewals_due_count,
        count(*) filter (
            where is_due and outcome in ('renewed', 'expanded', 'contracted', 'late')
        ) as renewed_count,
        count(*) filter (where is_due and outcome = 'expanded') as expanded_count,
        count(*) filter (where is_due and outcome = 'contracted') as contracted_count,
        count(*) filter (where is_due and outcome = 'late') as late_count,
        count(*) filter (where is_due and outcome = 'churned') as churned_count,
        count(*) filter (where outcome = 'open') as open_count,
        coalesce(sum(arr_due) filter (where is_due), 0) as arr_due,
        coalesce(sum(arr_renewed_capped) filter (where is_due), 0) as arr_renewed,
        coalesce(sum(arr_renewed) filter (where is_due), 0) as arr_renewed_uncapped,
        coalesce(sum(arr_due) filter (where outcome = 'open'), 0) as arr_open

    from placed

    group by all

),

final as (

    select
        month,
        segment_by,
        segment,
        renewals_due_count,
        renewed_count,
        expanded_count,
        contracted_count,
        late_count,
        churned_count,
        open_count,
        cast(arr_due as decimal(18, 2)) as arr_due,
        cast(arr_renewed as decimal(18, 2)) as arr_renewed,
        cast(arr_renewed_uncapped as decimal(18, 2)) as arr_renewed_uncapped,
        cast(arr_open as decimal(18, 2)) as arr_open,
        cast(renewed_count as double) / nullif(renewals_due_count, 0) as logo_renewal_ratio,
        cast(arr_renewed as double) / nullif(arr_due, 0) as arr_renewal_ratio

    from summed

)

select * from final
