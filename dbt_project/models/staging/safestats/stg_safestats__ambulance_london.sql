-- The sheet has a row per month and, above them, rows of figures the publisher derived; both become a row per figure.
{% set columns = [
    'all_assaults', 'gun_injury', 'knife_injury', 'all_weapon_injuries', 'animal_injury', 'assaults_against_women',
    'assaults_against_teens', 'binge_drinking', 'cocaine_overdose', 'heroin_overdose',
] %}
select
    lines._load_id as load_id,
    lines._row_number as row_number,
    lines.indicator as published_label,
    figures.published_column,
    {{ safestats_month('lines.indicator') }} as month_start_date,
    figures.figure::numeric as figure
from {{ source('raw_safestats', 'safestats__ambulance_london') }} as lines
cross join
    lateral (
        values
        {% for column in columns %}
        ('{{ column }}', lines.{{ column }}){{ ',' if not loop.last }}
        {% endfor %}
    ) as figures (published_column, figure)
where figures.figure <> ''
