-- What each index of deprivation says of London's LSOAs, in its own vintage, by its newest copy.
with newest as (
    select distinct on (dataset)
        load_id,
        dataset,
        dataset || ' ' || release_date || ' sha256:' || left(sha256, 8) as source_release
    from {{ ref('stg_ops__load') }}
    where source = 'mhclg'
    order by dataset asc, release_date desc, landed_at desc, load_id desc
),

published as (
    select
        '2011' as lsoa_vintage,
        2015 as residents_year,
        *
    from {{ ref('stg_mhclg__imd_2019') }}
    union all
    select
        '2021' as lsoa_vintage,
        2022 as residents_year,
        *
    from {{ ref('stg_mhclg__imd_2025') }}
),

london as (
    select
        newest.dataset as index_code,
        published.lsoa_vintage,
        published.lsoa_code,
        coalesce(lookup.area_code, published.district_code) as area_code,
        published.residents,
        published.residents_year,
        published.imd_rank,
        published.imd_decile,
        published.income_rank,
        published.income_decile,
        published.idaci_rank,
        published.idaci_decile,
        newest.source_release
    from published
    inner join newest on published.load_id = newest.load_id
    left join {{ ref('lsoa_borough') }} as lookup
        on
            published.lsoa_code = lookup.lsoa_code
            and case published.lsoa_vintage when '2011' then lookup.is_lsoa_2011 else lookup.is_lsoa_2021 end
    where coalesce(lookup.area_code, published.district_code) like 'E09%'
)

select
    london.index_code,
    domains.domain,
    london.lsoa_vintage,
    london.lsoa_code,
    london.area_code,
    london.residents,
    london.residents_year,
    domains.national_rank,
    (domains.national_decile + 1) / 2 as national_quintile,
    ntile(5) over (
        partition by london.index_code, domains.domain
        order by domains.national_rank asc, london.lsoa_code asc
    ) as london_quintile,
    london.source_release
from london
cross join
    lateral (
        values
        ('imd', london.imd_rank, london.imd_decile),
        ('income', london.income_rank, london.income_decile),
        ('idaci', london.idaci_rank, london.idaci_decile)
    ) as domains (domain, national_rank, national_decile)
where domains.national_rank is not null
