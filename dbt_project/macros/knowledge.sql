{# Expressions over rows of the account metrics (models/intermediate/accounts/int_metric_*): versions
   of things with the days on which they count (first_day, last_day; NULL goes on) and when they
   were known. #}

{# The days in whose rows a version counts: as_known from when it was known until another one was,
   restated as if it had always been known. #}
{% macro counted_days(relation) -%}
    case
            when bases.basis = 'restated' then {{ relation }}.first_day
            else greatest({{ relation }}.first_day, {{ known_day(relation ~ '.known_from') }})
        end as first_day,
        least(
            {{ relation }}.last_day,
            case
                when bases.basis = 'as_known' then {{ known_day(relation ~ '.known_until') }} - 1
            end,
            cast('9999-01-01' as date)
        ) as last_day
{%- endmacro %}

{# Since when the days on which a version counts are known as they are: of the one that is the latest
   as of now, since it was known, of an older one, since it was replaced; with the days before that.
   What was known only at or after the as-of instant tells of no day: its days end before 1900. #}
{% macro known_late(relation) -%}
    {%- set is_latest = relation ~ '.known_until >= ' ~ as_of() -%}
    {%- set known = known_day(relation ~ '.known_from') -%}
    {%- set settled %}case
            when {{ relation }}.known_from >= {{ as_of() }} then cast('1900-01-01' as date)
            when {{ is_latest }} then {{ known }}
            else {{ known_day(relation ~ '.known_until') }}
        end
    {%- endset -%}
    {{ settled }} as value_on,
        case
            when {{ is_latest }} then {{ relation }}.first_day
            else greatest({{ relation }}.first_day, {{ known }})
        end as first_day,
        least({{ relation }}.last_day, {{ settled }} - 1) as last_day
{%- endmacro %}
