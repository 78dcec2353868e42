"""The views a newcomer opens first: what is added in them is the right sum, and each row says what it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.homes import Home
from warehouse.bi import read
from warehouse.bi.metrics import metrics

VIEWS = ("bi_month", "bi_rolling_12", "bi_latest_12_months", "bi_financial_year")


@pytest.mark.parametrize(
    ("view", "count", "window", "month"),
    [
        ("bi_month", "month_count", "month", "v.month_start_date"),
        ("bi_rolling_12", "rolling_12_count", "rolling_12", "v.month_start_date"),
        ("bi_latest_12_months", "count_12_months", "rolling_12", "date_trunc('month', v.period_end_date)::date"),
        ("bi_financial_year", "year_count", "financial_year", "(v.year_start_date + interval '11 months')::date"),
    ],
)
def test_the_boroughs_of_a_measure_add_up_to_london_in_every_period(
    first_night: Home, view: str, count: str, window: str, month: str
) -> None:
    column = "month_count" if window == "month" else "rolling_12_count"
    assert (
        first_night.rows(
            f"""select v.measure_code, {month} as month, sum(v.{count}), l.{column}, count(*)
            from marts.{view} as v
            left join marts.fct_window as l
              on l.measure_code = v.measure_code and l.month_start_date = {month} and l.area_code = 'LONDON_32'
              and l.sex = 'all' and l.age_band = 'all'
            group by 1, 2, 4
            having count(v.{count}) = 32 and sum(v.{count}) is distinct from l.{column} or count(*) > 32"""
        )
        == []
    )
    assert int(str(first_night.rows(f"select count(*) from marts.{view}")[0][0])) > 5000


def test_the_first_sum_that_is_drawn_of_the_facts_is_wrong_and_of_the_narrow_view_right(first_night: Home) -> None:
    naive = "select sum(value)::int from marts.fct_measure where measure_code = 'mps_homicide_victims' and period_kind = 'month' and period_start_date = '2026-09-01'"
    narrow = "select sum(month_count)::int from marts.bi_month where measure_code = 'mps_homicide_victims' and month_start_date = '2026-09-01'"
    london = f"{naive} and area_code = 'LONDON_32' and (sex, age_band, ethnicity) = ('all', 'all', 'all')"
    assert first_night.rows(narrow) == first_night.rows(london)
    assert first_night.rows(naive) != first_night.rows(london)


def test_a_rate_of_london_is_a_sum_by_a_sum(first_night: Home) -> None:
    assert (
        first_night.rows(
            """select measure_code, round((sum(count_12_months)::float8 / sum(residents) * max(rate_per))::numeric, 2), max(london_rate)
            from marts.bi_latest_12_months where residents is not null group by 1
            having count(*) = 32 and round((sum(count_12_months)::float8 / sum(residents) * max(rate_per))::numeric, 2) <> max(london_rate)"""
        )
        == []
    )


@pytest.mark.parametrize("view", VIEWS)
def test_every_row_says_that_the_data_are_invented(first_night: Home, view: str) -> None:
    assert first_night.rows(f"select distinct data_kind from marts.{view}") == [
        ("synthetic: invented, for no decision",)
    ]


def test_the_wide_view_holds_what_the_narrow_one_does_and_every_key_leads_to_one_row(first_night: Home) -> None:
    assert first_night.rows("select sum(homicides), sum(knife_crimes) from marts.bi_month_wide") == first_night.rows(
        """select sum(month_count) filter (where measure_code = 'mps_homicide'),
             sum(month_count) filter (where measure_code = 'mps_knife_crime') from marts.bi_month"""
    )
    for dimension, key in (("bi_area", "area_code"), ("bi_measure", "measure_code"), ("bi_date", "date")):
        fact = "month_start_date" if key == "date" else key
        assert (
            first_night.rows(
                f"""select f.{fact} from (select distinct {fact} from marts.bi_month) as f
                left join marts.{dimension} as d on d.{key} = f.{fact} group by 1 having count(d.{key}) <> 1"""
            )
            == []
        )


def test_the_metrics_that_a_bi_tool_is_given_are_sums_by_sums(first_night: Home, tmp_path: Path) -> None:
    told = first_night.vru("bi-files", "--format", "superset", "--out", str(tmp_path / "superset"))
    assert told.returncode == 0, told.stderr
    (file,) = (tmp_path / "superset").glob("datasets/*/bi_latest_12_months.yaml")
    dataset = yaml.safe_load(file.read_text(encoding="utf-8"))
    by_name = {one["metric_name"]: one["expression"] for one in dataset["metrics"]}
    count, rate = by_name["count"], by_name["rate_per_1000"]
    of = "from marts.bi_latest_12_months where measure_code = 'mps_violence_with_injury'"
    assert first_night.rows(f"select {count} {of}") == first_night.rows(
        """select rolling_12_count::numeric from marts.fct_window where measure_code = 'mps_violence_with_injury'
           and area_code = 'LONDON_32' and sex = 'all' and age_band = 'all' and month_start_date = '2026-10-01'"""
    )
    assert first_night.rows(f"select round(({rate})::numeric, 2) {of}") == first_night.rows(
        f"select distinct london_rate {of}"
    )
    assert "SYNTHETIC" in next((tmp_path / "superset" / "databases").iterdir()).name


def test_a_metric_says_nothing_where_there_is_no_right_figure(first_night: Home) -> None:
    model = read(first_night.folder / "dbt" / "manifest.json", "London VRU")
    by_table = {one.name: {metric.name: metric.expression for metric in metrics(one)} for one in model.explored}

    def figures(table: str, names: str, where: str) -> tuple[object, ...]:
        chosen = ", ".join(by_table[table][name] for name in names.split())
        (row,) = first_night.rows(f"select {chosen} from marts.{table} where {where}")
        return row

    one = "measure_code = 'mps_violence_with_injury'"
    two = "measure_code in ('mps_violence_with_injury', 'mps_all_offences')"
    of_a_row = "rate rate_lower_95 rank_in_london"
    assert None not in figures("bi_latest_12_months", of_a_row, f"{one} and area_name = 'Lambeth'")
    assert figures("bi_latest_12_months", of_a_row, one) == (None, None, None)
    assert figures("bi_latest_12_months", "count rate_per_1000 london_rate change_percent", two) == (None,) * 4
    assert None not in figures("bi_latest_12_months", "count rate_per_1000 london_rate change_percent rate_base", one)
    assert figures("bi_rolling_12", "count london_rate", one) == (None, None)
    assert None not in figures("bi_rolling_12", "count london_rate", f"{one} and month_start_date = '2026-10-01'")
    assert figures("bi_month", "count", "true") == (None,)
    # Of knife crime no boroughs can be compared with a year before.
    assert figures("bi_latest_12_months", "change_percent", "measure_code = 'mps_knife_crime'") == (None,)
    everything = [(table, sql) for table, found in by_table.items() for sql in found.values()]
    assert len(everything) > 40
    for table, sql in everything:
        assert len(first_night.rows(f"select {sql} from marts.{table} where false")) == 1


def test_every_column_that_superset_is_told_of_stands_in_the_marts_with_its_type(first_night: Home) -> None:
    model = read(first_night.folder / "dbt" / "manifest.json", "London VRU")
    stand = set(
        first_night.rows(
            """select c.relname, a.attname, format_type(a.atttypid, null) from pg_attribute as a
            inner join pg_class as c on c.oid = a.attrelid where c.relnamespace = 'marts'::regnamespace and a.attnum > 0"""
        )
    )
    told = {(table.name, one.name, one.data_type.split("(")[0]) for table in model.explored for one in table.columns}
    assert told - stand == set()


def test_a_power_bi_model_has_one_way_from_each_fact_to_each_dimension_and_sums_no_column_by_itself(
    first_night: Home, tmp_path: Path
) -> None:
    told = first_night.vru("bi-files", "--format", "tmdl", "--out", str(tmp_path / "model"))
    assert told.returncode == 0, told.stderr
    ways = re.findall(
        r"fromColumn: (\w+)\.\w+\n\ttoColumn: (\w+)\.\w+",
        (tmp_path / "model/definition/relationships.tmdl").read_text(),
    )
    assert len(ways) == len(set(ways)) == 9
    for file in (tmp_path / "model/definition/tables").iterdir():
        text = file.read_text(encoding="utf-8")
        assert text.count("summarizeBy: none") == text.count("\tcolumn ") > 0
    assert 'expression Server = "127.0.0.1:' in (tmp_path / "model/definition/expressions.tmdl").read_text()
    again = first_night.vru("bi-files", "--format", "tmdl", "--out", str(tmp_path / "model"))
    assert again.returncode == 1
    assert "[EXPORT_FOLDER_TAKEN]" in again.stderr
