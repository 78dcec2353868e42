-- What anyone may see: each owner's rule, in one place. A rule that is not known here lets nothing out.
create or replace function marts_open.publishable(counted numeric, publish_rule text) returns numeric
language sql immutable parallel safe
return case publish_rule
    when 'open' then counted
    -- NHS Digital's for counts of health below the nation: 0 stays, 1 to 7 are suppressed, others to the nearest 5.
    when 'suppress_1_to_7_round_5' then
        case when counted = 0 then 0 when counted >= 8 then round(counted / 5) * 5 end
end;
comment on function marts_open.publishable(numeric, text) is
'A count as its owner''s rule lets it out; null where it is suppressed, and for a rule that is not known.';

create or replace function marts_open.publishable_in_words(counted numeric, publish_rule text) returns text
language sql immutable parallel safe
return case
    when publish_rule = 'open' or counted = 0 and marts_open.publishable(0, publish_rule) = 0 then to_char(counted, 'FM999,999,999,990')
    when publish_rule = 'suppress_1_to_7_round_5' and counted between 1 and 7 then '1 to 7'
    when publish_rule = 'suppress_1_to_7_round_5'
        then 'about ' || to_char(marts_open.publishable(counted, publish_rule), 'FM999,999,999,990')
end;
comment on function marts_open.publishable_in_words(numeric, text) is
'A count as a sentence may give it under its owner''s rule: 1,065 where open; 0, "1 to 7" or "about 1,065" (nearest 5) under suppress_1_to_7_round_5; null for a rule that is not known: no sentence is written.';

-- Where a sum lies 5 or more above the least that its parts can come to, every part of 1 to 7 may be up to 6, and where it lies 5 or more
-- below the most, as little as 2: five values at the least, also where one sum bounds a part from above and another from below. The sum is
-- taken as known to the unit, though what is let out is rounded, so that sums that differ by one another tell no more than each; and where
-- a sum is kept back, whoever knows this rule learns of a part that it is 1 to 5, or that it is 3 to 7: five values again.
create or replace function marts_open.tells_a_part(suppressed bigint, lowest numeric, total numeric, highest numeric) returns boolean
language sql immutable parallel safe
return suppressed > 0 and (total < lowest + 5 or total > highest - 5);
comment on function marts_open.tells_a_part(bigint, numeric, numeric, numeric) is
'Whether a total, known to the unit, leaves one of its suppressed parts (each 1 to 7) fewer than five values. lowest and highest are what its parts come to at the least and at the most.';

create or replace view marts_open.publication as
select
    release_id,
    published_at,
    data_kind,
    is_current
from marts.publication
where is_current;
comment on view marts_open.publication is 'Grain: one row, the release that marts_open.measure shows. data_kind says real or synthetic.';
comment on column marts_open.publication.release_id is 'Number of the release.';
comment on column marts_open.publication.published_at is 'When readers first saw it (UTC).';
comment on column marts_open.publication.data_kind is 'real: from the publishers. synthetic: from the stand-in publishers, invented, for no decision.';
comment on column marts_open.publication.is_current is 'True: marts.publication has the earlier ones.';

-- Of every dataset, also those of which no count is let out: how new it is and what state, but not why, which may name what a file held.
create or replace view marts_open.data_status as
select
    source,
    dataset,
    title,
    newest_period_start_date,
    state
from marts.data_status;
comment on view marts_open.data_status is
'Grain: one row a dataset: fresh; stale: older than the publisher''s rhythm, or the last look failed; held: what stands is older than what was loaded; missing: never loaded.';
comment on column marts_open.data_status.source is 'Source id.';
comment on column marts_open.data_status.dataset is 'Dataset id within the source.';
comment on column marts_open.data_status.title is 'Name the publisher gives it.';
comment on column marts_open.data_status.newest_period_start_date is 'Newest month of this dataset that is published (first day); null where there is none, and where its files say no month.';
comment on column marts_open.data_status.state is 'fresh, stale, held or missing.';

-- For the view's owner alone: who sees why a total is suppressed knows more of its parts.
comment on table marts_open.withheld_total is
'Grain: one row per measure, month and total of areas that marts_open.measure withholds because it would tell a suppressed part, or another total that does. Chosen by the publisher with each release. Read by nobody else.';
comment on column marts_open.withheld_total.measure_code is 'Measure of dim_measure. Unit code. Source marts.fct_measure.';
comment on column marts_open.withheld_total.period_start_date is 'First day of the month. Unit date. Source marts.fct_measure.';
comment on column marts_open.withheld_total.area_code is 'Total of areas, of dim_area. Unit code. Source marts.fct_measure.';

-- It outlives releases and rollbacks, as what was told does.
comment on table marts_open.first_told is
'Grain: one row per measure and month of which a total of areas has been told: its counts when that was done first. A revision of them is told without its totals where a count is small. Read by nobody but the publisher.';
comment on column marts_open.first_told.measure_code is 'Measure of dim_measure. Unit code. Source marts.fct_measure.';
comment on column marts_open.first_told.period_start_date is 'First day of the month. Unit date. Source marts.fct_measure.';
comment on column marts_open.first_told.counts_hash is 'MD5 of the counts of all areas, as they were then. Unit text. Source marts.fct_measure.';
comment on column marts_open.first_told.has_small is 'Whether one of them was 1 to 7. Unit truth. Source marts.fct_measure.';
