-- One row per module and feature: of the catalogue (seeds/module_catalogue.csv), or that an event
-- named. The package is the catalogue's word, else the one that events named first. `(none)` is
-- what an event does not name. What nobody ever used is offered where the catalogue is this
-- product's: where some event named a feature that it lists in the package. The one that we ship is
-- the sample's, and another product may have a package of the same name.

{{ config(materialized='table') }}

with

catalogue as (

    select * from {{ ref('module_catalogue') }}

),

seen as (

    select * from {{ ref('int_features_seen') }}

),

seen_features as (

    select
        module,
        feature,
        min_by(package, struct_pack(day := first_seen_on, package := package)) filter (
            where package <> '(none)'
        ) as package,
        min(first_seen_on) as first_seen_on

    from seen

    group by module, feature

),

final as (

    select
        coalesce(catalogue.module, seen_features.module) as module,
        coalesce(catalogue.feature, seen_features.feature) as feature,
        coalesce(catalogue.package, seen_features.package, '(none)') as package,
        coalesce(catalogue.is_core, false) as is_core,
        catalogue.module is not null as is_in_catalogue,
        bool_or(seen_features.first_seen_on is not null) over (
            partition by catalogue.package
        ) as is_offered,
        seen_features.first_seen_on

    from catalogue

    full join seen_features
        on
            catalogue.module = seen_features.module
            and catalogue.feature = seen_features.feature

)

select * from final
