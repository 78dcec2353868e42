-- What each event says of itself, without what it says: whether a field is filled in is no personal data, its value may be.
{% set feeds = {
    'ambulance_incidents': ['event_time', 'category', 'age', 'sex', 'borough_name', 'lsoa_code'],
    'btp_crime': ['event_time', 'category', 'station', 'borough_name', 'lsoa_code'],
    'ed_istv': ['arrival_at', 'event_time', 'category', 'place_type', 'borough_name', 'lsoa_code', 'geocode_confidence'],
    'ed_ecds': ['event_time', 'category', 'mechanism_snomed', 'place_snomed', 'alcohol_drug_snomed', 'borough_name', 'lsoa_code'],
    'tfl_driver_incidents': ['event_time', 'category', 'route', 'borough_name', 'lsoa_code'],
    'fire_incidents': ['event_time', 'category', 'borough_name', 'lsoa_code'],
    'mps_crime': ['event_time', 'category', 'borough_name', 'lsoa_code'],
} %}
{% for dataset, fields in feeds.items() %}
select
    '{{ dataset }}' as dataset,
    events._load_id as load_id,
    events._row_number as row_number,
    {% if dataset in ('ed_istv', 'ed_ecds') %}events.site_code{% else %}'all' as site_code{% endif %},
    {% if dataset == 'ed_istv' %}nullif(btrim(events.geocode_confidence), ''){% else %}null::text{% endif %} as geocode_confidence,
    fields.field_name,
    coalesce(btrim(fields.field_value), '') !~* '^(|unknown|not known|not stated|not recorded|u)$' as is_given
from {{ source('raw_safestats', 'safestats__' ~ dataset) }} as events
cross join
    lateral (
        values
        {% for field in fields %}
        ('{{ field }}', events.{{ field }}){{ ',' if not loop.last }}
        {% endfor %}
    ) as fields (field_name, field_value)
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
