{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_files_no_longer_loaded() }}') }}
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
