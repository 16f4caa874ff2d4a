{# Expressions over the values of an account's peers (spec 30, "Peers"): their least, lower
   quartile, median, upper quartile and greatest (quartiles 0 to 4), between two values in
   proportion, as quantile_cont has it. The account itself is left out: which two values matter to
   an account of the group hangs on its place in the group's order alone. #}

{# Per group, for each quartile the three values next to it: two of them matter to a member. #}
{% macro around_quartiles(sorted_values) -%}
    list_value(
            {%- for quartile in range(5) %}
            {%- set before = quartile ~ ' * (len(' ~ sorted_values ~ ') - 2) // 4' %}
            list_slice({{ sorted_values }}, {{ before }} + 1, {{ before }} + 3)
            {{- ',' if not loop.last }}
            {%- endfor %}
        )
{%- endmacro %}

{# A quartile of an account's `<peers>_accounts` others, NULL under 5 of them. `<peers>_place` is
   the account's place in the group; who stands in none has the quartiles of all
   (`<peers>_quartiles`). #}
{% macro peer_quartile(peers, quartile) -%}
    {%- set steps = quartile ~ ' * (' ~ peers ~ '_accounts - 1)' -%}
    {%- set around = peers ~ '_around[' ~ (quartile + 1) ~ ']' -%}
    case
            when {{ peers }}_accounts < 5 then null
            when {{ peers }}_place is null then {{ peers }}_quartiles[{{ quartile + 1 }}]
            else
                (
                    {{ around }}[
                        case when {{ steps }} // 4 + 1 < {{ peers }}_place then 1 else 2 end
                    ]
                    * (4 - {{ steps }} % 4)
                    + coalesce(
                        {{ around }}[
                            case when {{ steps }} // 4 + 2 < {{ peers }}_place then 2 else 3 end
                        ],
                        0
                    )
                    * ({{ steps }} % 4)
                )
                / 4
        end
{%- endmacro %}
