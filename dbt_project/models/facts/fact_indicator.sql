{% set indicator_sentence %}
case
    when told.value_words is null
        then 'No figure for ' || told.place || ' ' || told.period_name || ' is published for ' || told.measure_name_in_words || '.'
    when told.is_share
        then 'In ' || told.place || ', ' || told.value_words || '% ' || told.noun || ' ' || told.phrase || ' ' || told.period_name
    else told.place || ' had ' || told.value_words || ' ' || told.noun || ' ' || told.per_words || ' ' || told.period_name
end
|| case
    when told.value_words is null then ''
    else
        coalesce(': ' || told.comparison, '') || coalesce('; the median of its similar areas was ' || told.similar_words, '') || '.'
end
{% endset %}

-- The newest period of each indicator asked for; London is the publisher's own, with the City.
with found as (
    select
        driver.*,
        pack.fact_code,
        pack.item = 'share' as is_share,
        pack.noun,
        pack.phrase,
        measure.unit,
        measure.measure_name,
        measure.publish_rule,
        -- Where the publisher gives no interval the figures as printed say which is above: the caveat says that nothing was tested.
        {% for other in ['london', 'england'] %}
        coalesce(
            driver.compared_to_{{ other }},
            case sign(round(driver.value, 1) - round(driver.{{ other }}_value, 1))
                when 1 then 'higher' when -1 then 'lower' when 0 then 'equal'
            end
        ) as {{ other }}_verdict,
        {% endfor %}
        case driver.area_code when 'LONDON_33' then 'LONDON_32' else driver.area_code end as fact_area_code
    from {{ ref('rpt_drivers') }} as driver
    inner join {{ ref('fact_pack') }} as pack on driver.measure_code = pack.measure_code and pack.template = 'indicator'
    inner join {{ ref('dim_measure') }} as measure on driver.measure_code = measure.measure_code and measure.publish_rule = 'open'
    where driver.is_newest_period and not driver.is_force_wide
),

similar_areas as (
    select
        similar_to.borough_code,
        found.fact_code,
        percentile_cont(0.5) within group (order by found.value) as median_value
    from {{ ref('dim_similar_area') }} as similar_to
    inner join found on similar_to.similar_area_code = found.area_code and found.value is not null
    group by similar_to.borough_code, found.fact_code
),

told as (
    select
        found.*,
        similar_areas.median_value,
        case when area.area_type = 'borough' then area.area_name else 'London (with the City)' end as place,
        {{ published_period_in_words('found.period_kind', 'found.period_start_date', 'found.period_end_date') }} as period_name,
        {{ one_decimal('found.value') }} as value_words,
        'per ' || split_part(found.unit, ' per ', 2) as per_words,
        -- London's own comparator is England.
        case area.area_type when 'borough' then found.compared_to_london else found.compared_to_england end as compared_to,
        case area.area_type when 'borough' then found.london_value else found.england_value end as comparator_value,
        lower(left(found.measure_name, 1)) || substr(found.measure_name, 2) as measure_name_in_words,
        nullif(
            concat_ws(
                ' and ',
                {% for other, words in [('london', "'London'"), ('england', "'England'")] %}
                {% set value = 'found.' ~ other ~ '_value' %}
                case
                    when {{ value }} is not null {{ "and area.area_type = 'borough'" if other == 'london' }}
                        then
                            {{ compared_in_words(
                                'found.' ~ other ~ '_verdict',
                                words,
                                one_decimal(value) ~ " || case when found.is_share then '%' else '' end"
                            ) }}
                end{{ ',' if not loop.last }}
                {% endfor %}
            ), ''
        ) as comparison,
        coalesce(
            (found.compared_to_london is null and found.london_value is not null and area.area_type = 'borough')
            or (found.compared_to_england is null and found.england_value is not null),
            false
        ) and found.value is not null as is_untested,
        {{ one_decimal('similar_areas.median_value') ~ " || case when found.is_share then '%' else '' end" }} as similar_words
    from found
    inner join {{ ref('dim_area') }} as area
        on found.area_code = area.area_code and (area.area_type = 'borough' or area.area_code = 'LONDON_33')
    left join similar_areas on found.area_code = similar_areas.borough_code and found.fact_code = similar_areas.fact_code
)

select
    {{ fact_row({
        'area_code': 'told.fact_area_code',
        'fact_code': 'told.fact_code',
        'window_kind': "'as_published'",
        'period_start_date': 'told.period_start_date',
        'period_end_date': 'told.period_end_date',
        'numerator': 'round(told.numerator)',
        'denominator': 'round(told.denominator)',
        'value': 'told.value',
        'lower_95': 'told.lower_95_limit',
        'upper_95': 'told.upper_95_limit',
        'london_value': 'told.london_value',
        'similar_areas_value': 'told.median_value',
        'rank_in_london': 'told.rank_in_london',
        'significance': 'told.compared_to_london',
        'status': "'as_published'",
        'caveat': "concat_ws(' ', told.note, case when told.is_untested then 'The differences are those of the figures: without intervals from the publisher they were not tested.' end, case when told.includes_city_of_london then 'The City of London is counted with it.' end)",
        'is_significant': "told.compared_to in ('higher', 'lower')",
        'effect_percent': '100 * (told.value / nullif(told.comparator_value, 0) - 1)',
        'sentence': indicator_sentence,
        'source_release': 'told.source_release',
        'is_provisional': 'told.is_provisional',
    }) }}
from told
