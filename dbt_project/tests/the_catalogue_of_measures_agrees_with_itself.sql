-- A proxy says of what and why; a rate says of whom; a word of London's definition is one of its words.
with said as (
    select
        measure_code,
        exactness,
        proxy_of,
        proxy_reason,
        rate_per,
        denominator_population,
        string_to_array(definition_part, ', ') as parts,
        string_to_array(definition_lens, ', ') as lenses
    from {{ ref('measures') }}
)

select
    measure_code,
    'is a proxy and does not say of what' as wrong
from said
where exactness = 'proxy' and proxy_of is null
union all
select
    measure_code,
    'says only one of proxy_of and proxy_reason' as wrong
from said
where (proxy_of is null) <> (proxy_reason is null)
union all
select
    measure_code,
    'says only one of rate_per and denominator_population, or no sex and age band' as wrong
from said
where
    (rate_per is null) <> (denominator_population is null)
    or denominator_population !~ '^(all|female|male):(all|[0-9]{1,2}-[0-9]{1,2})$'
union all
select
    measure_code,
    'names a part or lens that is not one of the definition' as wrong
from said
where
    not coalesce(parts, '{}') <@ array[
        'homicide', 'gbh', 'abh', 'rape', 'assault_by_penetration', 'sexual_assault', 'personal_robbery', 'threats_to_kill',
        'property_damage'
    ]
    or not coalesce(lenses, '{}') <@ array['knife', 'firearm', 'corrosive']
