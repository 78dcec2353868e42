-- Filled by each whole build (warehouse/build/catalogue.py), from the declarations: nothing in it is anybody's to change.
create table if not exists ops.catalogue (
    schema_name text not null,
    table_name text not null,
    column_name text not null,
    classification text not null,
    owner text not null,
    legal_gateway text not null,
    istv_level integer not null,
    personal_data text not null,
    special_category text not null,
    retention_days integer,
    publish_rule text not null,
    primary key (schema_name, table_name, column_name)
);
comment on table ops.catalogue is
'Grain: one row a column of raw, of what lies between raw and the marts, and of the marts. How it is to be handled: ingest/declaration/handling.py says what each word means.';
comment on column ops.catalogue.classification is 'OFFICIAL or OFFICIAL-SENSITIVE, of the Government Security Classifications.';
comment on column ops.catalogue.owner is 'Whose data they are, or who keeps them.';
comment on column ops.catalogue.legal_gateway is
'By what law or licence they came; of_each_source where several came together. What came by pcsc_s17 never leaves the restricted schemas.';
comment on column ops.catalogue.istv_level is 'The finest use they may have: 1 areas, 2 places within them, 3 persons.';
comment on column ops.catalogue.personal_data is
'none; small_counts, of which one may be of one person; events, a row each; of_a_person, what a row says of one.';
comment on column ops.catalogue.special_category is 'none, health or ethnic_group (UK GDPR, article 9).';
comment on column ops.catalogue.retention_days is 'How long a file of it may be kept. Unit days; null: as long as its publisher publishes it.';
comment on column ops.catalogue.publish_rule is 'How counts may leave: open, suppress_1_to_7_round_5, or of_each_source.';
