{# Expressions of time. The day is `as_of()`: no model asks the clock (spec 00, "Time"). #}

{# The as-of instant: the variable, else the environment's, which parsing does not read, so that a
   new day needs no new parse (dbt parses everything anew when a variable changes). #}
{% macro as_of() -%}
    {%- set standing_alone = "2026-07-01T00:00:00+00:00" -%}
    {%- set told = env_var("CSW_AS_OF", standing_alone) if execute else standing_alone -%}
    cast('{{ var("as_of", told) }}' as timestamp with time zone)
{%- endmacro %}

{# The local day that an instant falls on, in the reporting time zone. #}
{% macro local_day(instant) -%}
    cast(({{ instant }}) at time zone '{{ var("reporting_time_zone") }}' as date)
{%- endmacro %}

{# The first instant of a local day. #}
{% macro first_instant(day) -%}
    (cast({{ day }} as timestamp) at time zone '{{ var("reporting_time_zone") }}')
{%- endmacro %}

{# The as-of day: the last full day is the one before it. #}
{% macro as_of_day() -%}
    {{ local_day(as_of()) }}
{%- endmacro %}

{# A happening at or after the as-of instant has not happened yet (spec 00, "What dates a row"). #}
{% macro happened(instant) -%}
    case when {{ instant }} < {{ as_of() }} then {{ instant }} end
{%- endmacro %}

{# The first daily row that may use what is known from an instant: the row of day d uses what is
   known at the first instant of d + 1. Also the last day whose end lies at or before an instant. #}
{% macro known_day(instant) -%}
    {{ local_day(instant ~ ' - interval 1 microsecond') }}
{%- endmacro %}

{# Whether the month of the last full day is not over at the as-of instant; no earlier month is. #}
{% macro as_of_month_is_partial() -%}
    (
        {{ first_instant("date_trunc('month', " ~ as_of_day() ~ " - 1) + interval 1 month") }}
        > {{ as_of() }}
    )
{%- endmacro %}

{# The same for models of millions of rows: DuckDB asks a calendar of time zones for every row, a
   fifth of a microsecond each, which in UTC plain arithmetic on microseconds answers. What has no
   microseconds (infinity) is asked all the same. Whether it is UTC is folded when the query is
   planned. Models that another engine reads too (`rollup`) have the plain words above. #}
{% macro local_time(instant, less=0) -%}
    {%- set earlier = instant ~ ' - interval ' ~ less ~ ' microsecond' if less else instant -%}
    case
            when '{{ var("reporting_time_zone") }}' = 'UTC'
                then
                    coalesce(
                        make_timestamp(epoch_us({{ instant }}){{ ' - ' ~ less if less }}),
                        ({{ earlier }}) at time zone 'UTC'
                    )
            else ({{ earlier }}) at time zone '{{ var("reporting_time_zone") }}'
        end
{%- endmacro %}

{# The first day of the local month that an instant falls in. #}
{% macro local_month(instant) -%}
    cast(date_trunc('month', cast({{ local_time(instant) }} as date)) as date)
{%- endmacro %}

{# The first day of the local month in which something last held that ends at an instant. #}
{% macro known_month(instant) -%}
    cast(date_trunc('month', cast({{ local_time(instant, less=1) }} as date)) as date)
{%- endmacro %}

{# The instant at which local clocks show a time. #}
{% macro instant_of(time) -%}
    case
            when '{{ var("reporting_time_zone") }}' = 'UTC'
                then
                    coalesce(
                        make_timestamptz(epoch_us({{ time }})), ({{ time }}) at time zone 'UTC'
                    )
            else ({{ time }}) at time zone '{{ var("reporting_time_zone") }}'
        end
{%- endmacro %}

{# The first instant of a local month. #}
{% macro month_instant(month) -%}
    {{ instant_of('cast(' ~ month ~ ' as timestamp)') }}
{%- endmacro %}

{# The instant from which what was always so is dated: before the first day of 1900, the earliest that
   rows may be dated, has begun anywhere. #}
{% macro since_ever() -%}
    cast('1899-12-31' as timestamp with time zone)
{%- endmacro %}
