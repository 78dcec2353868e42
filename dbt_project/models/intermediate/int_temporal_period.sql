-- A month of whose events too many have no area is no month of any.
with published as (
    select distinct
        measure_code,
        month_start_date,
        max(source_release) over (partition by measure_code, month_start_date) as source_release
    from {{ ref('int_safestats_event_month') }}
    union all
    select
        'police_uk_' || case when scope <> 'together' then scope || '_' else '' end || 'stop_and_search' as measure_code,
        month_start_date,
        source_release
    from {{ ref('int_police_uk_published') }}
    where dataset = 'stop_and_search'
),

covered as (
    select published.*
    from published
    left join {{ ref('int_unplaced_share') }} as unplaced
        on
            published.measure_code = unplaced.measure_code
            and published.month_start_date = unplaced.month_start_date
            and unplaced.dimension = 'area'
    where unplaced.is_withheld is not true
),

dated as (
    select
        *,
        max(month_start_date) over (partition by measure_code) as newest_month
    from covered
),

candidate_month as (
    select
        covered.measure_code,
        spans.period_kind,
        spans.period_start_date,
        covered.month_start_date,
        covered.source_release,
        count(*) over (partition by covered.measure_code, spans.period_kind, spans.period_start_date) as months_held
    from dated as covered
    cross join
        lateral (
            values
            -- Three months earlier lies in the calendar year that a financial year is named after.
            (
                'financial_year',
                (date_trunc('year', covered.month_start_date - interval '3 months') + interval '3 months')::date
            ),
            (
                'rolling_12_months',
                case
                    when covered.month_start_date > covered.newest_month - interval '12 months'
                        then (covered.newest_month - interval '11 months')::date
                end
            )
        ) as spans (period_kind, period_start_date)
    where spans.period_start_date is not null
)

-- A financial year of which a month is missing is none.
select * from candidate_month
where period_kind <> 'financial_year' or months_held = 12
