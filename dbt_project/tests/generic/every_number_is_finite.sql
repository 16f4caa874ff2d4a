{# Invariant 12: a division by zero is `inf` in DuckDB, and a not_null test passes on it. The DOUBLE
   columns are those of the model's contract. #}
{% test every_number_is_finite(model) %}
{%- set doubles = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model.identifier -%}
        {%- for column in node.columns.values() if column.data_type == 'double' -%}
            {%- do doubles.append('not isfinite(' ~ column.name ~ ')') -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif %}
select * from {{ model }} where {{ doubles | join(' or ') or 'false' }}
{% endtest %}
