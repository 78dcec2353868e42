"""MPS: a file of small areas or a dashboard has all 32 boroughs, and a dashboard the crimes it is named for."""

from __future__ import annotations

from psycopg import sql

from ingest.checks import NEXT_NAME, Delivery, Labels, borough_names, named, seed
from ingest.readers.faults import NEXT_DAMAGED
from ingest.readers.text import folded

# A dashboard with rows of fewer is a piece that somebody cut out: it is loaded, and one of counts speaks for nothing
# (int_mps_dashboard_release).
BOROUGHS_OF_A_DASHBOARD = 16
KNIFE = "knife crime"


def check(delivery: Delivery) -> Labels:
    """As ingest.checks.check."""
    is_dashboard = delivery.name.startswith("dashboard_")
    may_be_a_piece = is_dashboard or delivery.name == "vawg"
    if not may_be_a_piece and not delivery.name.startswith(("ward_", "lsoa_")):
        return {}
    if delivery.name in {"dashboard_knife", "dashboard_other"}:
        _check_subject(delivery)
    code_of = {
        folded(row["published_name"]): row["area_code"] for row in seed("area_aliases") if row["source"] == "mps"
    }
    column = "borough_snt" if is_dashboard else "borough_name"
    labels = delivery.rows("select distinct {column} from delivered", column=sql.Identifier(column))
    wanted = borough_names().keys()
    lacks = sorted(wanted - {code_of.get(folded(label or "")) for (label,) in labels})
    has = len(wanted) - len(lacks)
    if lacks and (not may_be_a_piece or has >= BOROUGHS_OF_A_DASHBOARD):
        raise delivery.refuse(f"has rows of {has} of the 32 boroughs: it lacks {named(lacks)}", NEXT_DAMAGED)
    return {}


def _check_subject(delivery: Delivery) -> None:
    """Refuse the dashboard of knife crime under the published name of the other one, or the other way round."""
    named_for = delivery.file_name.casefold()
    subjects = {folded(subject) for (subject,) in delivery.rows("select distinct crime_type from delivered")}
    if "knifecrime" in named_for and KNIFE not in subjects:
        raise delivery.refuse(
            f"is of knife crime by its name, and has rows of {', '.join(sorted(subjects))}", NEXT_NAME
        )
    if "othercrime" in named_for and subjects == {KNIFE}:
        raise delivery.refuse("is of other crimes by its name, and has knife crime alone", NEXT_NAME)
