{% macro postgres__persist_docs(relation, model, for_relation, for_columns) %}
    {#-
        In place of dbt's own: what a relation and its columns are, with unit, source and how they are to be handled, in one statement. dbt's asks first which columns
        there are, so that it may pass over a described one that is not there (here that is an error), and took a sixth of a small build.
    -#}
    {% set comments = [] %}
    {% set name_of_relation = relation.render() %}
    {% if for_relation and config.persist_relation_docs() and model.description %}
        {% set text = (model.description.strip() ~ ' ' ~ handling_in_words(model.config.meta, whole=true)).strip() %}
        {% do comments.append('comment on ' ~ relation.type ~ ' ' ~ name_of_relation ~ " is '" ~ text.replace("'", "''") ~ "'") %}
    {% endif %}
    {% if for_columns and config.persist_column_docs() %}
        {% for name, column in model.columns.items() if column.description %}
            {% set meta = column.config.meta or {} %}
            {% set text = column.description.strip()
                ~ (' Unit ' ~ meta.unit ~ '.' if meta.unit else '') ~ (' Source ' ~ meta.source ~ '.' if meta.source else '')
                ~ handling_in_words(meta, whole=false) %}
            {% do comments.append('comment on column ' ~ name_of_relation ~ '.' ~ name ~ " is '" ~ text.replace("'", "''") ~ "'") %}
        {% endfor %}
    {% endif %}
    {% if comments %}
        {% do run_query(comments | join(';\n')) %}
    {% endif %}
{% endmacro %}


{% macro handling_in_words(meta, whole) %}
    {#- A relation says all of it, a column what differs. The words: ingest/declaration/handling.py. -#}
    {%- set said = [] -%}
    {%- for key, word in [
        ('classification', 'Classification'), ('legal_gateway', 'Gateway'), ('istv_level', 'ISTV level'), ('personal_data', 'Personal data'),
        ('special_category', 'Special category'), ('retention_days', 'Retention in days'), ('publish_rule', 'Publish rule'),
    ] -%}
        {%- if key in meta -%}{%- do said.append(word ~ ' ' ~ meta[key]) -%}{%- endif -%}
    {%- endfor -%}
    {%- if said -%}{{ ('' if whole else ' ') ~ said | join('; ') ~ '.' }}{%- endif -%}
{% endmacro %}
