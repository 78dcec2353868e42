"""What of the police's files may change from one edition to the next: counts by area and month are revised a little, homicides one by one."""

from __future__ import annotations

from ingest.checks.rows_kept import MAY_GROW, check_areas_of_their_months, check_rows_kept
from ingest.delivery import Delivery
from ingest.editions import Edition

# What has no borough yet is placed month by month, and goes from one edition to the next.
NO_BOROUGH = "'unknown|other|not known|aviation|airport'"
PLACED = f"borough_name !~* {NO_BOROUGH}"
# Offences by borough alone: a dashboard counts the same by their teams, which are held against them, and outcomes come for months.
OF_BOROUGHS = "lower(btrim(area_type)) like 'borough%' and lower(btrim(measure)) like 'offence%'"
BOROUGH_OF_A_DASHBOARD = "coalesce(nullif(btrim(borough_snt), ''), area_name)"
OF_A_DASHBOARD = f"{OF_BOROUGHS} and {BOROUGH_OF_A_DASHBOARD} !~* {NO_BOROUGH}"
DASHBOARD = {
    "month_year": "month_year",
    "borough_snt": BOROUGH_OF_A_DASHBOARD,
    "measure": "measure",
}
HOMICIDES = {
    "homicide_victims": {
        "recorded_date": "coalesce(nullif(btrim(recorded_date), ''), recorded_month || ' ' || recorded_year)",
        "borough": "borough",
        "method_of_killing": "method_of_killing",
        "sex": "sex",
        "age_group": "age_group",
        "officer_observed_ethnicity": "officer_observed_ethnicity",
    },
    "homicide_accused": {
        "proceedings_date": "proceedings_date",
        "borough": "borough",
        "offence_type": "offence_type",
        "gender": "gender",
        "age_group": "age_group",
    },
}
# A hundredth of a month is revised; borough and category move a little more.
MAY_GO = 0.1
VAWG = {name: name for name in ("sheet", "recorded_month", "borough_name", "crimsec_group")}


def check_against(delivery: Delivery, edition: Edition) -> list[str]:
    """See `ingest.checks`."""
    kind = delivery.name.partition("_")[0]
    if kind in {"borough", "ward", "lsoa"}:
        # With another list of categories offences are placed and counted otherwise: Heathrow had 33,721 before CONNECT and 37 since.
        if delivery.opened.vintage == edition.vintage:
            by = {"borough_name": "borough_name", "minor_text": "minor_text"}
            check_rows_kept(delivery, edition, by, value="cell", where=PLACED, may_go=MAY_GO, may_grow=MAY_GROW)
            if kind == "borough":
                by |= {"month_header": "month_header"}
                check_areas_of_their_months(delivery, edition, by, value="cell", where=PLACED)
    elif kind == "dashboard":
        check_rows_kept(delivery, edition, DASHBOARD, value="count", where=OF_A_DASHBOARD, may_grow=MAY_GROW)
        # A form may name its crimes otherwise than the one before did, so that one is gone says nothing by itself.
        by = DASHBOARD | {"crime_subtype": "crime_subtype"}
        check_rows_kept(delivery, edition, by, value="count", where=OF_A_DASHBOARD, may_go=None, may_grow=MAY_GROW)
    elif kind == "homicide":
        counted = "count_of_victims" if delivery.name == "homicide_victims" else "count_of_ppa"
        check_rows_kept(
            delivery,
            edition,
            HOMICIDES[delivery.name],
            value=counted,
            where=f"borough !~* {NO_BOROUGH}",
            may_grow=MAY_GROW,
        )
    elif kind == "vawg":
        check_rows_kept(delivery, edition, VAWG, value="count", where=PLACED, may_grow=MAY_GROW)
    return []
