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

{# Whether some day on which a version counts was over before the version was known, or was replaced:
   the others say nothing of what was known late. What was known only at or after the as-of instant
   tells of no day. #}
{% macro is_told_late(relation) -%}
    {{ relation }}.known_from < {{ as_of() }}
    and {{ known_day(
        'case when ' ~ relation ~ '.known_until < ' ~ as_of() ~ ' then ' ~ relation
        ~ '.known_until else ' ~ relation ~ '.known_from end'
    ) }} > {{ relation }}.first_day
{%- endmacro %}
