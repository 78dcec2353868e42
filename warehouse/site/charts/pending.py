"""Kinds of charts whose drawing is still to come; their columns are settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from warehouse.site.charts.drawing import Chart
from warehouse.site.charts.rows import Row, check

COLUMNS = {
    "trend": "period_start_date value lower upper series is_provisional is_break break_label",
    "control": "period_start_date value centre lower_2 upper_2 lower_3 upper_3 signal",
    "ranked": "area_name value lower upper is_this note",
    "funnel": "area_name denominator value centre lower_2 upper_2 lower_3 upper_3 is_this",
    "rug": "measure_name column significance value",
    "spine": "measure_name value low q1 median q3 high benchmark significance",
    "tiles": "area_code area_name value class_label",
    "choropleth": "area_code area_name value class_label",
    "heatmap": "weekday hour value class",
    "pyramid": "age_band sex share residents_share",
    "dots": "label value lower upper benchmark",
    "cumulative": "rank_share count_share",
    "index_lines": "period_start_date series value",
    "shares": "label share lower upper",
    "quintiles": "quintile value lower upper",
    "grid": "label month state",
    "sparkline": "period_start_date value",
}


def pending(kind: str) -> Callable[..., Chart]:
    """A kind that checks its rows and does not draw them yet."""

    def draw(rows: Sequence[Row], *, title: str, subtitle: str, unit: str = "") -> Chart:
        check(kind, rows, COLUMNS[kind].split())
        raise NotImplementedError(kind)

    return draw
