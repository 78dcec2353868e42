"""police.uk: whether a file is of the force its name says, and has what a month of that force always has."""

from __future__ import annotations

from psycopg import sql

from ingest.checks.labels_agree import check_code_and_name_agree, check_labels_kept
from ingest.checks.rows_kept import check_not_doubled, check_rows_kept
from ingest.checks.shares import doubt_new_shares
from ingest.delivery import NEXT_NAME, Delivery, Labels, borough_names, seed
from ingest.editions import Edition
from ingest.errors import Wrong
from ingest.readers.faults import Fault, some_of

# What no whole month of a force was without since May 2013, when the kinds of crime became those of today; and what the Met's had before.
KINDS_SINCE = "2013-05"
ALWAYS = {
    "metropolitan": (
        "Anti-social behaviour", "Burglary", "Robbery", "Vehicle crime", "Violence and sexual offences",
    ),
    "city-of-london": ("Violence and sexual offences",),
    "btp": ("Violence and sexual offences",),
}  # fmt: skip
ALWAYS_BEFORE = {"metropolitan": ("Anti-social behaviour", "Burglary", "Robbery", "Vehicle crime", "Violent crime")}
# The least of the boroughs has one in eighty of the Met's crimes: of so many rows, 25.
ROWS_WITH_EVERY_BOROUGH = 2_000
# A whole month of searches goes on to its last days; of so many, none after the 20th is a file cut in order of time.
SEARCHES_WITH_LAST_DAYS, LAST_DAYS = 100, 20
# An LSOA's name is its borough's, a space and four characters.
BOROUGH = "left(lsoa_name, -5)"
# What a row is about and stays about, whatever becomes of it.
KEPT_BY = {
    "street": {"borough": BOROUGH, "crime_type": "crime_type"},
    "outcomes": {"borough": BOROUGH, "outcome_type": "outcome_type"},
    "stop_and_search": {"searched_at": "searched_at", "search_type": "search_type", "gender": "gender"},
}
CITY_KEPT_BY = {"crime_type": "crime_type"}  # what lies outside the City is a few rows of each borough
# Forces correct kinds and places of crimes for months.
MAY_GO = 0.1
# Degrees of longitude and latitude: around Greater London, and around the City with the half kilometre that its outline may be off.
LONDON = (-0.52, 51.28, 0.34, 51.70)
CITY = (-0.117, 51.503, -0.068, 51.526)
PLACED_ENOUGH = 20  # rows with coordinates, before most of them say whose they are
MAY_REPEAT = 0.2  # of a month's outcomes: a crime may be told twice, not all of them


def check_against(delivery: Delivery, edition: Edition) -> list[str]:
    """See `ingest.checks`: an archive rewrites its months, and moves few of their rows to other boroughs and kinds."""
    by = KEPT_BY[delivery.name]
    if "borough" in by:
        check_labels_kept(delivery, edition, "lsoa_code", "lsoa_name")
    check_not_doubled(delivery, edition, number=["crime_id"], area=by.get("borough", "''"))
    # What has no place yet may be placed.
    check_rows_kept(delivery, edition, by, where="lsoa_name <> ''" if "borough" in by else "true", may_go=MAY_GO)
    return []


def doubt(delivery: Delivery, _: Edition | None) -> Wrong | None:
    """See `ingest.checks`: each borough has its share of a new month, and so has each kind of crime."""
    if delivery.name != "street":
        return None
    return doubt_new_shares(delivery, KEPT_BY["street"] if delivery.part.endswith("metropolitan") else CITY_KEPT_BY)


def check(delivery: Delivery) -> Labels:
    """See `ingest.checks`."""
    month, force = delivery.part[:7], delivery.part[8:]
    if delivery.name == "stop_and_search":
        _check_searches(delivery, month, force)
        return {}
    label = "crime_type" if delivery.name == "street" else "outcome_type"
    by: dict[str, dict[str, int]] = {"reported_by": {}, "falls_within": {}, "label": {}, "borough": {}}
    for kind, value, rows in delivery.rows(
        """select case when grouping(reported_by) = 0 then 'reported_by' when grouping(falls_within) = 0 then 'falls_within'
                        when grouping({label}) = 0 then 'label' else 'borough' end,
                   coalesce(reported_by, falls_within, {label}, borough), count(*)
            from (select reported_by, falls_within, {label}, left(lsoa_name, -5) as borough from delivered) as d
            group by grouping sets ((reported_by), (falls_within), ({label}), (borough))""",
        label=sql.Identifier(label),
    ):
        by[kind][value or ""] = rows
    _check_force(delivery, force, by["reported_by"], by["falls_within"])
    check_code_and_name_agree(delivery, "lsoa_code", BOROUGH)
    if delivery.name == "outcomes":
        _check_outcomes_once(delivery)
        return {}
    _check_places(delivery, force)
    always = ALWAYS[force] if month >= KINDS_SINCE else ALWAYS_BEFORE.get(force, ())
    if month < KINDS_SINCE and delivery.is_synthetic:
        always = ()  # whoever invents a month of those years invents a few rows
    lacks = [kind for kind in always if kind not in by["label"]]
    if lacks and delivery.done.rows:
        raise delivery.refuse(
            "CATEGORIES_MISSING",
            f"has no {' and no '.join(lacks)}, which every month of {force} has: it is not all of the month",
        )
    if force == "metropolitan" and sum(n for name, n in by["borough"].items() if name) >= ROWS_WITH_EVERY_BOROUGH:
        lacks = [name for name in borough_names().values() if name not in by["borough"]]
        if lacks:
            raise delivery.refuse(
                "AREAS_MISSING",
                f"has no crime in {len(lacks)} of the 32 boroughs ({some_of(lacks)}): it is not all of the month",
            )
    return {kind: by["label"][kind] for kind in always}


