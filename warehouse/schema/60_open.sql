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
