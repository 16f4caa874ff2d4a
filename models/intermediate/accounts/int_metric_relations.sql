-- One row per basis, metric and thing of the CRM that tells of it, with the days in whose rows it
-- counts: as_known, from when it was known until another version of it was, and restated, as the
-- latest version has it. A version without which some of these days were shown, or with it in vain,
-- is told as well, with when it was known. Rows with a `thing` count once a day however many there
-- are (`copied` e-mails, people who were met twice); those with value_on tell of a day.

with

interactions as (

    select
        *,
        {{ local_day('occurred_at') }} as day,
        coalesce(
            'message ' || case when interaction_type = 'email' then message_id end, interaction_id
        ) as touch_id,
        interaction_type in ('call', 'meeting', 'check_in', 'training', 'qbr')
        or coalesce(interaction_type = 'email' and direction = 'inbound', false) as is_two_way

    from {{ ref('stg_crm__interactions') }}

    where is_completed

),

tasks as (

    select
        *,
        {{ local_day('created_at') }} as first_day,
        {{ local_day(
            "least(coalesce(completed_at, case when status in ('completed', 'complete', 'done', "
            ~ "'closed', 'cancelled', 'canceled') then coalesce(updated_at, created_at) end), "
            ~ "deleted_at)"
        ) }} - 1 as last_day

    from {{ ref('stg_crm__tasks') }}

),

goals as (

    select
        *,
        {{ local_day('created_at') }} as first_day,
        {{ local_day(
            "least(coalesce(completed_at, case when status in ('completed', 'complete', 'done', "
            ~ "'achieved', 'reached', 'cancelled', 'canceled') "
            ~ "then coalesce(updated_at, created_at) end), deleted_at)"
        ) }} - 1 as last_day

    from {{ ref('stg_crm__goals') }}

),

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

deals as (

    select
        *,
        regexp_replace(lower(stage), '[^a-z]', '', 'g') as stage_word

    from {{ ref('stg_crm__deals') }}

),

nps_responses as (

    select * from {{ ref('stg_crm__nps_responses') }}

),

licenses as (

    select
        *,
        {{ local_day('started_at') }} as started_on,
        coalesce({{ local_day('updated_at') }}, {{ local_day('started_at') }}) as told_on,
        is_unlimited or seats_purchased is null as is_open_ended

    from {{ ref('stg_crm__licenses') }}

),

assignments as (

    select * from {{ ref('stg_crm__license_assignments') }}

),

colleagues as (

    select * from {{ ref('int_users_linked') }}

    where is_last_told and is_internal

),

user_spans as (

    select * from {{ ref('int_user_spans') }}

    where measure = 'mau' and basis = 'as_known'

),

accounts as (

    select * from {{ ref('int_accounts_dated') }}

    where not is_test

),

owners as (

    select * from {{ ref('int_account_owners') }}

),

rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

windows (metric, interaction_type, length) as (

    values
    ('interactions_30d', null, 30),
    ('meetings_90d', 'meeting', 90),
    ('meetings_90d', 'qbr', 90),
    ('trainings_90d', 'training', 90),
    ('check_ins_90d', 'check_in', 90)

),

bases (basis) as (

    values ('as_known'), ('restated')

),

licensed as (

    -- In force: neither suspended nor over.
    select
        *,
        least(
            expires_on,
            {{ local_day('suspended_at') }} - 1,
            {{ local_day('deleted_at') }} - 1,
            case
                when
                    status in ('expired', 'canceled', 'cancelled')
                    or (status = 'suspended' and suspended_at is null)
                    then told_on - 1
            end
        ) as last_day

    from licenses

),

seats as (

    -- Who holds a seat of a licence in force, as both were known.
    select
        licensed.account_id,
        licensed.license_id,
        assignments.user_id,
        greatest(licensed.started_on, {{ local_day('assignments.assigned_at') }}) as first_day,
        least(
            licensed.last_day,
            {{ local_day('least(assignments.unassigned_at, assignments.deleted_at)') }} - 1
        ) as last_day,
        greatest(licensed.known_from, assignments.known_from) as known_from,
        least(licensed.known_until, assignments.known_until) as known_until,
        licensed.is_latest and assignments.is_latest as is_latest

    from licensed

    inner join assignments on licensed.license_id = assignments.license_id

    where greatest(licensed.known_from, assignments.known_from)
        < least(licensed.known_until, assignments.known_until)

),

met as (

    -- Whom somebody talked with, as the contact was known.
    select
        interactions.account_id,
        interactions.contact_id,
        contacts.department,
        greatest(interactions.day, {{ local_day('contacts.created_at') }}) as day,
        least(
            interactions.day + 29,
            {{ local_day('least(interactions.deleted_at, contacts.deleted_at)') }} - 1
        ) as last_day,
        greatest(interactions.known_from, contacts.known_from) as known_from,
        least(interactions.known_until, contacts.known_until) as known_until,
        interactions.is_latest and contacts.is_latest as is_latest

    from interactions

    inner join contacts on interactions.contact_id = contacts.contact_id

    where
        interactions.is_two_way
        and greatest(interactions.known_from, contacts.known_from)
        < least(interactions.known_until, contacts.known_until)

),

