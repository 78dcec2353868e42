{#
  One macro a kind of sentence. Each reads the columns its model lists just before it, under the alias `told`, and is proved word by word by the
  unit tests of that model. What a sentence cannot tell (too few, not comparable, not published) it says in one clause and gives no figure.
#}

{#- place, noun, noun_of_one, count_words, window_name, rate_words, people, comparison, break_label -#}
{% macro level_sentence() -%}
    told.place || ' had ' || told.count_words || ' '
    || case told.count_words when '1' then told.noun_of_one else told.noun end
    || ' in ' || told.window_name
    || coalesce(', or ' || told.rate_words || ' per ' || told.per_words || ' ' || told.people, '')
    || coalesce(case when told.rate_words is null then null else ': ' || told.comparison end, '') || '.'
    || case
        when told.status = 'break_in_window'
            then ' The count mixes two ways of recording' || coalesce(': ' || told.break_label, '') || '.'
        else ''
    end
{%- endmacro %}

{#- name, in_place, count_words, before_words, window_name, unit, is_comparable, change_verdict, change_words, london_change_words, break_label -#}
{% macro change_sentence() -%}
    {%- set counts = "told.count_words || ' ' || told.unit || ' in ' || told.window_name || ', against ' || told.before_words"
        ~ " || ' in the 12 months before'" -%}
    case
        when not told.is_comparable
            then
                upper(left(told.name, 1)) || substr(told.name, 2) || ' ' || told.in_place
                || ' cannot be compared with the year before' || coalesce(': ' || told.break_label, '') || '.'
        when told.change_words is null
            then
                upper(left(told.name, 1)) || substr(told.name, 2) || ' ' || told.in_place || ' was too rare for a percentage: '
                || {{ counts }} || '.'
        else
            upper(left(told.name, 1)) || substr(told.name, 2) || ' '
            || case told.change_verdict when 'no_change' then 'did not change significantly' else told.change_verdict || ' by ' || told.change_words end
            || ' ' || told.in_place || ': ' || {{ counts }}
            || case told.change_verdict when 'no_change' then ' (' || told.signed_change_words || ')' else '' end
            || case
                when told.change_verdict = 'no_change' and told.london_change_words = 'did not change significantly' then '; nor did London''s'
                else coalesce('; London''s ' || told.london_change_words, '')
            end || '.'
    end
{%- endmacro %}

{#- place, name, window_name, rank_in_london, share_words, residents_caveat; of London highest_place, highest_rate_words, lowest_place, lowest_rate_words -#}
{% macro rank_sentence() -%}
    case
        when told.area_code = 'LONDON_32'
            then
                told.highest_place || ' had the highest rate of ' || told.name || ' of the 32 boroughs in ' || told.window_name
                || ' (' || told.highest_rate_words || ' per ' || told.per_words || ' ' || told.people || '), and '
                || told.lowest_place || ' the lowest (' || told.lowest_rate_words || ').'
        else
            told.place || ' had the '
            || case
                when told.rank_in_london = 1 then 'highest'
                when told.rank_in_london = 32 then 'lowest'
                when told.rank_in_london <= 16 then {{ ordinal('told.rank_in_london') }} || ' highest'
                else {{ ordinal('33 - told.rank_in_london') }} || ' lowest'
            end
            || ' rate of ' || told.name || ' of the 32 boroughs in ' || told.window_name
            || coalesce(', with ' || told.share_words || ' of London''s ' || told.unit || ' of this kind', '') || '.' || coalesce(' ' || told.residents_caveat, '')
    end
{%- endmacro %}

{#- area_code, place, name, window_name, small_areas, top_name_in_words, top_count_words, top_share_words, top_three_share_words -#}
{% macro place_sentence() -%}
    case
        when told.top_count = 0
            then 'No ' || told.name || ' was recorded in a ward of ' || told.place || ' in ' || told.window_name || '.'
        else
            told.top_name_in_words || ' had the most ' || told.name || ' of the ' || told.small_areas || ' wards '
            || case told.area_code when 'LONDON_32' then 'of London' else 'of ' || told.place end
            || ' in ' || told.window_name || ': ' || told.top_count_words || ' ' || told.unit || ', or ' || told.top_share_words || ' of the '
            || case told.area_code when 'LONDON_32' then 'London' else 'borough' end || ' total.'
            || case
                when told.small_areas > 6 then ' The three wards with the most had ' || told.top_three_share_words || '.'
                else ''
            end
    end
{%- endmacro %}

{#- noun, place, window_name, moment, cycle, moment_of_cycle, moments_in_words, share_words, expected_words, is_enough, does_stand_out -#}
{% macro time_sentence() -%}
    case
        when not told.is_enough
            then
                'Too few ' || told.noun || ' in ' || told.place || case told.cycle when 'week' then ' have a known time' else ' were recorded' end
                || ' in ' || told.window_name || ' to say when they are most frequent.'
        when told.does_stand_out
            then
                upper(left(told.noun, 1)) || substr(told.noun, 2) || ' in ' || told.place || ' were most frequent ' || told.moment || ' in '
                || told.window_name || ': ' || told.share_words || case told.cycle when 'week' then ' of those with a known time' else ' of them' end
                || ', against ' || told.expected_words || ' if they were spread evenly over the ' || told.cycle || '.'
        else
            'No ' || told.moment_of_cycle || ' stands out for '
            || told.noun || ' in ' || told.place || ' in ' || told.window_name || ': none of the ' || told.moments_in_words
            || ' had more of them than chance explains.'
    end
{%- endmacro %}

{#- noun, place, window_name, phrase, share_words, expected_words -#}
{% macro share_of_time_sentence() -%}
    case
        when told.share_words is null
            then 'Too few ' || told.noun || ' in ' || told.place || ' have a known time in ' || told.window_name || ' to give the share ' || told.phrase || '.'
        else
            'In ' || told.place || ', ' || told.share_words || ' of ' || told.noun || ' with a known time took place ' || told.phrase
            || ' in ' || told.window_name || '; these hours make up ' || told.expected_words || ' of the week.'
    end
{%- endmacro %}

{#- noun, place, window_name, phrase, share_words, known_words, residents_words, ratio_words, ratio_verdict, is_of_all_ages -#}
{% macro profile_sentence() -%}
    case
        when told.share_words is null
            then
                'Too few ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || ' to give the share who were ' || told.phrase
                || coalesce(' (' || told.known_words || ' in all)', '') || '.'
        else
            'Of the ' || told.known_words || ' ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || told.known_by || ', '
            || told.share_words || ' were ' || told.phrase
            || case
                when told.residents_words is null or told.ratio_verdict is null then ''
                when told.ratio_verdict = 'similar' then ', not significantly different from the share of ' || told.residents_words
                else ', ' || told.ratio_words || ' times the share of ' || told.residents_words
            end || '.'
    end
{%- endmacro %}

{#- phrase, noun, place, window_name, health_words (per 100), comparison -#}
{% macro ratio_sentence() -%}
    case
        when told.ratio_words is null
            then 'Too few ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || ' to set them against ' || told.phrase || '.'
        else
            'For every 100 ' || told.phrase || ' in ' || told.place || ' in ' || told.window_name || ', there were ' || told.ratio_words || ' '
            || told.noun || coalesce(': ' || told.comparison, '') || '.'
    end
{%- endmacro %}

{#- noun, place, window_name, phrase, share_words, followed_to, comparison -#}
{% macro outcome_sentence() -%}
    case
        when told.share_words is null then 'Too few ' || told.noun || ' in ' || told.place || ' in ' || told.window_name || ' to give outcomes.'
        else
            'Of the ' || told.cohort_words || ' ' || told.noun || ' recorded in ' || told.place || ' in ' || told.window_name || ', '
            || case told.outcome_count when 0 then 'none' else told.share_words end || ' ' || told.phrase || ' by ' || told.followed_to || coalesce(': ' || told.comparison, '') || '.'
    end
{%- endmacro %}

{#- is_share, place, noun, phrase, period_name, value_words, per_words, comparison, similar_words -#}
{% macro indicator_sentence() -%}
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
{%- endmacro %}

{#- area_code, place, name, window_name, places_words, share_words, residents_words, ratio_words, has_most_deprived -#}
{% macro deprivation_sentence() -%}
    case
        when not told.has_most_deprived
            then 'None of the small areas (LSOAs) of ' || told.place || ' is in the most deprived fifth of London''s.'
        else
            case told.area_code
                when 'LONDON_32'
                    then 'The most deprived fifth of London''s small areas (LSOAs) had ' || told.share_words || ' of London''s ' || told.name
                else
                    'Of the small areas (LSOAs) of ' || told.place || ', ' || told.places_words || ' are in the most deprived fifth of London''s; they had '
                    || told.share_words || ' of the borough''s ' || told.name
            end || ' in ' || told.window_name
            || coalesce(' and have ' || told.residents_words || ' of its residents', '')
            || case
                when told.ratio_lower_95 > 1 or told.ratio_upper_95 < 1
                    then '; the rate there was ' || told.ratio_words || ' times that of the least deprived fifth'
                when told.ratio_words is not null then '; the rate there was not significantly different from that of the least deprived fifth'
                else ''
            end || '.'
    end
{%- endmacro %}

{#- place, noun, noun_of_one, count_words, window_name, rate_words, per_words, verdict, base_name, base_rate_words, not_tested_because -#}
{% macro baseline_sentence() -%}
    told.place || ' had ' || told.count_words || ' ' || case told.count_words when '1' then told.noun_of_one else told.noun end
    || ' in ' || told.window_name
    || coalesce(', or ' || told.rate_words || ' per ' || told.per_words || ' residents a year', '')
    || coalesce(
        ': ' || case told.verdict
            when 'higher' then 'significantly above' when 'lower' then 'significantly below'
            when 'no_difference' then 'not significantly different from'
        end || ' the baseline, ' || told.base_name || ' (' || told.base_rate_words || ')', ''
    ) || '.'
{%- endmacro %}

{#- in_place, name, window_name, rate_words, per_words, verdict, base_name, base_rate_words, not_tested_because -#}
{% macro against_baseline_sentence() -%}
    upper(left(told.name, 1)) || substr(told.name, 2) || ' in ' || told.place
    || case
        when told.verdict is null
            then ' cannot be tested against its baseline, ' || told.base_name || ': ' || told.not_tested_because
        else
            ' was ' || case told.verdict
                when 'higher' then 'significantly above' when 'lower' then 'significantly below'
                when 'no_difference' then 'not significantly different from'
            end || ' its baseline: ' || told.rate_words || ' per ' || told.per_words || ' residents in ' || told.window_name || ', against '
            || told.base_rate_words || ' in ' || told.base_name
    end || '.'
{%- endmacro %}
