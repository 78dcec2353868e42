"""Invented event feeds and an invented ambulance workbook, in the forms agreed with the data owners and published by the GLA."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sandbox.draws import count_around, fraction, words
from sandbox.mps.weights import BOROUGHS
from sandbox.safestats.workbook import Row, workbook

PUBLICATION_DAY = 5
EVENT_MONTHS = 3
WORKBOOK_MONTHS = 26
EVENTS_A_MONTH = 120  # a feed: enough for every borough to have some, no more
WORKBOOK = "ambulance-borough-monthly.xlsx"

_CODES = {name: f"E090000{number:02d}" for number, name in enumerate(BOROUGHS, start=2)} | {
    "City of London": "E09000001"
}


@dataclass(frozen=True)
class File:
    """One delivered file: the inbox folder it goes to, its name and bytes, and the day it was released."""

    folder: str
    name: str
    body: bytes
    released_on: date


@dataclass(frozen=True)
class _Feed:
    """A feed's header and the values a category may have; `{}` in a header's place is filled as its name says."""

    header: tuple[str, ...]
    categories: tuple[str, ...]
    others: dict[str, tuple[str, ...]]


_FEEDS = {
    "ambulance_incidents": _Feed(
        ("Incident ID", "Dispatch Date", "Dispatch Time", "Illness Code", "Age", "Gender", "Borough", "LSOA Code", "Crew Notes"),
        ("Assault", "Knife Injury", "Sexual Assault", "Alcohol related", "Overdose", "Animal Bite"),
        {"Gender": ("M", "F", "")},
    ),
    "btp_crime": _Feed(
        ("Crime Reference", "Committed Date", "Committed Time", "Offence Classification", "Station", "Borough", "MO"),
        ("Violence against the person", "Robbery", "Sexual offences", "Public order", "Theft of passenger property"),
        {"Station": ("Stand-in Central", "Stand-in North")},
    ),
    "ed_istv": _Feed(
        (
            "Site Code (of Treatment)", "Arrival Date and Time at Accident and Emergency Department", "Assault Date",
            "Assault Time", "Assault Method", "Assault Method Other Description", "Assault Location Type",
            "Assault Location Description", "Borough", "LSOA Code", "Geocode Confidence",
        ),
        ("Fist/punch", "Feet/kick", "Knife/sharp object", "Glass/bottle", "Push", "Unknown"),
        {
            "Site Code (of Treatment)": ("XYZ01", "XYZ02"),
            "Assault Location Type": ("Public place/street", "Home", "Licensed premises/club", "Unknown"),
            "Geocode Confidence": ("0.9", "0.6", ""),
        },
    ),
    "ed_ecds": _Feed(
        (
            "Attendance ID", "Site Code", "EC_Injury_Date", "EC_Injury_Time", "EC_Injury_Intent_SNOMED_CT", "Borough",
            "LSOA Code", "Assault Location Description",
        ),
        ("52684005", "52684005", "276853009", "242056005"),
        {"Site Code": ("XYZ01", "XYZ02")},
    ),
    "tfl_driver_incidents": _Feed(
        ("Report ID", "Incident Date", "Incident Time", "Incident Category", "Route", "Borough", "Description"),
        ("Community safety", "Road safety", "Traffic", "Unknown"),
        {"Route": ("900", "901", "902")},
    ),
    "fire_incidents": _Feed(
        ("IncidentNumber", "DateOfCall", "TimeOfCall", "StopCodeDescription", "SpecialServiceType", "IncGeo_BoroughName"),
        ("Primary Fire", "Secondary Fire", "Special Service", "AFA", "False alarm - Good intent"),
        {"SpecialServiceType": ("",)},
    ),
    "mps_crime": _Feed(
        ("Crime Reference", "Committed Date", "Committed Time", "Minor Category", "Borough", "LSOA Code", "MO"),
        ("VIOLENCE WITH INJURY", "VIOLENCE WITHOUT INJURY", "ROBBERY OF PERSONAL PROPERTY", "THEFT FROM PERSON", "BURGLARY"),
        {},
    ),
}  # fmt: skip

_SERIES = {
    "All Ambulance Attended": ("", 90000),
    "Binge Drinking Report": ("BingeDrinking", 2700),
    "All Assaults Borough": ("AllAssaults", 1600),
    "Gun Injury Borough": ("GunInjury", 15),
    "Knife Injury Borough": ("KnifeInjury", 140),
    "All Weapons Borough": ("AllWeaponInjuries", 270),
    "Injured by Animal Borough": ("AnimalInjury", 30),
    "Assault Against Women Borough": ("AssaultsAgainstWomen", 450),
    "Assault Against Teens": ("AssaultsAgainstTeens", 170),
    "Cocaine Overdose Report": ("CocaineOverdose", 40),
    "Heroin Overdose Report": ("HeroinOverdose", 40),
}
# Counted among what another sheet counts, and never more.
_PARTS = {
    "Gun Injury Borough": "All Weapons Borough",
    "Knife Injury Borough": "All Weapons Borough",
    "Assault Against Women Borough": "All Assaults Borough",
    "Assault Against Teens": "All Assaults Borough",
}
_SUMMARY = (
    "AllAssaults", "GunInjury", "KnifeInjury", "AllWeaponInjuries", "AnimalInjury", "AssaultsAgainstWomen",
    "AssaultsAgainstTeens", "BingeDrinking", "CocaineOverdose", "HeroinOverdose",
)  # fmt: skip


def newest_month(today: date) -> date:
    """First day of the newest month that has been delivered: the one before, from the fifth on."""
    months = 1 if today.day >= PUBLICATION_DAY else 2
    return _month(today, -months)


def files(today: date, seed: int) -> list[File]:
    """Everything delivered up to a day that is still of use: three months of each feed, and the workbook."""
    newest = newest_month(today)
    delivered = [File("ambulance_borough", WORKBOOK, _workbook(newest, seed), _released(newest))]
    for dataset in _FEEDS:
        for back in range(EVENT_MONTHS - 1, -1, -1):
            month = _month(newest, -back)
            name = f"{dataset}-{month:%Y-%m}.csv"
            delivered.append(File(dataset, name, _feed(dataset, month, seed), _released(month)))
    return delivered


def _month(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _released(month: date) -> date:
    return _month(month, 1).replace(day=PUBLICATION_DAY)


def _pick(choices: Sequence[str], word: int) -> str:
    return choices[int(fraction(word) * len(choices))]


def _feed(dataset: str, month: date, seed: int) -> bytes:
    feed = _FEEDS[dataset]
    days = (_month(month, 1) - month).days
    boroughs = [name for name, weight in BOROUGHS.items() for _ in range(max(1, round(weight)))]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(feed.header)
    key = (str(seed), "safestats", dataset, f"{month:%Y%m}")
    number = count_around(EVENTS_A_MONTH, words(key, 1)[0])
    for index in range(number):
        draw = words((*key, str(index)), 8)
        day = month + timedelta(days=int(fraction(draw[0]) * days))
        minutes = int(fraction(draw[1]) * 24 * 60)
        quality = fraction(draw[2])
        time = (
            "" if quality < 0.03 else "00:00" if quality < 0.06 else f"{minutes // 60}"
            if quality < 0.08 else f"{minutes // 60:02d}:{minutes % 60:02d}"
        )  # fmt: skip
        filled = {
            "Age": str(12 + int(fraction(draw[3]) * 60)),
            "Arrival Date and Time at Accident and Emergency Department": f"{day.isoformat()} 23:59",
        }
        row = []
        for position, name in enumerate(feed.header):
            if name.endswith("Date") or name == "DateOfCall":
                row.append(f"{day:%d/%m/%Y}")
            elif name.endswith("Time") or name == "TimeOfCall":
                row.append(time)
            elif "Borough" in name:
                row.append("" if fraction(draw[4]) < 0.02 else _pick(boroughs, draw[5]))
            elif name in feed.others:
                row.append(_pick(feed.others[name], words((*key, str(index), name), 1)[0]))
            elif position == _category_column(feed):
                row.append(_pick(feed.categories, draw[6]))
            elif name in filled:
                row.append(filled[name])
            elif name in {"Crew Notes", "MO", "Description"} or name.endswith("Description"):
                row.append("Invented words, such as a name")
            elif name == "LSOA Code":
                row.append("")
            else:
                row.append(f"SYN{index + 1:06d}")
        writer.writerow(row)
    return text.getvalue().encode()


def _category_column(feed: _Feed) -> int:
    wanted = {
        "Illness Code", "Offence Classification", "Assault Method", "EC_Injury_Intent_SNOMED_CT", "Incident Category",
        "StopCodeDescription", "Minor Category",
    }  # fmt: skip
    return next(index for index, name in enumerate(feed.header) if name in wanted)


def _workbook(newest: date, seed: int) -> bytes:
    months = [_month(newest, -back) for back in range(WORKBOOK_MONTHS - 1, -1, -1)]
    total_weight = sum(BOROUGHS.values()) + 1
    london: dict[str, list[int]] = {}

    def drawn(sheet: str, name: str, month: date) -> int:
        mean = _SERIES[sheet][1] * BOROUGHS.get(name, 1) / total_weight
        count = count_around(mean, words((str(seed), "safestats", sheet, name, f"{month:%Y%m}"), 1)[0])
        return min(count, drawn(_PARTS[sheet], name, month)) if sheet in _PARTS else count

    sheets: dict[str, list[Row]] = {
        "Metadata": [
            ["Name", "Ambulance call out data by type of incidents"],
            ["Note", "Synthetic: every figure is invented"],
        ],
        "London Summary": [],
    }
    for sheet, (column, _) in _SERIES.items():
        rows: list[Row] = [["Code", "Borough", *(f"{month:%b %Y}" for month in months)]]
        sums = [0] * len(months)
        for name in (*BOROUGHS, "City of London"):
            counts = [drawn(sheet, name, month) for month in months]
            rows.append([_CODES[name], name, *counts])
            sums = [total + count for total, count in zip(sums, counts, strict=True)]
        rows += [["", "Total", *sums], [], ["", f"Synthetic stand-in for {sheet}."]]
        sheets[sheet] = rows
        if column:
            london[column] = sums
    header: list[Row] = [["Indicator", *_SUMMARY]]
    derived: list[Row] = [
        [label, *(_change(london[column], span) for column in _SUMMARY)]
        for label, span in (
            ("Change between most recent quarter and same period in the previous year", 3),
            ("Chage between most recent 6 months same period previous year", 6),
            ("Change between most recent twelve months and previous twelve months", 12),
        )
    ]
    derived.append(
        [
            "Average number of Incidents per month in most recent year",
            *(round(sum(london[column][-12:]) / 12, 4) for column in _SUMMARY),
        ]
    )
    derived.append([f"Report For {newest:%B %Y}"])
    lines: list[Row] = [
        [f"{month:%b %Y}", *(london[column][index] for column in _SUMMARY)] for index, month in enumerate(months)
    ]
    sheets["London Summary"] = [*header, *derived, *lines]
    return workbook(sheets)


def _change(counts: list[int], span: int) -> float:
    before = sum(counts[-12 - span : -12])
    return round(sum(counts[-span:]) / before - 1, 6) if before else 0.0
