{# Marts that keep what releases have shown: their table stays from run to run, and a run appends the
   days that it doesn't hold, so that one more day costs that day. What a run that no release came of
   had appended is taken out first, and what an earlier as-of must not show. #}

{# Before a run (pre_hook). A table that lacks a column of the model's is filled anew. #}
{% macro forget_unshown(history) -%}
    {%- if is_incremental() -%}
        {%- set kept = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
        delete from {{ this }}
        {%- if not model.columns | reject('in', kept) | list %}
        where day > (select coalesce(max(day), cast('1900-01-01' as date)) from {{ history }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{# The days that the table doesn't hold; all of them where there is none, as in a unit test. #}
{% macro not_kept() -%}
    {%- if this is not none and is_incremental() -%}
        day > (select coalesce(max(day), cast('1900-01-01' as date)) from {{ this }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{# The days of such a mart that a test is about: what was shown was tested before it was, so those
   that no release has shown, all of them before the first one. Where there are none the last day is
   tested again: a test passes over nothing only where nothing is. #}
{% macro days_to_test(mart, history) -%}
    select distinct day from {{ mart }}
    where
        day > (select coalesce(max(day), cast('1900-01-01' as date)) from {{ history }})
        or day = (select max(day) from {{ mart }})
{%- endmacro %}
