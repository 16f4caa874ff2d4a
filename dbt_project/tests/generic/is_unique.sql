{# The grain: no two rows agree in these columns, and a failing row says in how many it stands.
   Of a mart that keeps what releases have shown, `shown` is their history, and its day is part of
   the grain: the days are tested once (macros/shown.sql). #}
{% test is_unique(model, columns, shown=none) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
{% if shown is not none -%}
where day in ({{ days_to_test(model, shown) }})
{% endif -%}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
