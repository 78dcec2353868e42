-- Of which version of a month's counts a total of areas has been told to anyone (dbt_project/models/open/open_revised_total.sql).
create table if not exists marts_open.first_told (
    measure_code text not null,
    period_start_date date not null,
    counts_hash text not null,
    has_small boolean not null,
    primary key (measure_code, period_start_date)
);
