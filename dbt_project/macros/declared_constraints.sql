{% macro postgres__get_table_columns_and_constraints() -%}
    {#-
        Keys are left out of CREATE TABLE and added when the rows stand (add_declared_constraints): checked as a whole and not row by row,
        which for the fact table is the difference between a second and ten.
    -#}
    ({{ adapter.render_raw_columns_constraints(raw_columns=model['columns']) | join(', ') }})
{%- endmacro %}

{% macro add_declared_constraints() -%}
    {#- A foreign key locks the table it points at. Every table locks them in one order, by name, or two built at once wait for each other. -#}
    {%- set constraints = [] -%}
    {%- for constraint in model['constraints'] if constraint['type'] == 'not_null' -%}
        {%- for column in constraint['columns'] -%}
            {%- do constraints.append(['', 'alter ' ~ column ~ ' set not null']) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set others = model['constraints'] | rejectattr('type', 'eq', 'not_null') | list -%}
    {%- if model.get('is_refilled') -%}
        {%- set others = others | rejectattr('type', 'eq', 'check') | list -%}
    {%- endif -%}
    {%- for constraint in adapter.render_raw_model_constraints(raw_constraints=others) -%}
        {%- do constraints.append([constraint.partition(' references ')[2], 'add ' ~ constraint]) -%}
    {%- endfor -%}
    {#- NaN is greater than every number in PostgreSQL, and infinity is one: what is divided by nothing must not look like a figure. -#}
    {%- set finite = [] -%}
    {%- for name, column in model['columns'].items() if (column.data_type or '').startswith(('double precision', 'numeric')) -%}
        {%- do finite.append(name ~ " < 'Infinity' and " ~ name ~ " > '-Infinity'") -%}
    {%- endfor -%}
    {%- if finite and not model.get('is_refilled') -%}
        {%- do constraints.append(['', 'add constraint ' ~ this.identifier ~ '_is_finite check (' ~ finite | join(' and ') ~ ')']) -%}
    {%- endif -%}
    {#- A table that is added to has them from when it was made. -#}
    {%- if constraints and config.get('materialized') != 'view' and not is_incremental() -%}
        alter table {{ this }} {% for _, constraint in constraints | sort %}{{ constraint }}{{ ', ' if not loop.last }}{% endfor %}
    {%- endif -%}
{%- endmacro %}

{% macro gather_statistics() -%}
    {#- CREATE TABLE AS gathers none, and the joins of the next model are planned from them. A view has none. -#}
    {%- if config.get('materialized') != 'view' -%} analyze {{ this }} {%- endif -%}
{%- endmacro %}
