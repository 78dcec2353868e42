comment on column quarantine.refused_row.code is
'What kind of failure: a code of ingest/codes.csv (`vru explain CODE`), the first where a column has several. Null of rows from before codes were kept.';
comment on table quarantine.refused_row is
'Grain: one row a refused row and column of a file. row_number 0 is the header or the file as a whole. The value is withheld where the column is declared personal.';
comment on column quarantine.refused_row.sheet is 'Sheet of a workbook; empty where the file is none.';
