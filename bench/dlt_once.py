"""The same file through dlt to PostgreSQL by its fastest route for a CSV: Arrow batches, written as CSV, loaded by COPY."""

import json
import os
import sys
import time

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt
import pyarrow as pa
import pyarrow.csv

file, url, folder = sys.argv[1:]


@dlt.resource(name="street", write_disposition="replace")
def street():  # type: ignore[no-untyped-def]
    names = open(file, encoding="utf-8").readline().strip().split(",")  # noqa: SIM115, PTH123
    yield from pyarrow.csv.open_csv(
        file,
        read_options=pyarrow.csv.ReadOptions(block_size=16 * 1024 * 1024),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


pipeline = dlt.pipeline(
    "bench", pipelines_dir=folder, destination=dlt.destinations.postgres(url), dataset_name="dlt_bench", dev_mode=False
)
started = time.perf_counter()
pipeline.run(street(), loader_file_format="csv")
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds}))
