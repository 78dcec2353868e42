-- People by the newest file that covers the month: the one place where victims and accused meet.
select
    'homicide_victims' as dataset,
    winner.load_id,
    winner.source_release,
    victims.month_start_date,
    victims.area_code,
    victims.sex,
    victims.age_band,
    victims.officer_observed_ethnicity as ethnicity,
    victims.method_of_killing,
    victims.is_domestic_abuse,
    victims.victim_count as person_count
from {{ ref('stg_mps__homicide_victims') }} as victims
inner join {{ ref('int_mps_homicide_winner') }} as winner
    on
        winner.dataset = 'homicide_victims'
        and victims.load_id = winner.load_id
        and victims.month_start_date = winner.month_start_date
union all
select
    'homicide_accused' as dataset,
    winner.load_id,
    winner.source_release,
    accused.month_start_date,
    accused.area_code,
    accused.sex,
    accused.age_band,
    accused.self_classified_ethnicity as ethnicity,
    null as method_of_killing,
    null as is_domestic_abuse,
    accused.accused_count as person_count
from {{ ref('stg_mps__homicide_accused') }} as accused
inner join {{ ref('int_mps_homicide_winner') }} as winner
    on
        winner.dataset = 'homicide_accused'
        and accused.load_id = winner.load_id
        and accused.month_start_date = winner.month_start_date
-- A person entered by mistake is not a person accused.
where accused.proceedings <> 'recording_error'
