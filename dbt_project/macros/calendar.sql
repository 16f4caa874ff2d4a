{# Local weeks and fiscal periods (spec 00, "Time"): a week starts on `week_start` (1 is Monday, 7
   Sunday), a fiscal year in the month `fiscal_year_start_month`. #}

{# The first day of a local day's week. #}
{% macro week_of(day) -%}
    ({{ day }} - cast((isodow({{ day }}) + 7 - {{ var('week_start', 1) }}) % 7 as integer))
{%- endmacro %}

{# The first day of the fiscal quarter or year (`unit`) that a day falls in. #}
{% macro fiscal_period_of(unit, day) -%}
    cast(
            date_trunc(
                '{{ unit }}', {{ day }} - interval {{ var('fiscal_year_start_month', 1) - 1 }} month
            ) + interval {{ var('fiscal_year_start_month', 1) - 1 }} month as date
        )
{%- endmacro %}
