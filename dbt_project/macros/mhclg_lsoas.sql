{% macro mhclg_lsoas(relation) -%}
    {#- An index of deprivation by LSOA, cast. Some copies write whole numbers as 5.0, some leave columns out. -#}
    select
        _load_id as load_id,
        lsoa_code,
        nullif(lsoa_name, '') as lsoa_name,
        nullif(lad_code, '') as district_code,
        imd_rank::numeric::integer as imd_rank,
        imd_decile::numeric::integer as imd_decile,
        income_rank::numeric::integer as income_rank,
        income_decile::numeric::integer as income_decile,
        nullif(idaci_rank, '')::numeric::integer as idaci_rank,
        nullif(idaci_decile, '')::numeric::integer as idaci_decile,
        nullif(residents, '')::numeric::integer as residents
    from {{ relation }}
{%- endmacro %}
