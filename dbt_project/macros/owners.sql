{# Expressions over rows of an account and the accounts that they count under (`owners`, the model
   int_account_owners; an account that was never merged has no row there). A version counts under an
   owner while both are known. #}

{# Account, known_from, known_until and is_latest of a row under an owner. #}
{% macro under_owner(relation) -%}
    coalesce(owners.owner_id, {{ relation }}.account_id) as account_id,
        greatest({{ relation }}.known_from, owners.known_from) as known_from,
        least({{ relation }}.known_until, owners.known_until) as known_until,
        {{ relation }}.is_latest and coalesce(owners.is_latest, true) as is_latest
{%- endmacro %}

{# Whether there is an instant at which both the version and its owner are known. #}
{% macro is_told_under_owner(relation) -%}
    owners.account_id is null
        or greatest({{ relation }}.known_from, owners.known_from)
        < least({{ relation }}.known_until, owners.known_until)
{%- endmacro %}