def _check_force(delivery: Delivery, force: str, reported_by: Labels, falls_within: Labels) -> None:
    """Refuse rows that another force reported, or most of which another force's area has."""
    code = force.replace("-", "_")
    labels = {
        row["published_label"]
        for row in seed("police_uk_label")
        if row["label_list"] == "force" and row["code"] == code
    }
    others = {name: rows for name, rows in reported_by.items() if name not in labels}
    outside = {name: rows for name, rows in falls_within.items() if name not in labels}
    if sum(outside.values()) * 2 > delivery.done.rows:
        others = others or outside
    if others:
        said = ", ".join(f"{name} ({rows:,})" for name, rows in sorted(others.items(), key=lambda one: -one[1]))
        raise delivery.refuse("NAME_DIFFERS_FROM_ROWS", f"is of {force} by its name, and has rows of {said}", NEXT_NAME)


def _check_outcomes_once(delivery: Delivery) -> None:
    """Refuse a month most of whose crimes have the same outcome twice."""
    ((rows, again, first),) = delivery.rows(
        """select coalesce(sum(rows), 0)::bigint, coalesce(sum(rows - 1), 0)::bigint, min(second) from (
               select count(*) as rows, (array_agg(_row_number order by _row_number))[2] as second
               from delivered where btrim(crime_id) <> '' group by crime_id, outcome_type, month
           ) as one"""
    )
    if again > MAY_REPEAT * rows:
        reason = f"has the same outcome of the same crime and month again in {again:,} of its {rows:,} rows"
        raise delivery.refuse_rows([Fault("ROW_REPEATED", first, "Crime ID", None, reason)])


def _check_places(delivery: Delivery, force: str) -> None:
    """Refuse crimes of a force of London most of which lie outside it by their coordinates."""
    ((placed, in_london),) = delivery.rows(
        """select count(*), count(*) filter (where {in_london}) from delivered where latitude <> '' and longitude <> ''""",
        in_london=_within(LONDON),
    )
    if force != "btp" and placed >= PLACED_ENOUGH and in_london * 2 < placed:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"is of {force} by its name, and {in_london:,} of its {placed:,} crimes with a place lie in London",
            NEXT_NAME,
        )


def _check_searches(delivery: Delivery, month: str, force: str) -> None:
    ((rows, last_day, placed, in_london, in_city),) = delivery.rows(
        """select count(*),
                   max(extract(day from searched_at::timestamptz at time zone 'Europe/London'))
                       filter (where to_char(searched_at::timestamptz at time zone 'Europe/London', 'YYYY-MM') = {month})::integer,
                   count(*) filter (where is_placed),
                   count(*) filter (where is_placed and {in_london}),
                   count(*) filter (where is_placed and {in_city})
            from (select *, latitude <> '' and longitude <> '' as is_placed from delivered) as d""",
        month=sql.Literal(month),
        in_london=_within(LONDON),
        in_city=_within(CITY),
    )
    if rows >= SEARCHES_WITH_LAST_DAYS and (last_day or 0) < LAST_DAYS:
        raise delivery.refuse(
            "MONTH_NOT_WHOLE", f"has {rows:,} searches and none after day {last_day} of {month}: it is cut short"
        )
    if placed < PLACED_ENOUGH or force == "btp":
        return
    its_own = in_city if force == "city-of-london" else in_london - in_city
    if its_own * 2 < placed:
        raise delivery.refuse(
            "NAME_DIFFERS_FROM_ROWS",
            f"is of {force} by its name, and {its_own:,} of its {placed:,} searches with a place lie where that force polices "
            f"({in_city:,} in the City of London, {in_london - in_city:,} elsewhere in London)",
            NEXT_NAME,
        )


def _within(box: tuple[float, float, float, float]) -> sql.Composed:
    return sql.SQL("longitude::float8 between {} and {} and latitude::float8 between {} and {}").format(
        *(sql.Literal(box[side]) for side in (0, 2, 1, 3))
    )