things (
    account_id, metric, thing, value, value_on, first_day, last_day, known_from, known_until,
    is_latest
) as (

    select
        interactions.account_id,
        windows.metric,
        interactions.touch_id as thing,
        1 as value,
        null as value_on,
        interactions.day as first_day,
        least(
            interactions.day + windows.length - 1, {{ local_day('interactions.deleted_at') }} - 1
        ) as last_day,
        interactions.known_from,
        interactions.known_until,
        interactions.is_latest
    from interactions
    inner join windows
        on
            windows.interaction_type is null
            or interactions.interaction_type = windows.interaction_type

    union all

    select
        account_id,
        'last_touch_on',
        null,
        null,
        day,
        day as first_day,
        {{ local_day('deleted_at') }} - 1,
        known_from,
        known_until,
        is_latest
    from interactions
    where is_two_way

    union all

    select
        account_id,
        'contacts_engaged_30d',
        contact_id,
        1,
        null,
        day,
        last_day,
        known_from,
        known_until,
        is_latest
    from met

    union all

    select
        account_id,
        'departments_engaged_30d',
        lower(trim(department)),
        1,
        null,
        day,
        last_day,
        known_from,
        known_until,
        is_latest
    from met
    where trim(department) <> ''

    union all

    select
        account_id,
        'open_tasks',
        null,
        1,
        null,
        first_day,
        last_day,
        known_from,
        known_until,
        is_latest
    from tasks

    union all

    select
        account_id,
        'overdue_tasks',
        null,
        1,
        null,
        greatest(first_day, due_on + 1),
        last_day,
        known_from,
        known_until,
        is_latest
    from tasks
    where due_on is not null

    union all

    select
        account_id,
        'open_goals',
        null,
        1,
        null,
        first_day,
        last_day,
        known_from,
        known_until,
        is_latest
    from goals

    union all

    select
        account_id,
        'goals_with_progress',
        null,
        1,
        null,
        first_day,
        last_day,
        known_from,
        known_until,
        is_latest
    from goals
    where progress_ratio is not null

    union all

    select
        account_id,
        'goals_progress',
        null,
        cast(progress_ratio as decimal(18, 4)),
        null,
        first_day,
        last_day,
        known_from,
        known_until,
        is_latest
    from goals
    where progress_ratio is not null

    union all

    select
        account_id,
        'key_contacts',
        null,
        1,
        null,
        coalesce({{ local_day('created_at') }}, cast('1900-01-01' as date)),
        {{ local_day('deleted_at') }} - 1,
        known_from,
        known_until,
        is_latest
    from contacts
    where trim(key_role) <> ''

    union all

    select
        account_id,
        case when is_open_ended then 'open_ended_licenses' else 'purchased_seats' end,
        null,
        case when is_open_ended then 1 else seats_purchased end,
        null,
        started_on,
        last_day,
        known_from,
        known_until,
        is_latest
    from licensed

    union all

    select
        account_id,
        'license_ends_on',
        null,
        null,
        expires_on,
        started_on,
        last_day,
        known_from,
        known_until,
        is_latest
    from licensed
    where expires_on is not null

    union all

    -- An answer's score, day and user; what becomes of them is told below.
    select
        account_id,
        'nps_answers',
        user_id,
        score,
        {{ local_day('submitted_at') }},
        {{ local_day('submitted_at') }},
        {{ local_day('deleted_at') }} - 1,
        known_from,
        known_until,
        is_latest
    from nps_responses

    union all

    select
        account_id,
        'seat ' || user_id,
        license_id,
        1,
        null,
        first_day,
        last_day,
        known_from,
        known_until,
        is_latest
    from seats

),

open_deals as (

    select
        deals.account_id,
        coalesce(
            deals.currency,
            {{ currency_code('accounts.currency') }},
            '{{ var("reporting_currency") }}'
        ) as currency,
        deals.amount,
        {{ local_day('deals.created_at') }} as first_day,
        {{ local_day(
            "least(coalesce(deals.closed_at, case when not deals.is_closed_later "
            ~ "and (coalesce(deals.is_won, false) "
            ~ "or deals.stage_word in ('won', 'closedwon', 'lost', 'closedlost')) "
            ~ "then coalesce(deals.updated_at, deals.created_at) end), deals.deleted_at)"
        ) }} - 1 as last_day,
        deals.known_from,
        deals.known_until,
        deals.is_latest

    from deals

    left join accounts on deals.account_id = accounts.account_id

    where deals.amount is not null

),

