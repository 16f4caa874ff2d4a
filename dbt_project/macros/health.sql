{# Expressions of how a value is judged; spec 50, "Profiles and conditions". #}

{# The score of a value under a condition's kind, direction and edges: NULL without a value. A band
   holds its lower edge; `linear` runs from 0 to 100 between the edges and is clamped. `of` is the
   condition's relation with its dot, where there is more than one. #}
{% macro health_score(value, of='') -%}
    case
            when {{ value }} is null then null
            when {{ of }}kind = 'linear' then cast(
                100 * least(
                    greatest(
                        case
                            when {{ of }}direction = 'higher'
                                then {{ value }} - {{ of }}lower_edge
                            else {{ of }}upper_edge - {{ value }}
                        end
                        / ({{ of }}upper_edge - {{ of }}lower_edge),
                        0
                    ),
                    1
                ) as decimal(9, 6)
            )
            else cast(
                abs(
                    case when {{ of }}direction = 'higher' then 0 else 100 end
                    - 50 * cast({{ value }} >= {{ of }}lower_edge as integer)
                    - 50 * cast({{ value }} >= {{ of }}upper_edge as integer)
                ) as decimal(9, 6)
            )
        end
{%- endmacro %}

{# The state that a score has by a profile's edges; an edge belongs to the better state. #}
{% macro health_state(score, of='') -%}
    case
            when {{ score }} >= {{ of }}good_from then 'good'
            when {{ score }} >= {{ of }}average_from then 'average'
            when {{ score }} is not null then 'poor'
        end
{%- endmacro %}

{# Whether a metric's value is on the side of a threshold that an operator names; never where it is
   missing. #}
{% macro is_on_side(value, of) -%}
    coalesce(
            case {{ of }}.operator
                when 'at_least' then {{ value }} >= cast({{ of }}.value as double)
                when 'at_most' then {{ value }} <= cast({{ of }}.value as double)
                when 'above' then {{ value }} > cast({{ of }}.value as double)
                when 'below' then {{ value }} < cast({{ of }}.value as double)
            end,
            false
        )
{%- endmacro %}

{# States in order, from 1 to 3; NULL for unknown. #}
{% macro state_rank(state) -%}
    list_position(['poor', 'average', 'good'], {{ state }})
{%- endmacro %}

{# A number as a reason words it: a ratio in per cent, anything else without needless decimals, and
   a million with its digits. #}
{% macro worded(value, unit) -%}
    case
            when {{ unit }} = 'ratio'
                then cast(cast(round({{ value }} * 100) as bigint) as varchar) || ' %'
            when abs({{ value }}) >= 100000 then format('{:.0f}', cast({{ value }} as double))
            else format('{:g}', cast({{ value }} as double))
        end
{%- endmacro %}

{# The settings of seeds/renewal_risk_settings.csv in one row, a column each. #}
{% macro renewal_risk_settings() -%}
    {{ _in_one_row(ref('renewal_risk_settings'), [
        'health_points', 'slope_points', 'slope_from', 'slope_to', 'overdue_points',
        'overdue_days', 'touch_points', 'touch_days', 'near_days', 'far_days', 'far_share',
        'medium_from', 'high_from',
    ]) }}
{%- endmacro %}

{# The settings of seeds/expansion_settings.csv in one row, a column each. #}
{% macro expansion_settings() -%}
    {{ _in_one_row(ref('expansion_settings'), [
        'health_points', 'score_from', 'limit_points', 'limit_ratio', 'people_points',
        'contacts_from', 'departments_from', 'flagged_from',
    ]) }}
{%- endmacro %}

{% macro _in_one_row(seed, names) -%}
    select
        {%- for name in names %}
            max(value) filter (where setting = '{{ name }}') as {{ name }}
            {{- "," if not loop.last }}
        {%- endfor %}

    from {{ seed }}
{%- endmacro %}

{# The points of renewal risk before the distance of the renewal is counted, from an account's day of
   health and metrics and the settings of seeds/renewal_risk_settings.csv; NULL without a score. #}
{% macro renewal_risk_points(health, metrics, settings) -%}
    {{ renewal_risk_from_health(health, settings) }}
        + cast({{ renewal_risk_from_slope(health, settings) }} as decimal(9, 6))
        + case when {{ is_long_overdue(metrics, settings) }} then {{ settings }}.overdue_points
        else 0 end
        + case when {{ is_out_of_touch(metrics, settings) }} then {{ settings }}.touch_points
        else 0 end
{%- endmacro %}

{# The band of such points, by the settings beside them; NULL without points. #}
{% macro renewal_risk_band(points) -%}
    case
            when {{ points }} >= high_from then 'high'
            when {{ points }} >= medium_from then 'medium'
            when {{ points }} is not null then 'low'
        end
{%- endmacro %}

{# In decimals throughout: a score of six digits lies half way between two points of six. #}
{% macro renewal_risk_from_health(health, settings) -%}
    cast(
            cast({{ settings }}.health_points as decimal(9, 6))
            * cast(100 - {{ health }}.score as decimal(9, 6)) * 0.01 as decimal(9, 6)
        )
{%- endmacro %}

{% macro renewal_risk_from_slope(health, settings) -%}
    {{ settings }}.slope_points * least(
            greatest(
                ({{ settings }}.slope_from - coalesce(28 * {{ health }}.slope, 0))
                / ({{ settings }}.slope_from - {{ settings }}.slope_to),
                0
            ),
            1
        )
{%- endmacro %}

{# What the distance of a renewal leaves of the points: all of them up to near_days before it, then
   less and less; NULL beyond far_days and without a renewal. #}
{% macro renewal_proximity(days, settings) -%}
    case
            when {{ days }} <= {{ settings }}.near_days then 1
            when {{ days }} <= {{ settings }}.far_days
                then
                    1
                    - (1 - {{ settings }}.far_share)
                    * ({{ days }} - {{ settings }}.near_days)
                    / ({{ settings }}.far_days - {{ settings }}.near_days)
        end
{%- endmacro %}

{% macro is_long_overdue(metrics, settings) -%}
    coalesce({{ metrics }}.days_overdue > {{ settings }}.overdue_days, false)
{%- endmacro %}

{# Who has been a customer for longer than that and was never in touch has not been lately. #}
{% macro is_out_of_touch(metrics, settings) -%}
    coalesce(
            {{ metrics }}.days_since_last_touch >= {{ settings }}.touch_days,
            {{ metrics }}.interactions_30d is not null
            and {{ metrics }}.tenure_days >= {{ settings }}.touch_days,
            false
        )
{%- endmacro %}

{# The band of a condition's score: its own steps, of a linear one by the profile's edges. #}
{% macro health_band(score, kind, of='') -%}
    case
            when {{ kind }} = 'linear' then {{ health_state(score, of) }}
            when {{ score }} = 100 then 'good'
            when {{ score }} = 50 then 'average'
            when {{ score }} = 0 then 'poor'
        end
{%- endmacro %}

{# numerator / denominator, decimals of six or twelve digits and not below 0, as DECIMAL(9, 6), half
   away from zero; NULL of nothing. In whole numbers: a DOUBLE falls to either side of a half. #}
{% macro ratio_of_six_digits(numerator, denominator, digits) -%}
    {%- set above, below = whole_units(numerator, digits), whole_units(denominator, digits) -%}
    {%- set millionths -%}
        (2000000 * {{ above }} + {{ below }}) // nullif(2 * {{ below }}, 0)
    {%- endset -%}
    cast({{ decimal_of(millionths, 6) }} as decimal(9, 6))
{%- endmacro %}

{# A decimal in units of its last digit; 128 bits, several times slower, only where 64 are too few. #}
{% macro whole_units(value, digits) -%}
    {%- if digits == 6 -%}
        cast(cast({{ value }} as decimal(18, 6)) * 1000000 as bigint)
    {%- else -%}
        cast(cast({{ value }} as decimal(38, 12)) * 1000000000000 as hugeint)
    {%- endif -%}
{%- endmacro %}
