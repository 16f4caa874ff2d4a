-- One row per alert that ever opened, with the values that fired it.

with

source as (

    select * from {{ source('ledger', 'alerts') }}

),

renamed as (

    select
        alert_id,
        rule,
        rule_version,
        family,
        severity,
        account_id,
        scope,
        sentence,
        metric,
        value,
        value_text,
        threshold,
        held_since,
        opened_on,
        opened_at

    from source

)

select * from renamed
