{# A model of accounts with many days is made in shares of accounts, one statement each: sorts and
   joins of wide rows then fit in memory, whatever the number of accounts, and cost half the CPU of
   those that go by way of the disk.

   Such a model says `meta={'in_shares': true}`, counts its shares in a pre-hook (`share_out`) and
   makes its rows `where in_share(…)`; large inputs say so too, for speed, and views that only such
   models read: a run that fails in a share leaves its number behind. #}

{# How many shares there are: one for each million days of accounts that are due, and one more. #}
{% macro share_out(due, accounts) -%}
    set variable shares = (
        select
            cast(
                1 + coalesce(
                    sum(
                        greatest(
                            {{ as_of_day() }} - greatest(due.due_from, accounts.first_day), 0
                        )
                    ),
                    0
                ) // 1000000 as ubigint
            )
        from {{ due }} as due
        inner join {{ accounts }} as accounts on due.account_id = accounts.account_id
    )
{%- endmacro %}

{# The accounts of the share that is being made; all of them where none is, as in a unit test. #}
{% macro in_share(account_id) -%}
    coalesce(hash({{ account_id }}) % getvariable('shares') = getvariable('share'), true)
{%- endmacro %}

{# dbt's own, but for a model in shares: its table is made empty and filled share by share. #}
{% macro duckdb__create_table_as(
    temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none
) -%}
    {%- if not config.get('meta', {}).get('in_shares') -%}
        {{ return(dbt.duckdb__create_table_as(
            temporary, relation, compiled_code, language, partitioned_by, sorted_by
        )) }}
    {%- endif -%}
    {%- set target = relation.include(database=not temporary, schema=not temporary) -%}
    {%- set shares = run_query("select getvariable('shares')").rows[0][0] | int -%}
    create {{ 'temporary' if temporary }} table {{ target }}
    {%- if config.get('contract').enforced and not temporary %}
        {{ get_assert_columns_equivalent(compiled_code) }}
        {{ get_table_columns_and_constraints() }};
    {%- else %}
        as (select * from ({{ compiled_code }}) limit 0);
    {%- endif %}
    {%- for share in range(shares) %}
        set variable share = {{ share }};
        insert into {{ target }} by name ({{ compiled_code }});
    {%- endfor %}
    reset variable share;
{%- endmacro %}
