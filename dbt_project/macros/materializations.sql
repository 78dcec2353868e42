{#-
    Tables and views in place of dbt's own materializations, which create another relation, exchange the two and drop the first, and with a
    table every view of it. Half of dbt's time was that.

    A whole build begins with none (warehouse/build/transform.py), so a relation is created under its name. A build of what has changed is of
    the same code, so columns, comments and views are what they were, and a table is filled again where it is. dbt's own stays for a
    relation that a developer builds with --full-refresh.
-#}
{% materialization table, adapter='postgres' %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if existing is not none and (should_full_refresh() or not existing.is_table) -%}
        {{ return(dbt.materialization_table_default()) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ get_create_table_as_sql(False, target, sql) if existing is none else filled_again(target, sql) }}
    {%- endcall %}
    {% do create_indexes(target) %}
    {#- For add_declared_constraints: what each row must be is checked as it comes, and stands already. -#}
    {% do model.update({'is_refilled': existing is not none}) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {%- if existing is none %}
        {% do persist_docs(target, model) %}
    {%- endif %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization view, adapter='postgres' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- if load_cached_relation(this) is not none -%}
        {{ return(dbt.materialization_view_default()) }}
    {%- endif -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement('main') -%}
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% macro filled_again(relation, sql) -%}
    {#-
        The keys that add_declared_constraints and the indexes that create_indexes add when the rows stand are dropped, and the keys of other
        tables to this one: those are filled after it, and get theirs again. By name of the table pointed at, as they are added: two at once
        would wait for each other.
    -#}
do $$
declare
    command text;
begin
    for command in
        select format('alter table %s drop constraint %I', conrelid::regclass, conname)
        from pg_constraint
        where contype in ('p', 'u', 'f') and '{{ relation }}'::regclass in (conrelid, confrelid)
        order by contype <> 'f', confrelid::regclass::text
    loop
        execute command;
    end loop;
    for command in
        select format('drop index %s', indexrelid::regclass) from pg_index where indrelid = '{{ relation }}'::regclass
    loop
        execute command;
    end loop;
end
$$;
truncate {{ relation }};
insert into {{ relation }}
{% if model.config.contract.enforced -%}
    ({{ model.columns.keys() | join(', ') }}) {{ get_select_subquery(sql) }}
{%- else -%}
    {{ sql }}
{%- endif %}
{%- endmacro %}
