{# What an item costs is kept exact, as whole units of 10^-12 (`picos`, HUGEINT) for `per_months`
   months, until it is rounded once, half-even (spec 00, "Numbers"). #}

{# numerator / denominator rounded half-even, to `digits` decimals, as DECIMAL(18, digits). Where a
   DOUBLE is far from the middle between two results it decides, since it is far faster than integers
   of 128 bits; near one, exact integers do. #}
{% macro rounded_amount(numerator, denominator, digits, quotient=none) -%}
    {%- set quotient = quotient or (
        'cast(' ~ numerator ~ ' as double) / cast(' ~ denominator ~ ' as double)'
    ) -%}
    {%- set units -%}
        case
                    when
                        abs({{ quotient }}) < 1e9
                        and abs(({{ quotient }}) - floor({{ quotient }}) - 0.5) > 1e-3
                        then cast(round({{ quotient }}) as bigint)
                    else cast({{ half_even_quotient(numerator, denominator) }} as bigint)
                end
    {%- endset -%}
    {{ decimal_of(units, digits) }}
{%- endmacro %}

{# Whole units of the last digit (BIGINT) as DECIMAL(18, digits). From a DOUBLE or 128 bits DuckDB
   makes a decimal several times slower. #}
{% macro decimal_of(units, digits) -%}
    cast(
            cast({{ units }} as decimal(18, 0))
            * cast(1e-{{ digits }} as decimal({{ digits + 1 }}, {{ digits }}))
            as decimal(18, {{ digits }})
        )
{%- endmacro %}

{# An amount of four decimals, and a price or rate of eight, as whole units of the last digit. A
   product of DuckDB's is no wider than what it is of: DECIMAL(18, 4) x 10000 ends at 10^10. #}
{% macro amount_units(amount) -%}
    cast(cast({{ amount }} as decimal(38, 4)) * 10000 as hugeint)
{%- endmacro %}

{% macro price_units(price) -%}
    cast(cast({{ price }} as decimal(38, 8)) * 100000000 as hugeint)
{%- endmacro %}

{# An amount in its own currency at a rate of eight decimals: DECIMAL(18, 2). #}
{% macro amount_at_rate(amount, rate) -%}
    {{ rounded_amount(
        amount_units(amount) ~ ' * ' ~ price_units(rate),
        'cast(10000000000 as hugeint)',
        2,
        'cast(' ~ amount ~ ' as double) * cast(' ~ rate ~ ' as double) * 100'
    ) }}
{%- endmacro %}

{# What part of an invoice is worth in the reporting currency: amount x worth / units, the amount in
   whole 0.0001, the worth in cents: DECIMAL(18, 2). Most balances are 0 and need no division. #}
{% macro share_of_worth(amount, worth, units) -%}
    case
            when {{ amount }} = 0 then 0
            else
                {{ rounded_amount(
                    amount_units(amount) ~ ' * ' ~ worth,
                    units,
                    2,
                    'cast(' ~ amount ~ ' as double) * cast(' ~ worth ~ ' as double) * 10000 / cast('
                    ~ units ~ ' as double)'
                ) }}
        end
{%- endmacro %}

{# The share of whole cents that lies in a part of a length, half-even: DECIMAL(18, 0). Nothing, and
   all of it, need no division. #}
{% macro share_of_cents(cents, part, length) -%}
    case
            when {{ cents }} = 0 or {{ part }} = 0 then 0
            when {{ part }} = {{ length }} then {{ cents }}
            else {{ rounded_amount('cast(' ~ cents ~ ' as hugeint) * ' ~ part, length, 0) }}
        end
{%- endmacro %}

{# A currency as rates and amounts name it, however a system writes its code. #}
{% macro currency_code(currency) -%}
    upper(trim({{ currency }}))
{%- endmacro %}

{# What a unit of a currency is worth in the reporting one, which has no rate of its own. #}
{% macro reporting_rate(currency, rate) -%}
    case when {{ currency }} = '{{ var("reporting_currency") }}' then 1 else {{ rate }} end
{%- endmacro %}

{# A month's amount in the original currency: DECIMAL(18, 4). #}
{% macro original_amount(picos, per_months) -%}
    {{ rounded_amount(picos, '(cast(100000000 as hugeint) * ' ~ per_months ~ ')', 4) }}
{%- endmacro %}

{# A month's amount in the reporting currency, at a rate of DECIMAL(…, 8): DECIMAL(18, 2). #}
{% macro reporting_amount(picos, per_months, rate) -%}
    {{ rounded_amount(
        picos ~ ' * ' ~ price_units(rate),
        '(cast(1000000000000000000 as hugeint) * ' ~ per_months ~ ')',
        2,
        'cast(' ~ picos ~ ' as double) * cast(' ~ rate ~ ' as double) / (10000000000 * '
        ~ per_months ~ ')'
    ) }}
{%- endmacro %}

{# The instant so many billing intervals after another one, by the local calendar: months are
   clamped, and their anchor day is kept (spec 00, "Time"). #}
{% macro billing_intervals_after(instant, billing_interval, intervals) -%}
    {%- set length -%}
        case {{ billing_interval }}
                when 'day' then to_days(cast({{ intervals }} as integer))
                when 'week' then to_days(cast(7 * {{ intervals }} as integer))
                when 'month' then to_months(cast({{ intervals }} as integer))
                when 'year' then to_months(cast(12 * {{ intervals }} as integer))
            end
    {%- endset -%}
    {{ instant_of(local_time(instant) ~ ' + ' ~ length) }}
{%- endmacro %}
