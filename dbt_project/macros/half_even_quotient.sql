{# numerator / denominator as DECIMAL(38, 0), rounded half-even, in exact integer arithmetic: a
   division through DOUBLE puts half cents on the wrong side. The denominator is positive. #}
{% macro half_even_quotient(numerator, denominator) -%}
    (
        sign({{ numerator }}) * (
            abs({{ numerator }}) // ({{ denominator }})
            + case
                when 2 * (abs({{ numerator }}) % ({{ denominator }})) > ({{ denominator }}) then 1
                when 2 * (abs({{ numerator }}) % ({{ denominator }})) < ({{ denominator }}) then 0
                else (abs({{ numerator }}) // ({{ denominator }})) % 2
            end
        )
    )
{%- endmacro %}
