-- One row per metric: made from the `meta` of each column of the YAML of account_metrics_daily and
-- account_kpis_daily, so that a metric is a column and its YAML and nothing else. Read at compile
-- time from dbt's own graph.

{{ config(schema='meta') }}

{%- set metrics = [] -%}
{%- if execute -%}
    {%- for mart in ['account_metrics_daily', 'account_kpis_daily'] -%}
        {%- for column in graph.nodes['model.customer_success.' ~ mart].columns.values() -%}
            {%- set meta = column.config.meta or column.meta -%}
            {%- if meta.metric -%}
                {%- do metrics.append((mart, column.name, column.description, meta.metric)) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif %}

with

final as (

    {% for mart, name, definition, metric in metrics -%}
    select
        '{{ name }}' as metric,
        {{ loop.index }} as position,
        '{{ metric.name }}' as name,
        '{{ definition | replace("'", "''") | trim }}' as definition,
        '{{ metric.unit }}' as unit,
        '{{ metric.direction }}' as direction,
        'account' as entity,
        '{{ mart }}' as source_mart,
        '{{ metric.source }}' as source_name,
        {{ metric.warm_up_days }} as warm_up_days,
        {{ metric.is_non_additive | lower }} as is_non_additive
    {{ 'union all' if not loop.last }}
    {% else -%}
    select
        '' as metric,
        0 as position,
        '' as name,
        '' as definition,
        '' as unit,
        '' as direction,
        '' as entity,
        '' as source_mart,
        '' as source_name,
        0 as warm_up_days,
        false as is_non_additive
    where false
    {%- endfor %}

)

select * from final
