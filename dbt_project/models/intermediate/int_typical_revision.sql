-- What became of the newest month of each edition: the count of London in the first edition that gave it against the one that stands.
with first_edition as (
    select
        claim.measure_code,
        claim.month_start_date
    from {{ ref('int_mps_claim') }} as claim
    inner join {{ ref('int_mps_release') }} as release
        on claim.load_id = release.load_id and claim.month_start_date = release.last_month_start_date
    where release.dataset = 'borough_recent' and claim.claim_count > 1 and claim.claim_number = claim.claim_count
    union all
    select
        claim.measure_code,
        claim.month_start_date
    from {{ ref('int_mps_dashboard_claim') }} as claim
    inner join {{ ref('int_mps_dashboard_release') }} as release
        on claim.load_id = release.load_id and claim.month_start_date = release.last_month_start_date
    where claim.claim_count > 1 and claim.claim_number = claim.claim_count
    union all
    select
        claim.measure_code,
        claim.month_start_date
    from (
        select
            *,
            max(month_start_date) over (partition by load_id, measure_code) as last_month_start_date
        from {{ ref('int_safestats_ambulance_claim') }}
    ) as claim
    where
        claim.month_start_date = claim.last_month_start_date
        and claim.claim_count > 1
        and claim.claim_number = claim.claim_count
),

revised as (
    {% for model in ['int_mps_borough_revision', 'int_mps_dashboard_revision', 'int_safestats_ambulance_revision'] %}
    select
        measure_code,
        month_start_date,
        100.0 * (month_count - earlier_count) / nullif(earlier_count, 0) as revised_percent
    from {{ ref(model) }}
    where area_code = 'LONDON_32' and compared_with = 'first'
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}
),

-- An edition on other categories, or from before another system, counted something else: what separates the two is no revision.
recut as (
    select
        measure_code,
        max(break_month) as break_month
    from {{ ref('int_series_break') }}
    where area_code is null and break_kind <> 'allocation'
    group by measure_code
)

select
    first_edition.measure_code,
    count(*)::integer as month_count,
    round(percentile_cont(0.5) within group (order by coalesce(revised.revised_percent, 0))::numeric, 2) as median_percent,
    round(min(coalesce(revised.revised_percent, 0)), 2) as lowest_percent,
    round(max(coalesce(revised.revised_percent, 0)), 2) as highest_percent
from first_edition
left join recut on first_edition.measure_code = recut.measure_code
left join revised
    on first_edition.measure_code = revised.measure_code and first_edition.month_start_date = revised.month_start_date
-- From none to some is no percentage.
where
    (recut.break_month is null or first_edition.month_start_date >= recut.break_month)
    and (revised.measure_code is null or revised.revised_percent is not null)
group by first_edition.measure_code
