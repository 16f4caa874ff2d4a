{# The grain: no two rows agree in these columns, and a failing row says in how many it stands. #}
{% test is_unique(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