priced_deals as (

    -- By the month: an open deal is worth what its amount is worth today.
    select
        *,
        cast(
            unnest(
                generate_series(
                    cast(date_trunc('month', first_day) as date),
                    least(last_day, {{ as_of_day() }} - 1),
                    interval 1 month
                )
            ) as date
        ) as month

    from open_deals

    where first_day <= coalesce(last_day, first_day)

),

worth as (

    select
        priced_deals.account_id,
        'open_deals_amount' as metric,
        cast(null as varchar) as thing,
        cast(
            round_even(
                cast(priced_deals.amount as decimal(38, 4))
                * {{ reporting_rate('priced_deals.currency', 'rates.rate') }},
                2
            ) as decimal(18, 2)
        ) as value,
        cast(null as date) as value_on,
        greatest(priced_deals.first_day, priced_deals.month) as first_day,
        least(
            priced_deals.last_day, cast(priced_deals.month + interval 1 month as date) - 1
        ) as last_day,
        priced_deals.known_from,
        priced_deals.known_until,
        priced_deals.is_latest

    from priced_deals

    left join rates
        on priced_deals.currency = rates.currency and priced_deals.month = rates.month

),

told as (

    select *
    from things
    union all by name
    select *
    from worth
    where value is not null

),

owned as (

    select
        told.* exclude (account_id, known_from, known_until, is_latest),
        {{ under_owner('told') }}

    from told

    left join owners on told.account_id = owners.account_id

    where {{ is_told_under_owner('told') }}

),

spans as (

    select
        bases.basis,
        owned.account_id,
        owned.metric,
        owned.thing,
        owned.value,
        owned.value_on,
        {{ counted_days('owned') }}

    from owned

    inner join accounts on owned.account_id = accounts.account_id

    inner join bases on bases.basis = 'as_known' or owned.is_latest

),

late as (

    select
        'told' as basis,
        owned.* exclude (owned.is_latest)

    from owned

    inner join accounts on owned.account_id = accounts.account_id

    where {{ is_told_late('owned') }}

),

active_seats as (

    -- A seat is active where whoever holds it was active in the 30 days that end with the day.
    select
        spans.basis,
        spans.account_id,
        'active_seats' as metric,
        spans.thing || ' ' || user_spans.user_id as thing,
        1 as value,
        spans.value_on,
        greatest(spans.first_day, user_spans.first_day) as first_day,
        least(spans.last_day, user_spans.last_day) as last_day

    from spans

    inner join user_spans
        on
            spans.account_id = user_spans.account_id
            and spans.metric = 'seat ' || user_spans.user_id
            and spans.first_day <= user_spans.last_day
            and spans.last_day >= user_spans.first_day

    where spans.basis = 'as_known'

),

answers as (

    select spans.*

    from spans

    anti join colleagues
        on spans.account_id = colleagues.account_id and spans.thing = colleagues.user_id

    where spans.metric = 'nps_answers' and spans.first_day <= spans.last_day

),

answer_days as (

    select
        basis,
        account_id,
        first_day as day
    from answers
    union
    select
        basis,
        account_id,
        last_day + 1 as day
    from answers

),

answer_pieces as (

    select
        basis,
        account_id,
        day as first_day,
        lead(day) over (partition by basis, account_id order by day) - 1 as last_day

    from answer_days

),

answers_known as (

    -- The answers that are known between two days on which that changes.
    select
        answer_pieces.*,
        answers.value as score,
        answers.value_on,
        max(answers.value_on) over (
            partition by answer_pieces.basis, answer_pieces.account_id, answer_pieces.first_day
        ) as latest_on

    from answer_pieces

    inner join answers
        on
            answer_pieces.basis = answers.basis
            and answer_pieces.account_id = answers.account_id
            and answer_pieces.first_day between answers.first_day and answers.last_day

),

answers_counted as (

    -- Those whose day is at most 90 days before that of the latest one (spec 40).
    select
        basis,
        account_id,
        first_day,
        last_day,
        latest_on,
        count(*) as nps_answers,
        sum(score) as nps_score_sum,
        count(*) filter (where score >= 9) - count(*) filter (where score < 7) as nps_balance

    from answers_known

    where value_on >= latest_on - 90

    group by basis, account_id, first_day, last_day, latest_on

),

answer_measures as (

    select
        answers_counted.basis,
        answers_counted.account_id,
        measures.metric,
        cast(null as varchar) as thing,
        measures.value,
        measures.value_on,
        answers_counted.first_day,
        answers_counted.last_day

    from answers_counted,
        lateral (
            values
            ('nps_answers', answers_counted.nps_answers, null),
            ('nps_score_sum', answers_counted.nps_score_sum, null),
            ('nps_balance', answers_counted.nps_balance, null),
            ('last_nps_on', null, answers_counted.latest_on)
        ) as measures (metric, value, value_on)

),

final as (

    select * from spans

    where metric <> 'nps_answers' and not starts_with(metric, 'seat ') and first_day <= last_day

    union all by name

    select * from late

    union all by name

    select * from active_seats

    union all by name

    select * from answer_measures

)

select * from final
