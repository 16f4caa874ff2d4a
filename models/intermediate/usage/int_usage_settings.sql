-- One row per build: what decides about the daily usage rows of every account alike. Where it reads
-- otherwise than when they were made, they are made anew.

{{ config(materialized='table') }}

with

watermarks as (

    select * from {{ ref('int_source_watermarks_daily') }}

),

modules as (

    select * from {{ ref('int_modules_known') }}

),

login_source as (

    select * from {{ ref('int_login_source') }}

),

reached as (

    select max(watermark_on) as watermark_on from watermarks

    where source_name = 'events'

),

core as (

    select md5(string_agg(module || '|' || feature, '|' order by module, feature)) as core_modules

    from modules

    where is_core

),

final as (

    select
        {{ as_of() }} as as_of,
        reached.watermark_on,
        login_source.has_logins,
        coalesce(core.core_modules, '') as core_modules,
        '{{ version_of("kept") }} {{ var("week_start", 1) }} {{ var("reporting_time_zone") }}'
            as version

    from reached

    cross join core

    cross join login_source

)

select * from final
