{% macro postgres__persist_docs(relation, model, for_relation, for_columns) %}
    {#-
        In place of dbt's own: what a relation and its columns are, with unit and source, in one statement. dbt's asks first which columns
        there are, so that it may pass over a described one that is not there (here that is an error), and took a sixth of a small build.
    -#}
    {% set comments = [] %}
    {% set name_of_relation = relation.render() %}
    {% if for_relation and config.persist_relation_docs() and model.description %}
        {% do comments.append('comment on ' ~ relation.type ~ ' ' ~ name_of_relation ~ " is '" ~ model.description.replace("'", "''") ~ "'") %}
    {% endif %}
    {% if for_columns and config.persist_column_docs() %}
        {% for name, column in model.columns.items() if column.description %}
            {% set meta = column.config.meta or {} %}
            {% set text = column.description.strip()
                ~ (' Unit ' ~ meta.unit ~ '.' if meta.unit else '') ~ (' Source ' ~ meta.source ~ '.' if meta.source else '') %}
            {% do comments.append('comment on column ' ~ name_of_relation ~ '.' ~ name ~ " is '" ~ text.replace("'", "''") ~ "'") %}
        {% endfor %}
    {% endif %}
    {% if comments %}
        {% do run_query(comments | join(';\n')) %}
    {% endif %}
{% endmacro %}
