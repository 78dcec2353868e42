-- The newest delivery that has a ward speaks for it. What its status does not let be used is unknown, not another delivery's.
with residents as (
    select distinct on (observations.published_area_code)
        observations.published_area_code as ward_code,
        case
            when
                coalesce(observations.status_code = 'A', observations.status_name = 'Normal Value', true)
                and coalesce(observations.confidentiality = 'F', true)
                then observations.published_value
        end as residents,
        left(coalesce(observations.date_code, observations.date_name), 4)::integer as residents_year
    from {{ ref('stg_nomis__census_ward_residents') }} as observations
    inner join {{ ref('stg_ops__load') }} as load on observations.load_id = load.load_id
    -- Of those who live in a household, or in a communal establishment, a file landed by hand may tell, too.
    where
        coalesce(observations.code_1 = '0', observations.name_1 like 'total%')
        and (observations.measures_code = '20100' or (observations.measures_code is null and observations.measures_name = 'value'))
    order by
        observations.published_area_code asc,
        load.release_date desc,
        load.landed_at desc,
        load.sha256 desc
)

select
    ward_code,
    residents::integer as residents,
    residents_year
from residents
where residents > 0
