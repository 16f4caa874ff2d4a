{# Whether a row of `links` (stg_crm__account_links) says at an instant what a source's id of an
   account means: the latest known one that was valid then. #}
{% macro link_holds(link_source, instant) -%}
    links.link_source = '{{ link_source }}'
            and links.is_latest
            and (links.valid_from is null or {{ instant }} >= links.valid_from)
            and (links.valid_to is null or {{ instant }} < links.valid_to)
{%- endmacro %}
