{# Whether a ticket's word, in small letters, says that it is open. #}
{% macro is_open_word(status) -%}
    {{ status }} in ('new', 'open', 'pending', 'on hold', 'on_hold', 'on-hold', 'hold')
{%- endmacro %}

{# Whether it says that it is solved. #}
{% macro is_solved_word(status) -%}
    {{ status }} in ('solved', 'resolved', 'closed')
{%- endmacro %}
