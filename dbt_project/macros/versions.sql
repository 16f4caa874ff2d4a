{# Expressions over an entity table's versions, in the order of spec 10 ("Loading"): by updated_at
   (a full extract: by its delivery), then by load, then by row. A NULL _known_at means that the row
   was known when it happened, so it stands before every day that it can be asked for. #}

{% macro known_from() -%}
    coalesce(_known_at, cast('1900-01-01' as timestamp with time zone))
{%- endmacro %}

{% macro version_order(key) -%}
    partition by {{ key }} order by _version_at nulls first, _load_order, _row
{%- endmacro %}

{# The instant from which a later version is known; the end of time for the latest. #}
{% macro known_until(key) -%}
    coalesce(
        min(case when not _is_deleted then {{ known_from() }} end) over (
            {{ version_order(key) }} rows between 1 following and unbounded following
        ),
        cast('9999-12-31' as timestamp with time zone)
    )
{%- endmacro %}

{# The first instant of the day on which an id disappeared from a full extract, or NULL. #}
{% macro deleted_at(key) -%}
    case
        when lead(_is_deleted) over ({{ version_order(key) }})
            then {{ first_instant(known_day('lead(_version_at) over (' ~ version_order(key) ~ ')')) }}
    end
{%- endmacro %}
