{# The words of subscriptions that decide what counts (spec 20, "Counts"); systems say them in many
   ways. A word that none of these is goes on as it landed, and counts as active. #}
{% macro subscription_word(status) -%}
    {%- set word -%}
        replace(replace(lower(trim({{ status }})), ' ', '_'), '-', '_')
    {%- endset -%}
    case
            when {{ word }} in ('trial', 'in_trial', 'on_trial', 'free_trial', 'trialling')
                then 'trialing'
            when {{ word }} in ('overdue', 'delinquent', 'in_dunning') then 'past_due'
            when {{ word }} in ('suspended', 'on_hold') then 'paused'
            when {{ word }} in ('churned', 'terminated') then 'canceled'
            when {{ word }} in ('expired', 'ended', 'completed', 'finished', 'closed', 'lapsed')
                then 'ended'
            else {{ word }}
        end
{%- endmacro %}

{# Whether a word says that it is over: it was cancelled, or it ended. #}
{% macro is_over(word) -%}
    {{ word }} in ('canceled', 'cancelled', 'ended')
{%- endmacro %}
