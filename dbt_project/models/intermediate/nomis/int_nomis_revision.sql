-- Values alone: what they are computed from moves with them.
with claims as (
    select
        meant.measure_code,
        observations.area_code,
        observations.period_kind,
        observations.period_start_date,
        meant.sex,
        meant.age_band,
        meant.ethnicity,
        case when observations.is_normal then observations.published_value end as value,
        observations.source_release,
        row_number() over (
            cell order by observations.release_date desc, observations.landed_at desc, observations.sha256 desc
        ) as claim_number,
        count(*) over (cell) as claim_count
    from {{ ref('int_nomis_observation') }} as observations
    inner join {{ ref('int_nomis_cell') }} as meant on observations.cell = meant.cell
    where meant.measure_code is not null and observations.part = 'value'
    window cell as (
        partition by
            meant.measure_code,
            observations.area_code,
            observations.period_kind,
            observations.period_start_date,
            meant.sex,
            meant.age_band,
            meant.ethnicity
    )
)

select
    newest.measure_code,
    newest.area_code,
    newest.period_kind,
    newest.period_start_date,
    newest.sex,
    newest.age_band,
    newest.ethnicity,
    roles.compared_with,
    earlier.source_release as earlier_release,
    earlier.value as earlier_value,
    newest.source_release,
    newest.value
from claims as newest
inner join claims as earlier
    on
        newest.measure_code = earlier.measure_code
        and newest.area_code = earlier.area_code
        and newest.period_kind = earlier.period_kind
        and newest.period_start_date = earlier.period_start_date
        and newest.sex = earlier.sex
        and newest.age_band = earlier.age_band
        and newest.ethnicity = earlier.ethnicity
cross join
    lateral (
        values ('previous', earlier.claim_number = 2), ('first', earlier.claim_number = earlier.claim_count)
    ) as roles (compared_with, is_so)
where newest.claim_number = 1 and earlier.claim_number > 1 and roles.is_so and newest.value is distinct from earlier.value
