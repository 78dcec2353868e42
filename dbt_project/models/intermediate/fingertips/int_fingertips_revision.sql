-- An indicator is released by itself: its earlier editions are the earlier files that have it. A file says a cell once more where its parent is asked for
-- too: the first row speaks, as in int_fingertips_value.
with claims as (
    select
        present.indicator_id,
        present.load_id,
        load.dataset || ' ' || load.release_date || ' sha256:' || left(load.sha256, 8) as source_release,
        row_number() over newest_first as claim_number,
        count(*) over (partition by present.indicator_id) as claim_count
    from (select distinct
        indicator_id,
        load_id
    from {{ ref('stg_fingertips__data') }}) as present
    inner join {{ ref('stg_ops__load') }} as load on present.load_id = load.load_id
    window newest_first as (
        partition by present.indicator_id order by load.release_date desc, load.landed_at desc, load.sha256 desc
    )
),

earlier as (
    select distinct on (
        claims.load_id,
        data.indicator_id,
        data.area_code,
        data.published_sex,
        data.published_age,
        data.time_period_sortable,
        data.time_period
    )
        claims.claim_number,
        claims.claim_count,
        claims.source_release,
        data.indicator_id,
        data.area_code,
        data.published_sex,
        data.published_age,
        data.time_period_sortable,
        data.time_period,
        data.value
    from {{ ref('stg_fingertips__data') }} as data
    inner join claims on data.indicator_id = claims.indicator_id and data.load_id = claims.load_id
    where
        claims.claim_number > 1 and (claims.claim_number = 2 or claims.claim_number = claims.claim_count)
        and data.category_type = '' and data.category = '' and data.area_code is not null
    order by
        claims.load_id asc,
        data.indicator_id asc,
        data.area_code asc,
        data.published_sex asc,
        data.published_age asc,
        data.time_period_sortable asc,
        data.time_period asc,
        (data.parent_code is null) desc,
        data.row_number asc
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
from {{ ref('int_fingertips_measure') }} as newest
inner join earlier
    on
        newest.indicator_id = earlier.indicator_id
        and newest.area_code = earlier.area_code
        and newest.published_sex = earlier.published_sex
        and newest.published_age = earlier.published_age
        and newest.time_period_sortable = earlier.time_period_sortable
        and newest.time_period = earlier.time_period
cross join
    lateral (
        values ('previous', earlier.claim_number = 2), ('first', earlier.claim_number = earlier.claim_count)
    ) as roles (compared_with, is_so)
where roles.is_so and newest.value is distinct from earlier.value
