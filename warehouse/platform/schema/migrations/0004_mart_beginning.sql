-- What a row of a mart has said since the mart began stands in the mart alone, so this says since when.
create table if not exists ops.mart_beginning (
    mart_name text primary key,
    first_release_id bigint not null
);
comment on table ops.mart_beginning is 'Grain: one row a mart: the first release that published it. 0: of a home whose history an older version kept, until set-up has looked.';
