"""Titles that say what a mart has found. Each reads a verdict that stands in the rows; none compares or tests anything itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from warehouse.site import formats
from warehouse.site.model import Area, Row, Rows

# What the marts call significance against London, and what a page says of it.
AGAINST_LONDON = {"High": "above London", "Low": "below London", "Not": "in line with London"}
SIGNALS = {
    "above_upper_limit": "above its limits",
    "below_lower_limit": "below its limits",
    "eight_above_centre": "eight months or more above its mean",
    "eight_below_centre": "eight months or more below its mean",
    "none": "within its limits",
}
RARE = "too few a month for its limits to tell"
NAMES = {"mps_homicide": "Homicide offences"}  # dim_measure calls it Homicide, as the publisher does
LEAST = 30  # events or crimes below which a title names no peak and gives no percentage


def against_london(row: Row) -> str:
    """How the mart judges a rate against London's, in words; empty where it does not."""
    return (
        AGAINST_LONDON.get(str(row["significance_against_london"] or "").split()[0], "")
        if row.get("significance_against_london")
        else ""
    )


def newest(rows: Rows, column: str = "month_start_date") -> Row:
    """The row of the newest period."""
    return max(rows, key=lambda row: row[column])


def signal_of(row: Row) -> str:
    """What the control chart says of a month, in words; empty where it has no limits."""
    if row["has_enough_events"] is False:
        return RARE
    return SIGNALS.get(row["chart_signal"] or "", "")


def signal(name: str) -> Callable[[Rows, Area], str]:
    """Says what the control chart signals in its newest month."""

    def title(rows: Rows, area: Area) -> str:
        last = newest(rows)
        found = signal_of(last)
        if not found:
            return f"{name}: too few months for limits"
        if found.startswith("eight"):
            return f"{name}: {found}"
        return f"{name}: {found} in {formats.month(last['month_start_date'])}"

    return title


def level(name: str) -> Callable[[Rows, Area], str]:
    """Says the newest rate of twelve months, and London's."""

    def title(rows: Rows, area: Area) -> str:
        last = newest(rows)
        if last["rate"] is None:
            return f"{name}: {formats.count(last['rolling_12_count'])} in twelve months"
        return f"{name}: {formats.rate(last['rate'])} {per(last)}; London {_or_missing(last['london_rate'])}"

    return title


def compared(name: str) -> Callable[[Rows, Area], str]:
    """Says how the area's rate stands to London's, as the mart has tested it."""

    def title(rows: Rows, area: Area) -> str:
        mine = next((row for row in rows if row["area_code"] == area.code), None)
        found = against_london(mine) if mine else ""
        return (
            f"{found[:1].upper()}{found[1:]} for {name}" if found else f"{name[:1].upper()}{name[1:]}: the 32 boroughs"
        )

    return title


def per(row: Row) -> str:
    """The unit of a rate: per 1,000 residents."""
    return f"per {row['rate_per']:,}" if row.get("rate_per") else ""


def twelve_months(rows: Rows, column: str = "window_end_date") -> str:
    """12 months to October 2026, of the newest row."""
    return f"12 months to {formats.month(newest(rows, column)[column])}" if rows else "12 months"


def period(row: Row, first: str = "period_start_date", last: str = "period_end_date") -> str:
    """November 2025 to October 2026, and how many of its months are held where not all are."""
    text = f"{formats.month(row[first])} to {formats.month(row[last])}"
    whole = 12 * (row[last].year - row[first].year) + row[last].month - row[first].month + 1
    held = row.get("months_held")
    return text if held is None or held >= whole else f"{text} ({held} of {counted(whole, 'month')} held)"


def counted(value: int, one: str, many: str = "") -> str:
    """1 crime, 1,234 crimes."""
    return f"{formats.count(value)} {one if value == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """A, B and C; of more than `most` the first, and that there are others."""
    shown = [*names[:most], "others"] if len(names) > most else list(names)
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)


def measured(row: Row) -> str:
    """What a row's measure counts; offences of homicide are told apart from its victims."""
    return NAMES.get(row["measure_code"] or "", row["measure_name"] or "")


def _or_missing(value: float | None) -> str:
    return formats.MISSING if value is None else formats.rate(value)
