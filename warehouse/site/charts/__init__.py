"""Charts of the site: rows of a mart in, an SVG with its name and its description out.

Each kind is a function of rows and of a title (the finding) and subtitle (the statistic), which the page shows as heading and paragraph: they are the
chart's name and the beginning of its description, and are not painted. A chart works out positions and nothing else: every figure it shows is in
the rows. The same rows give the same bytes. Rows that cannot be drawn (none, a column missing, no number) raise ValueError; whether
there is something to draw at all is the page's question. Labels are untrusted and escaped.

A Chart holds two drawings, since text that is readable 640 px wide is not at 320: `svg` for a reading width, `narrow` for a small screen. A
page puts in both and shows one by a media query (display: none takes the other from screen readers too).

Why the SVG is written here and not by Altair and vl-convert: a site has some 800 charts, each twice. Measured on one core of two, a chart with
both its drawings takes 2 to 8 ms here, all of them 4 s; one trend by vl-convert took 260 ms, all of them 7 minutes of the 6 that the whole site
may take. Vega's SVG of it had 53 KiB, ours has 7. What these charts must do (a line cut at a break with its label, provisional months dashed and
hollow, a spine with a scale of its own in each row, labels that never cover one another, a role, a name and a description with ids that are unique
in a page, the same bytes each night, a layout for a narrow screen) is what Vega leaves to its caller: a specification would have been as long as the drawing.
It would also have brought four packages, one of them a JavaScript engine of 84 MB, beside Airflow's pins. What a library would have given is
some hundred lines: round ticks, widths of text, wrapping. No text is set by the browser: the widths are those of Liberation Sans and Arial.
"""

from warehouse.site.charts.bars import dots, quintiles, ranked, shares
from warehouse.site.charts.cells import grid, heatmap
from warehouse.site.charts.control import control
from warehouse.site.charts.drawing import NARROW, WIDE, Chart
from warehouse.site.charts.lines import index_lines, sparkline, trend
from warehouse.site.charts.maps import choropleth, tiles
from warehouse.site.charts.people import pyramid
from warehouse.site.charts.profiles import rug, spine
from warehouse.site.charts.scatter import cumulative, funnel

__all__ = [
    "NARROW",
    "WIDE",
    "Chart",
    "choropleth",
    "control",
    "cumulative",
    "dots",
    "funnel",
    "grid",
    "heatmap",
    "index_lines",
    "pyramid",
    "quintiles",
    "ranked",
    "rug",
    "shares",
    "sparkline",
    "spine",
    "tiles",
    "trend",
]
