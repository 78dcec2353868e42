{{ config(materialized='incremental', incremental_strategy='append', pre_hook='{{ forget_files_no_longer_loaded() }}') }}
-- Identical rows are separate incidents: rows are counted, never made distinct. Grouped before anything is looked up.
select
    street.load_id,
    street.lsoa_code,
    street.lsoa_name,
    street.published_crime_type,
    street.published_last_outcome,
    count(*) as row_count
from {{ ref('stg_police_uk__street_lsoa') }} as street
where
    -- Rows of a load that speaks no more may stand in raw until the release built from them is judged.
    street.load_id in (select load.load_id from {{ ref('stg_ops__load') }} as load)
    {% if is_incremental() %}
    and street.load_id not in (select counted.load_id from {{ this }} as counted)
    {% endif %}
group by street.load_id, street.lsoa_code, street.lsoa_name, street.published_crime_type, street.published_last_outcome
