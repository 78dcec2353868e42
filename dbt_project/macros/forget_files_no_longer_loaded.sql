{% macro forget_files_no_longer_loaded() -%}
    {#- A file's rows never change once it is loaded: what was counted of it in an earlier build stands, and only new files are read. -#}
    {% if is_incremental() %} delete from {{ this }} where load_id not in (select load_id from {{ ref('stg_ops__load') }}) {% endif %}
{%- endmacro %}
