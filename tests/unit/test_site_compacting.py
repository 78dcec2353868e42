"""A chart in a page is shorter than its file, and the same to look at."""

from __future__ import annotations

from warehouse.site.compacting import compact, named_by, rules

FILE = (
    '<svg xmlns="http://www.w3.org/2000/svg" class="chart trend" role="img" aria-labelledby="at" viewBox="0 0 640 200" font-family="Arial" font-size="12" '
    'fill="#1a1a1a"><title id="at">A &lt; B</title><line class="break" x1="1" y1="2" x2="1" y2="9.5" stroke="#d9d9d9" stroke-width="1"/>'
    '<text x="3" y="4" text-anchor="end">10</text><rect x="0" y="0" width="5" height="6" fill="#abcdef"/></svg>'
)


def test_what_most_marks_say_becomes_classes_and_all_else_stays() -> None:
    assert compact(FILE) == (
        '<svg class="chart trend" role="img" aria-labelledby="at" viewBox="0 0 640 200"><title id="at">A &lt; B</title>'
        '<path class="break k21 k38" d="M1 2V9.5"/><text class=k55 x=3 y=4>10</text><rect x=0 y=0 width=5 height=6 fill=#abcdef /></svg>'
    )


def test_the_narrow_drawing_has_the_name_of_the_wide_one_beside_it() -> None:
    wide, narrow = (
        f'<svg role="img" aria-labelledby="{name}t" aria-describedby="{name}d" viewBox="0 0 9 9"><title id="{name}t">A</title><desc id="{name}d">B</desc><g/></svg>'
        for name in "wn"
    )
    assert (
        named_by(narrow, wide)
        == '<svg role="img" aria-labelledby="wt" aria-describedby="wd" viewBox="0 0 9 9"><g/></svg>'
    )


def test_a_line_through_points_is_said_by_its_steps() -> None:
    given = '<path d="M31.4 258.2L40 258.2L40.5 250.9L30 251.2ZM1 2L0.5 2" fill="none"/>'
    assert compact(given) == '<path class="k0" d="M31.4 258.2l8.6 0 .5-7.3-10.5 .3zM1 2l-.5 0"/>'.replace('"k0"', "k0")


def test_the_style_sheet_says_what_the_classes_stand_for() -> None:
    said = rules().splitlines()
    assert {".k21{stroke:#d9d9d9}", ".k38{stroke-width:1}", ".k55{text-anchor:end}"} <= set(said)
    assert said[0] == ".chart{font:12px Arial, Liberation Sans, sans-serif;fill:#1a1a1a}"
