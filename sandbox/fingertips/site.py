"""The Fingertips API as its clients meet it: what is there, what is known of it, and one indicator's values as CSV."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache

from sandbox import places
from sandbox.draws import fraction, words
from sandbox.exchange import Request, Response
from sandbox.fingertips.indicators import INDICATORS, Indicator

PERIODS = 4
COMBINED = "Value for Hackney and City of London combined"
FORCE = "LAs are allocated the rate of the police force area within which they sit"
SUPPRESSED = "Value suppressed for disclosure control due to small count"
_BY_NUMBER = {indicator.number: indicator for indicator in INDICATORS}
_PARENTS = {6: "Regions (statistical)", 15: ""}
_AREA_TYPES = {
    501: "Districts & UAs (from Apr 2023)",
    502: "Counties & UAs (from Apr 2023)",
    401: "Districts & UAs (2021/22-2022/23)",
    402: "Counties & UAs (from Apr 2021)",
}
_ELSEWHERE = {"E06000001": "Hartlepool", "E08000001": "Bolton"}
_HEADER = (
    "Indicator ID", "Indicator Name", "Parent Code", "Parent Name", "Area Code", "Area Name", "Area Type", "Sex", "Age",
    "Category Type", "Category", "Time period", "Value", "Lower CI 95.0 limit", "Upper CI 95.0 limit", "Lower CI 99.8 limit",
    "Upper CI 99.8 limit", "Count", "Denominator", "Value note", "Recent Trend", "Compared to England value or percentiles",
)  # fmt: skip
_METADATA_HEADER = (
    "Indicator ID", "Indicator", "Definition", "Rationale", "Policy", "Data source", "Indicator production", "Indicator source",
    "Methodology", "Standard population/values", "Confidence interval details", "Source of numerator", "Definition of numerator",
    "Source of denominator", "Definition of denominator", "Disclosure control", "Caveats", "Copyright", "Data re-use", "Links",
    "Indicator number", "Notes", "Frequency", "Rounding", "Data quality", "Unit", "Value type", "Year type", "Polarity",
    "Date updated", "Indicator Content", "Impact of COVID-19",
)  # fmt: skip


class Fingertips:
    """The Fingertips corner of the server, with the figures that belong to a seed."""

    def __init__(self, seed: int, today: Callable[[], date]) -> None:
        self._seed = seed
        self._today = today

    def answer(self, request: Request) -> Response | None:
        """An answer of the API; None for any other path."""
        match request.path.strip("/"):
            case "api/available_data":
                return self._available(request)
            case "api/indicator_metadata/by_indicator_id":
                return self._metadata(request)
            case "api/indicator_metadata/csv/by_indicator_id":
                return self._metadata_csv(request)
            case "api/all_data/csv/by_indicator_id":
                return self._data(request)
            case _:
                return None

    def _available(self, request: Request) -> Response:
        number, area_type = request.query.get("indicator_id"), request.query.get("area_type_id")
        return _json(
            [
                {"IndicatorId": indicator.number, "AreaTypeId": there}
                for indicator in INDICATORS
                for there in indicator.area_types
                if number in (None, str(indicator.number)) and area_type in (None, str(there))
            ]
        )

    def _asked(self, request: Request) -> list[Indicator] | Response:
        asked = request.query.get("indicator_ids", "").split(",")
        if asked == [""]:
            return Response(400, {"Content-Type": "text/plain"}, b"IndicatorIds cannot be null or empty")
        if len(asked) > 100:
            return Response(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html PUBLIC><html></html>")
        return [_BY_NUMBER[int(number)] for number in asked if int(number) in _BY_NUMBER]

    def _metadata(self, request: Request) -> Response:
        asked = self._asked(request)
        if isinstance(asked, Response):
            return asked
        return _json(
            {
                str(indicator.number): {
                    "IID": indicator.number,
                    "Descriptive": {"Name": indicator.name, "DataSource": "Invented"},
                    "Unit": {"Id": 1, "Value": indicator.per, "Label": f"per {indicator.per:,}"},
                    "YearType": {"Id": 1, "Name": indicator.year_type},
                    "DataChange": {"LastUploadedAt": f"{uploaded(indicator, self._today()).isoformat()}T09:30:00"},
                }
                for indicator in asked
            }
        )

    def _metadata_csv(self, request: Request) -> Response:
        asked = self._asked(request)
        if isinstance(asked, Response):
            return asked
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(_METADATA_HEADER)
        for indicator in asked:
            told = {
                "Indicator ID": indicator.number,
                "Indicator": indicator.name,
                "Definition": "Invented by the stand-in publisher.\nNothing here was counted.",
                "Data source": "Invented",
                "Unit": f"per {indicator.per:,}",
                "Value type": "Crude rate",
                "Year type": indicator.year_type,
                "Polarity": "RAG - Low is good",
            }
            writer.writerow([told.get(column, "") for column in _METADATA_HEADER])
        return _file(text.getvalue().encode(), "indicatormetadata.csv")

    def _data(self, request: Request) -> Response:
        asked = self._asked(request)
        if isinstance(asked, Response):
            return asked
        child, parent = request.query.get("child_area_type_id"), request.query.get("parent_area_type_id")
        if child is None or not child.isdigit() or parent is None or not parent.isdigit():
            return Response(
                500, {"Content-Type": "text/plain"}, b"Object reference not set to an instance of an object."
            )
        body = data(self._seed, tuple(asked), int(child), int(parent), self._today())
        return _file(body, "indicators-CountiesUAsfromApr2023.data.csv")


def uploaded(indicator: Indicator, today: date) -> date:
    """The day on which an indicator was last uploaded: once a year, each in a month of its own."""
    day = date(today.year, 1 + indicator.number % 12, 5)
    return day if day <= today else day.replace(year=day.year - 1)


@lru_cache(maxsize=128)
def _data_cached(seed: int, numbers: tuple[int, ...], child: int, parent: int, years: tuple[int, ...]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    short = _PARENTS.get(parent, "Region")
    column = f"Compared to {short} value or percentiles" if short else "Compared to percentiles"
    chosen = [_BY_NUMBER[number] for number in numbers]
    is_ragged = len(chosen) == 1 and chosen[0].quirk == "ragged"
    # The publisher keeps bodies longer than headers: what it cached before a column came lacks it.
    last = ("Time period Sortable", "New data", "Compared to goal", "Time period range")
    writer.writerow([*_HEADER, column, *last[: 3 if is_ragged else 4]])
    for indicator, newest in zip(chosen, years, strict=True):
        if child in indicator.area_types:
            for row in _rows(seed, indicator, child, parent, newest):
                writer.writerow(row[:25] if is_ragged else row)
    return text.getvalue().encode()


def data(seed: int, chosen: tuple[Indicator, ...], child: int, parent: int, today: date) -> bytes:
    """The CSV of some indicators at an area type: CRLF, no byte order mark, header only where there is nothing."""
    years = tuple(uploaded(indicator, today).year - 1 for indicator in chosen)
    return _data_cached(seed, tuple(indicator.number for indicator in chosen), child, parent, years)


def _rows(seed: int, indicator: Indicator, child: int, parent: int, newest: int) -> Iterator[list[object]]:
    region = (places.LONDON_REGION[0], "London region", "Regions (statistical)")
    country = (*places.ENGLAND, "England")
    children = [(code, name, _AREA_TYPES[child]) for code, name in (places.LONDON | _ELSEWHERE).items()]
    for year in range(newest - PERIODS + 1, newest + 1):
        rows: list[tuple[tuple[str, str, str] | None, tuple[str, str, str]]] = [(None, country)]
        rows += [(country, country)] if parent == 15 else [(country, region)]
        rows += [(country if parent == 15 or area[0] in _ELSEWHERE else region, area) for area in children]
        for above, area in rows:
            for sex in indicator.sexes:
                yield _row(seed, indicator, year, newest, above, area, sex, ("", ""))
        if indicator.quirk == "inequalities":
            for number, decile in enumerate(("Most", "Second most", "Least"), start=1):
                kind = ("County & UA deprivation deciles in England (IMD2019)", f"{decile} deprived decile (IMD2019)")
                yield _row(seed, indicator, year, newest, None, country, "Persons", kind, 1.4 / number)


def _row(
    seed: int,
    indicator: Indicator,
    year: int,
    newest: int,
    above: tuple[str, str, str] | None,
    area: tuple[str, str, str],
    sex: str,
    kind: tuple[str, str],
    factor: float = 1.0,
) -> list[object]:
    code, name, area_type = area
    first = year - indicator.years + 1
    note, value, count, denominator = "", None, None, None
    lower = upper = None
    people = {places.ENGLAND[0]: 57_000_000.0, places.LONDON_REGION[0]: 1000.0 * sum(places.THOUSANDS.values())}
    residents = people.get(code, 1000.0 * places.THOUSANDS.get(code, 150)) * indicator.share * indicator.years
    residents *= 1.0 if sex == "Persons" else 0.5
    is_borough = code in places.LONDON
    who = "force" if indicator.quirk == "force_wide" and is_borough else code
    chance = fraction(words((str(seed), "fingertips", str(indicator.number), who, sex, str(year), kind[1]), 1)[0])
    if indicator.quirk == "city_in_hackney" and code in (places.CITY, places.HACKNEY):
        note = COMBINED
    if indicator.quirk == "force_wide" and is_borough:
        note = FORCE
    if indicator.quirk == "suppressed" and code == places.CITY:
        note = SUPPRESSED
    elif not (indicator.quirk == "city_in_hackney" and code == places.CITY):
        value = indicator.level * factor * (0.7 + 0.6 * chance)
        denominator = int(residents)
        count = int(value * denominator / indicator.per)
        lower, upper = value * 0.9, value * 1.1
        if indicator.quirk == "no_count":
            count = denominator = None
    text = {"Calendar": f"{year}"}.get(indicator.year_type, f"{year}/{(year + 1) % 100:02d}")
    if indicator.years > 1:
        text = (
            f"{first} - {year % 100:02d}"
            if indicator.year_type == "Calendar"
            else f"{first}/{(first + 1) % 100:02d} - {year % 100:02d}/{(year + 1) % 100:02d}"
        )
    return [
        indicator.number,
        indicator.name + ("\n" if indicator.quirk == "newline" else ""),
        above[0] if above else "",
        above[1] if above else "",
        ("n" if indicator.quirk == "stray_n" and code == "E09000033" else "") + code,
        name,
        area_type,
        sex,
        indicator.age,
        *kind,
        text,
        *("" if number is None else number for number in (value, lower, upper)),
        "",
        "",
        *("" if number is None else number for number in (count, denominator)),
        note,
        "No significant change" if year == newest and value is not None else "",
        "Not compared" if value is None else "Similar",
        "Not compared",
        f"{first}0000",
        "New data" if year == newest else "",
        "",
        f"{indicator.years}y",
    ]


def _json(document: object) -> Response:
    return Response(200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(document).encode())


def _file(body: bytes, name: str) -> Response:
    disposition = f"attachment; filename={name}"
    return Response(200, {"Content-Type": "application/octet-stream", "Content-Disposition": disposition}, body)
