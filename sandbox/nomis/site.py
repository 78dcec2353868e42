"""The NOMIS API as its clients meet it: periods with their releases, and observations as CSV in pages, with its odd errors."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import product

from sandbox.exchange import Request, Response
from sandbox.nomis.datasets import DATASETS, Dataset, Period

# Without a key NOMIS gives so many records and says nothing of the rest.
LIMIT, LIMIT_WITH_KEY = 25_000, 100_000
_OWN_PARAMETERS = {"geography", "date", "time", "measures", "select", "recordlimit", "recordoffset", "uid", "queryid"}


class Nomis:
    """The NOMIS corner of the server, with the figures that belong to a seed."""

    def __init__(self, seed: int, today: Callable[[], date]) -> None:
        self._seed = seed
        self._today = today

    def answer(self, request: Request) -> Response | None:
        """An answer of the API; None for any other path."""
        if not request.path.startswith("/api/v01/dataset/"):
            return None
        found = re.fullmatch(
            r"/api/v01/dataset/(NM_\d+_\d+)(\.data\.csv|\.def\.sdmx\.json|/[a-z0-9_]+\.def\.sdmx\.json)", request.path
        )
        dataset = DATASETS.get(found[1]) if found else None
        if found is None or dataset is None:
            return _json({"structure": {"keyfamilies": None}})
        if found[2] == ".data.csv":
            return self._data(dataset, {name.lower(): value for name, value in request.query.items()})
        if found[2] == ".def.sdmx.json":
            family = {"id": dataset.number, "name": {"value": dataset.name, "lang": "en"}}
            return _json({"structure": {"keyfamilies": {"keyfamily": [family]}}})
        dimension = found[2].removeprefix("/").removesuffix(".def.sdmx.json")
        if dimension == "time":
            return _json(_time(dataset, self._today()))
        known = dataset.measures if dimension == "measures" else dataset.dimensions.get(dimension)
        if known is None:
            return _json({"structure": {"codelists": None}})
        codes = [{"value": int(code), "description": {"value": label, "lang": "en"}} for code, label in known.items()]
        return _json({"structure": {"codelists": {"codelist": [{"id": f"CL_{dimension.upper()}", "code": codes}]}}})

    def _data(self, dataset: Dataset, query: Mapping[str, str]) -> Response:
        unknown = query.keys() - _OWN_PARAMETERS - dataset.dimensions.keys()
        if unknown:
            # A sentence in place of a table, without a line end.
            return _csv(f"Unknown query parameter {sorted(unknown)[0]}".encode())
        if {"geography", *dataset.dimensions} - query.keys():
            return _json({"error": "Query is incomplete"})
        periods = {period.code: period for period in dataset.periods(self._today())}
        body = table(
            self._seed,
            dataset.number,
            tuple(_areas(query["geography"], dataset)),
            tuple(tuple(_codes(query[name], dataset.dimensions[name])) for name in dataset.dimensions),
            tuple(_codes(query.get("measures", ",".join(dataset.measures)), dataset.measures)),
            tuple(periods[code] for code in _dates(query.get("date", "latest"), list(periods))),
        )
        offset = int(query.get("recordoffset", "0"))
        limit = min(int(query.get("recordlimit", "1000000")), LIMIT_WITH_KEY if "uid" in query else LIMIT)
        return _csv(_page(body, query.get("select", "").upper(), offset, limit))


def _time(dataset: Dataset, today: date) -> object:
    codes = [
        {
            "value": int(period.code) if period.code.isdigit() else period.code,
            "description": {"value": period.name, "lang": "en"},
            "annotations": {
                "annotation": [
                    {"annotationtitle": "CurrentRevisionStatus", "annotationtext": "Live"},
                    {"annotationtitle": "CurrentRevisionReleased", "annotationtext": period.released},
                ]
            },
        }
        for period in dataset.periods(today)
    ]
    codelist = {"id": f"CL_{dataset.number.removeprefix('NM_')}_TIME", "code": codes}
    return {"structure": {"codelists": {"codelist": [codelist]}}}


Row = dict[str, object]


@lru_cache(maxsize=8)
def table(
    seed: int,
    number: str,
    areas: tuple[str, ...],
    codes: tuple[tuple[str, ...], ...],
    measures: tuple[str, ...],
    periods: tuple[Period, ...],
) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Columns and records of a query, whole."""
    dataset = DATASETS[number]
    names = [*_columns("DATE"), *_columns("GEOGRAPHY")]
    for dimension in dataset.dimensions:
        names += _columns(dimension.upper())
    names += [
        "MEASURES",
        "MEASURES_NAME",
        "OBS_VALUE",
        "OBS_STATUS",
        "OBS_STATUS_NAME",
        "OBS_CONF",
        "OBS_CONF_NAME",
        "URN",
    ]
    records: list[tuple[object, ...]] = []
    labels = list(dataset.dimensions.values())
    for period, area in product(periods, areas):
        for chosen in product(*codes):
            for measure in measures:
                value = dataset.value(seed, area, chosen, measure, period.code)
                is_missing = value is None
                shown: object = "" if value is None else int(value) if value == int(value) else value
                records.append(
                    (
                        period.code, period.name, period.code, "date", 0, 0,
                        int(area[1:]), dataset.areas[area], area, *dataset.area_type, 0,
                        *(
                            cell
                            for code, label in zip(chosen, labels, strict=True)
                            for cell in (int(code), label[code], int(code), "", 1000, 0)
                        ),
                        int(measure), dataset.measures[measure], shown,
                        "Q" if is_missing else "A", "These figures are missing." if is_missing else "Normal Value",
                        "F", "Free (free for publication)", f"Nm-{number}d{len(records)}",
                    )
                )  # fmt: skip
    return tuple(names), records


def _columns(name: str) -> list[str]:
    return [name, *(f"{name}_{end}" for end in ("NAME", "CODE", "TYPE", "TYPECODE", "SORTORDER"))]


def _page(body: tuple[tuple[str, ...], list[tuple[object, ...]]], select: str, offset: int, limit: int) -> bytes:
    names, records = body
    if not records:
        return b""
    whole = (*names, "RECORD_OFFSET", "RECORD_COUNT")
    wanted = [name for name in select.split(",") if name in whole] or list(whole)
    places = [whole.index(name) for name in wanted]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(wanted)
    for number, record in enumerate(records[offset : offset + limit], start=offset):
        full = (*record, number, len(records))
        writer.writerow([full[place] for place in places])
    return text.getvalue().encode()


def _areas(asked: str, dataset: Dataset) -> Iterator[str]:
    for part in asked.split(","):
        if part == f"2013265927TYPE{dataset.area_type[1]}":
            # The number of the region London: all areas of a type within it.
            yield from dataset.areas
        first, _, last = part.partition("...")
        for code in dataset.areas:
            if (first <= code <= last) if last else code == first:
                yield code


def _codes(asked: str, known: Mapping[str, str]) -> Iterator[str]:
    for part in asked.split(","):
        first, _, last = part.partition("...")
        for code in [str(n) for n in range(int(first), int(last or first) + 1)]:
            if code in known:
                yield code


def _dates(asked: str, known: list[str]) -> list[str]:
    wanted = [known[-1] if part == "latest" and known else part for part in asked.split(",")]
    return [code for code in wanted if code in known]


def _json(document: object) -> Response:
    return Response(200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(document).encode())


def _csv(body: bytes) -> Response:
    return Response(200, {"Content-Type": "text/csv; charset=utf-8"}, body)
