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
