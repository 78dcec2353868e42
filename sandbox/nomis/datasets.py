"""The datasets of the stand-in NOMIS: dimensions and codes as the publisher has them, every figure invented."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from sandbox import places
from sandbox.draws import fraction, words

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
AREAS = places.LONDON | dict([places.LONDON_REGION, places.ENGLAND])
# Two a borough, as in the stand-in's files of recorded crime.
WARDS = {
    f"E05999{code[-2:]}{place}": f"Invented Ward {place}"
    for code in places.LONDON
    if code != places.CITY
    for place in (1, 2)
}


@dataclass(frozen=True)
class Period:
    """A period: its code, its name and when its present figures were released."""

    code: str
    name: str
    released: str


@dataclass(frozen=True)
class Dataset:
    """A dataset: dimensions as label by code; `value` tells a figure (seed, area, codes of the dimensions, measure, period)."""

    number: str
    name: str
    dimensions: Mapping[str, Mapping[str, str]]
    measures: Mapping[str, str]
    periods: Callable[[date], list[Period]]
    value: Callable[[int, str, tuple[str, ...], str, str], float | None]
    areas: Mapping[str, str] = field(default_factory=lambda: AREAS)
    area_type: tuple[str, int] = ("local authorities: district / unitary (as of April 2023)", 424)


def _months(today: date, first: int, last: int) -> list[date]:
    """First days of months, from so many months before this one to so many before."""
    now = today.year * 12 + today.month - 1
    return [date(n // 12, n % 12 + 1, 1) for n in range(now - first, now - last + 1)]


def _claimant_months(today: date) -> list[Period]:
    # On the 15th comes the month before, and with it the month three before that is revised.
    newest = _months(today, 1 if today.day >= 15 else 2, 1 if today.day >= 15 else 2)[0]
    first = date(newest.year - (newest.month < 4), 1, 1)
    months = _months(newest, (newest.year - first.year) * 12 + newest.month - 1, 0)
    return [
        Period(
            f"{month:%Y-%m}",
            f"{MONTHS[month.month - 1]} {month.year}",
            f"{_after(newest if place == 4 else month)} 07:00:00",
        )
        for place, month in zip(range(len(months), 0, -1), months, strict=True)
    ]


def _after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 15)


def _quarters(today: date) -> list[Period]:
    ends = [month for month in _months(today, 16, 4) if month.month % 3 == 0]
    return [
        Period(
            f"{end:%Y-%m}",
            f"{MONTHS[end.month % 12][:3]} {end.year - (end.month < 12)}-{MONTHS[end.month - 1][:3]} {end.year}",
            f"{_months(end, 0, -4)[-1].replace(day=12)} 07:00:00",
        )
        for end in ends
    ]


def _years(count: int, month: int) -> Callable[[date], list[Period]]:
    def years(today: date) -> list[Period]:
        newest = today.year - 1 if (today.month, today.day) >= (month, 20) else today.year - 2
        return [
            Period(str(year), str(year), f"{year + 1}-{month:02d}-20 09:30:00")
            for year in range(newest - count + 1, newest + 1)
        ]

    return years


def _census(today: date) -> list[Period]:
    return [Period("2021", "2021", "2022-11-29 09:30:00")]


def _draw(*key: object) -> float:
    return fraction(words(tuple(str(part) for part in key), 1)[0])


def _over_areas(of_area: Callable[[str], float | None], area: str) -> float | None:
    """A count of an area; London is the sum of its authorities, and England a round multiple of that."""
    if area in places.LONDON:
        return of_area(area)
    total = sum(of_area(code) or 0.0 for code in places.LONDON)
    return total if area == places.LONDON_REGION[0] else total * 6


def _population(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
    sex, age = codes
    return float(_persons(seed, area, sex, age, int(period)))


def _persons(seed: int, area: str, sex: str, age: str, year: int) -> int:
    if area == places.LONDON_REGION[0]:
        return sum(_persons(seed, code, sex, age, year) for code in places.LONDON)
    if area == places.ENGLAND[0]:
        return 6 * _persons(seed, places.LONDON_REGION[0], sex, age, year)
    key = (seed, area, year)
    if key not in _PYRAMIDS:
        # One draw for both sexes and all ages of an area and year: there are ten thousand figures in a year.
        drawn = words((str(seed), "population", area, str(year)), 182)
        scale = places.THOUSANDS[area] * 1000 / 182
        both = [
            [int(scale * (0.8 + 0.4 * fraction(drawn[place + 91 * n])) * (1.6 - place / 75)) for place in range(91)]
            for n in range(2)
        ]
        _PYRAMIDS[key] = (both[0], both[1])
    chosen = {"0": _PYRAMIDS[key], "1": _PYRAMIDS[key][:1], "2": _PYRAMIDS[key][1:]}[sex]
    return sum(sum(ages) if age == "200" else ages[int(age) - 101] for ages in chosen)


_PYRAMIDS: dict[tuple[int, str, int], tuple[list[int], list[int]]] = {}


def _claimants(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
    sex, age, kind = codes
    if kind == "2":
        return round(3 + 3 * _draw(seed, "rate", area, sex, age, period), 1)
    share = {"0": 1.0, "1": 0.55, "2": 0.45}[sex] * (1.0 if age == "0" else 0.09)

    # Every figure is rounded to the nearest 5 by itself, so parts do not add up to the whole.
    def rounded(code: str) -> float:
        return places.THOUSANDS[code] * 25 * share * (0.9 + 0.2 * _draw(seed, "claimants", code, sex, age, period))

    found = _over_areas(rounded, area) or 0.0
    return float(5 * int(found / 5 + 0.5))


def _survey(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
    level = {"45": 74.0, "83": 5.0, "84": 5.0, "111": 21.0}[codes[0]]
    if area == places.CITY:
        return None
    rate = round(level * (0.9 + 0.2 * _draw(seed, "survey", area, codes[0], period)), 1)
    base = {places.ENGLAND[0]: 35_000_000, places.LONDON_REGION[0]: 6_000_000}.get(
        area, places.THOUSANDS.get(area, 0) * 660
    )
    return {"20599": rate, "21001": float(int(base * rate / 100)), "21002": float(base), "21003": 2.4}[measure]


def _jobs(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
    if codes[0] == "3":
        return round(0.5 + 0.6 * _draw(seed, "density", area, period), 2)
    return _over_areas(
        lambda code: float(int(places.THOUSANDS[code] * (0.4 + 0.4 * _draw(seed, "jobs", code, period))) * 1000), area
    )


def _pay(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
    if area == places.CITY:
        return None
    if measure == "20701":
        return round(1 + 3 * _draw(seed, "cv", area, *codes, period), 1)
    return round((38000 if codes[2] == "7" else 720) * (0.8 + 0.4 * _draw(seed, "pay", area, *codes, period)))


def _counted(codes_of: Mapping[str, tuple[str, ...]], per_thousand: float) -> Callable[..., float | None]:
    """Figures of a census table whose totals are sums: `codes_of` tells which cells each total is of."""

    def value(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
        parts = codes_of.get(codes[0], (codes[0],))

        def of_area(code: str) -> float:
            return float(
                sum(int(places.THOUSANDS[code] * per_thousand * (0.5 + _draw(seed, "census", code, p))) for p in parts)
            )

        return _over_areas(of_area, area)

    return value


def _ward_residents(seed: int, area: str, codes: tuple[str, ...], measure: str, period: str) -> float | None:
    return float(int(places.THOUSANDS[f"E090000{area[6:8]}"] * 500 * (0.9 + 0.2 * _draw(seed, "ward", area))))


_GENDER = {"0": "Total", "1": "Male", "2": "Female"}
_AGES = {"200": "All Ages", **{str(101 + age): f"Age {age}" for age in range(90)}, "191": "Aged 90+"}
_CLAIMANT_AGES = {
    "0": "All categories: Age 16+", "10": "Aged 16-17", "11": "Aged 18-24", "12": "Aged 25-29", "13": "Aged 30-34",
    "14": "Aged 35-39", "15": "Aged 40-44", "16": "Aged 45-49", "17": "Aged 50-54", "18": "Aged 55-59", "19": "Aged 60-64",
    "20": "Aged 65+",
}  # fmt: skip
_GROUPS = {
    "0": "Total: All usual residents",
    "1001": "Asian, Asian British or Asian Welsh",
    "1002": "Black, Black British, Black Welsh, Caribbean or African",
    "1003": "Mixed or Multiple ethnic groups",
    "1004": "White",
    "1005": "Other ethnic group",
}
_ETHNIC_PARTS = {
    "0": tuple(str(n) for n in range(1, 20)),
    "1001": ("10", "11", "12", "13", "14"),
    "1002": ("15", "16", "17"),
    "1003": ("6", "7", "8", "9"),
    "1004": ("1", "2", "3", "4", "5"),
    "1005": ("18", "19"),
}
_WITHIN = {
    "1": "English, Welsh, Scottish, Northern Irish or British",
    "2": "Irish",
    "3": "Gypsy or Irish Traveller",
    "4": "Roma",
    "5": "Other White",
    "6": "White and Black Caribbean",
    "7": "White and Black African",
    "8": "White and Asian",
    "9": "Other Mixed or Multiple ethnic groups",
    "10": "Indian",
    "11": "Pakistani",
    "12": "Bangladeshi",
    "13": "Chinese",
    "14": "Other Asian",
    "15": "Caribbean",
    "16": "African",
    "17": "Other Black",
    "18": "Arab",
    "19": "Any other ethnic group",
}
_ETHNIC = _GROUPS | {
    part: f"{_GROUPS[group]}: {_WITHIN[part]}"
    for group, parts in _ETHNIC_PARTS.items()
    if group != "0"
    for part in parts
}
_DEPRIVED = {
    "0": "Total: All households",
    "1": "Household is not deprived in any dimension",
    **{
        str(n + 1): f"Household is deprived in {word} dimension{'s' * (n > 1)}"
        for n, word in enumerate(("one", "two", "three", "four"), start=1)
    },
}
_ACTIVITY = {
    "0": "Total: All usual residents aged 16 years and over",
    "1001": "Economically active (excluding full-time students)",
    "1002": "Economically active and a full-time student",
    "1003": "Economically inactive",
}
_QUALIFICATIONS = {
    "0": "Total: All usual residents aged 16 years and over",
    "1": "No qualifications",
    "2": "Level 1 and entry level qualifications",
    "3": "Level 2 qualifications",
    "4": "Apprenticeship",
    "5": "Level 3 qualifications",
    "6": "Level 4 qualifications and above",
    "7": "Other qualifications",
}
_VALUE = {"20100": "Value"}
_PAID = {"20100": "Value", "20701": "Confidence"}
_PAY = {
    "sex": {"8": "Total"},
    "item": {"2": "Median"},
    "pay": {"7": "Annual pay - gross", "1": "Weekly pay - gross"},
}
_VARIABLES = {
    "45": "Employment rate - aged 16-64",
    "83": "Unemployment rate - aged 16+",
    "84": "Unemployment rate - aged 16-64 ",
    "111": "% who are economically inactive - aged 16-64",
}
_SURVEYED = {"20599": "Variable", "21001": "Numerator", "21002": "Denominator", "21003": "Confidence"}

DATASETS = {
    dataset.number: dataset
    for dataset in (
        Dataset("NM_2002_1", "Population estimates - local authority based by single year of age", {"gender": _GENDER, "c_age": _AGES}, _VALUE, _years(3, 7), _population),
        Dataset("NM_162_1", "Claimant count by sex and age", {"gender": _GENDER, "age": _CLAIMANT_AGES, "measure": {"1": "Claimant count", "2": "Claimants as a proportion of residents aged 16-64"}}, _VALUE, _claimant_months, _claimants),
        Dataset("NM_17_5", "annual population survey - regional - percentages", {"variable": _VARIABLES}, _SURVEYED, _quarters, _survey),
        Dataset("NM_57_1", "jobs density", {"item": {"1": "Total jobs", "3": "Jobs density"}}, _VALUE, _years(3, 3), _jobs),
        Dataset("NM_30_1", "annual survey of hours and earnings - resident analysis", _PAY, _PAID, _years(3, 10), _pay),
        Dataset("NM_99_1", "annual survey of hours and earnings - workplace analysis", _PAY, _PAID, _years(3, 10), _pay),
        Dataset("NM_2041_1", "TS021 - Ethnic group", {"c2021_eth_20": _ETHNIC}, _VALUE, _census, _counted(_ETHNIC_PARTS, 52)),
        Dataset("NM_2031_1", "TS011 - Households by deprivation dimensions", {"c2021_dep_6": _DEPRIVED}, _VALUE, _census, _counted({"0": ("1", "2", "3", "4", "5")}, 80)),
        Dataset("NM_2083_1", "TS066 - Economic activity status", {"c2021_eastat_20": _ACTIVITY}, _VALUE, _census, _counted({"0": ("1001", "1002", "1003")}, 270)),
        Dataset("NM_2084_1", "TS067 - Highest level of qualification", {"c2021_hiqual_8": _QUALIFICATIONS}, _VALUE, _census, _counted({"0": ("1", "2", "3", "4", "5", "6", "7")}, 116)),
        Dataset("NM_2021_1", "TS001 - Number of usual residents in households and communal establishments", {"c2021_restype_3": {"0": "Total: All usual residents"}}, _VALUE, _census, _ward_residents, WARDS, ("wards 2022", 153)),
    )
}  # fmt: skip
