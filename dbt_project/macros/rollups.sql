{# Statements around the usage rollups (models/intermediate/usage/rollups), which keep what they hold
   and make anew the days that are due. State that one run leaves to the next stands in the schema
   `rollups`: a `ref` to it would be a circle. #}

{# What the SQL of the models with a tag is. Where that of `rollup` changes (from raw events to the
   rollups and what is published of them), every day that still has its events is made anew; where
   that of `kept` does (from there to an account's daily rows), every day. #}
{% macro version_of(tag) -%}
    {%- set checksums = [] -%}
    {%- if execute -%}
        {%- for node in graph.get('nodes', {}).values() if tag in node.tags -%}
            {%- do checksums.append(node.checksum.checksum) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- local_md5(checksums | sort | join(' ')) -}}
{%- endmacro %}

{# Takes the days that are due out of a rollup, in the transaction that puts them in again. #}
{% macro forget_days(days) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where (account_id, day) in (select account_id, day from {{ days }})
    {%- endif -%}
{%- endmacro %}

{# The same for a rollup by month: the months of the days that are due. #}
{% macro forget_months(days) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where (account_id, month) in (
            select account_id, cast(date_trunc('month', day) as date) from {{ days }}
        )
    {%- endif -%}
{%- endmacro %}

{# The same for rows by day, week or month from which on an account's are made anew. #}
{% macro forget_from_due(due, period) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where not exists (
            select 1 from {{ due }} as due
            where due.account_id = {{ this }}.account_id and {{ this }}.{{ period }} < due.due_from
        )
    {%- endif -%}
{%- endmacro %}

{# Lets int_events_linked read the events of these days alone, and of so many days before them. #}
{% macro read_events_of(days, before=0) -%}
    set variable events_from = (
        select coalesce({{ first_instant('min(day) - ' ~ before) }}, 'infinity') from {{ days }}
    );
    set variable events_until = (
        select coalesce({{ first_instant('max(day) + 1') }}, '-infinity') from {{ days }}
    )
{%- endmacro %}

{% macro read_all_events() -%}
    reset variable events_from;
    reset variable events_until
{%- endmacro %}

{# What a later run must begin with if this one does not get to its end. #}
{% macro note_days_begun() -%}
    insert into {{ source('rollups', 'days_begun').render() }}
    select account_id, day from {{ this }}
    except
    select account_id, day from {{ source('rollups', 'days_begun') }}
{%- endmacro %}

{% macro note_accounts_begun() -%}
    insert into {{ source('rollups', 'accounts_begun').render() }}
    select account_id, due_from from {{ this }}
    except
    select account_id, due_from from {{ source('rollups', 'accounts_begun') }}
{%- endmacro %}

{# An identification whose day is made anew may be gone; where it is not, one row of it is enough. #}
{% macro forget_identifications(days) -%}
    {%- if is_incremental() -%}
        update {{ this }} set is_gone = true
        where (account_id, day) in (select account_id, day from {{ days }})
    {%- endif -%}
{%- endmacro %}

{% macro forget_what_is_not_gone() -%}
    delete from {{ this }}
    where
        is_gone
        and (account_id, anonymous_id, user_id, identified_at) in (
            select (account_id, anonymous_id, user_id, identified_at)
            from {{ this }}
            where not is_gone
        )
{%- endmacro %}
