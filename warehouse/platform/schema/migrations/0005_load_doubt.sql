-- Why a load that stands in raw is left out of builds unless a person says that it is true: found when it was loaded, from its own rows.
alter table ops.load add column if not exists doubt jsonb not null default '{}';
