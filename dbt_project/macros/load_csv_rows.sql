{% macro postgres__load_csv_rows(model, agate_table) %}
    {#-
        In place of dbt's own: a seed's rows in one statement with an array a column, where dbt writes a macro's worth of SQL for every cell,
        which took a fifth of a small build.
    -#}
    {% set chosen_types = model['config'].get('column_types', {}) %}
    {% set arrays, bindings = [], [] %}
    {% for name in agate_table.column_names %}
        {% do arrays.append('%s::' ~ chosen_types.get(name, adapter.convert_type(agate_table, loop.index0)) ~ '[]') %}
        {% do bindings.append(agate_table.columns[loop.index0].values() | list) %}
    {% endfor %}
    {% set statement %}
        insert into {{ this.render() }} ({{ get_seed_column_quoted_csv(model, agate_table.column_names) }})
        select * from unnest({{ arrays | join(', ') }})
    {% endset %}
    {% do adapter.add_query(statement, bindings=bindings, abridge_sql_log=True) %}
    {{ return(statement) }}
{% endmacro %}
