-- One row per module and feature: of the catalogue (seeds/module_catalogue.csv), or that an event
-- named.

with

modules as (

    select * from {{ ref('int_modules_known') }}

),

final as (

    select
        module,
        feature,
        package,
        is_core,
        is_in_catalogue,
        first_seen_on

    from modules

)

select * from final
