{#- A file's rows never change once it is loaded: what was counted of it in an earlier build stands, and only new files are read. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{% if is_incremental() %} delete from {{ this }} where load_id not in (select load_id from {{ ref('stg_ops__load') }}) {% endif %}"
) }}
-- depends_on: {{ ref('stg_ops__load') }}
-- Identical rows are separate incidents: rows are counted, never made distinct. Grouped before anything is looked up.
select
    street.load_id,
    street.lsoa_code,
    street.lsoa_name,
    street.published_crime_type,
    street.published_last_outcome,
    count(*) as row_count
from {{ ref('stg_police_uk__street_lsoa') }} as street
{% if is_incremental() %}
where street.load_id not in (select counted.load_id from {{ this }} as counted)
{% endif %}
group by street.load_id, street.lsoa_code, street.lsoa_name, street.published_crime_type, street.published_last_outcome
