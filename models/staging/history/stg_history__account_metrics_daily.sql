-- One row per account per local day that an audited release has shown: written once, never changed.

with

source as (

    select * from {{ source('history', 'account_metrics_daily') }}

    where day < {{ as_of_day() }}

),

renamed as (

    -- Before the first release the history has no metric yet, one of an older release not all.
    select cast(null as bigint) as past_due_days

    where false

    union all by name

    select * from source

)

select * from renamed
