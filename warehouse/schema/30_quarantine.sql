create table if not exists quarantine.refused_row (
    load_id bigint not null references ops.load on delete cascade,
    row_number bigint not null,
    column_name text not null,
    value text,
    reason text not null,
    primary key (load_id, row_number, column_name)
);
comment on table quarantine.refused_row is
'Grain: one row a refused row and column of a file. row_number 0 is the header or the file as a whole. The value is withheld where the column is declared personal.';
