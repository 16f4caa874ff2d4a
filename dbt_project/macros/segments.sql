{# An attribute as a segment: an empty one is named. #}
{% macro segment(attribute) -%}
    coalesce(nullif(trim({{ attribute }}), ''), '(none)')
{%- endmacro %}
