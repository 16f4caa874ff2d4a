{# Expressions over an entity table's versions, in the order of spec 10 ("Loading"): by updated_at
   (a full extract: by its delivery), then by load, then by row. A NULL _known_at means that the row
   was known when it happened, so it stands before every day that it can be asked for. #}

{# Whether a version is from before the as-of instant: by its updated_at where that orders versions,
   else (a full extract, a row without updated_at) by its delivery. A version of tomorrow changes
   nothing (spec 00, invariant 13). Staging models have it as _is_told. #}
{% macro is_told(updated_at=none) -%}
    {%- set delivered -%}
        coalesce(coalesce(_version_at, _known_at) <= {{ as_of() }}, true)
    {%- endset -%}
    {%- if updated_at -%}
        case
            when {{ updated_at }} = _version_at then {{ updated_at }} < {{ as_of() }}
            else {{ delivered }}
        end
    {%- else -%}
        {{ delivered }}
    {%- endif -%}
{%- endmacro %}

{# Whether a version counts: told by the as-of instant, or the first one that there is, whose
   attributes stand for the time before it (spec 00, "What dates a row"). #}
{% macro counts(key) -%}
    _is_told or row_number() over ({{ version_order(key) }}) = 1
{%- endmacro %}

{% macro known_from() -%}
    coalesce(_known_at, cast('1900-01-01' as timestamp with time zone))
{%- endmacro %}

{% macro version_order(key) -%}
    partition by {{ key }} order by _version_at nulls first, _load_order, _row
{%- endmacro %}

{# The instant from which a later version that counts is known; the end of time for the latest. #}
{% macro known_until(key) -%}
    coalesce(
        min(case when _is_told and not _is_deleted then {{ known_from() }} end) over (
            {{ version_order(key) }} rows between 1 following and unbounded following
        ),
        cast('9999-12-31' as timestamp with time zone)
    )
{%- endmacro %}

{# The first instant of the day on which an id disappeared from a full extract, or NULL. #}
{% macro deleted_at(key) -%}
    case
        when lead(_is_told and _is_deleted) over ({{ version_order(key) }})
            then {{ first_instant(known_day('lead(_version_at) over (' ~ version_order(key) ~ ')')) }}
    end
{%- endmacro %}
