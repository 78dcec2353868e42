"""What the independent recomputations share: reading a mart, the statistics by scipy, and telling a figure from the one that is due."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import psycopg
from scipy import stats

from tests.homes import Home
from warehouse.platform.connection import ADMIN, connect

Read = Callable[[str], pd.DataFrame]
Due = Mapping[str, tuple[pd.Series | np.ndarray, float | pd.Series]]

# Half of the last digit of a figure, and how many it has.
DIGITS = {0.05: 1, 0.005: 2, 0.0005: 3, 5e-5: 4}
Z = {0.95: stats.norm.ppf(0.975), 0.998: stats.norm.ppf(0.999)}


def reader(home: Home) -> Read:
    """What reads the rows of a query in a home, as frame_of gives them."""

    def rows(query: str) -> pd.DataFrame:
        with connect(home.settings, ADMIN) as connection:
            return frame_of(connection, query)

    return rows


def frame_of(connection: psycopg.Connection, query: str) -> pd.DataFrame:
    """The rows of a query: a day is a day, whatever has no value is NaN."""
    with connection.cursor().copy(f"copy ({query}) to stdout with (format csv, header)".encode()) as copied:
        text = b"".join(copied)
    found = pd.read_csv(io.BytesIO(text), true_values=["t"], false_values=["f"], low_memory=False)
    for column in found.columns:
        if column == "month" or column.endswith(("_date", "_month")):
            found[column] = pd.to_datetime(found[column])
    return found


def breaks_of_series(read: Read) -> pd.DataFrame:
    """Measure, area (NaN: every one), month and kind of each break that steps."""
    return read(
        "select measure_code, area_code, break_month, break_kind from marts.series_break where break_kind <> 'restated'"
    )


def borough_codes(read: Read) -> list[str]:
    """The codes of the 32 boroughs."""
    return list(read("select borough_code from marts.dim_borough")["borough_code"])


def differ(found: pd.Series, due: pd.Series | np.ndarray, within: float | pd.Series = 0) -> int:
    """How many figures are not what they should be; one that is missing on one side alone differs.

    Args:
        found: as the mart has them.
        due: as worked out here.
        within: half of the last digit, where the mart rounds; else what two ways of adding up may differ by, of the figure.
    """
    a, b = np.asarray(found, dtype=float), np.asarray(due, dtype=float)
    assert np.isfinite(a).any(), f"{getattr(found, 'name', '')}: there is nothing to compare"
    # A figure that is rounded has no more digits than it says.
    if isinstance(within, float) and (digits := DIGITS.get(within)) is not None:
        assert np.array_equal(a, np.round(a, digits), equal_nan=True), (
            f"{getattr(found, 'name', '')}: not rounded to {digits}"
        )
    near = np.abs(a - b) <= np.asarray(within) * (1 + 1e-6) + 1e-9 * np.maximum(np.abs(a), 1)
    return int((~(near | (np.isnan(a) & np.isnan(b)))).sum())


def poisson(count: pd.Series | np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Byar's limits of a count, exact below 10."""
    n, z, tail = np.asarray(count, dtype=float), Z[confidence], (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(n < 10, stats.chi2.ppf(tail, 2 * n) / 2, n * (1 - 1 / (9 * n) - z / (3 * np.sqrt(n))) ** 3)
        above = n + 1
        upper = np.where(
            n < 10,
            stats.chi2.ppf(1 - tail, 2 * above) / 2,
            above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3,
        )
    return np.where(n == 0, 0, lower), upper


def wilson(x: pd.Series | np.ndarray, of: pd.Series | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's limits of a proportion at 95 %."""
    x, n, z = np.asarray(x, dtype=float), np.asarray(of, dtype=float), Z[0.95]
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = z * np.sqrt(z * z + 4 * x * (1 - x / n))
        return (2 * x + z * z - reach) / (2 * (n + z * z)), (2 * x + z * z + reach) / (2 * (n + z * z))


def in_range(breaks: pd.DataFrame, spans: pd.DataFrame, first: pd.Series, last: pd.Series) -> np.ndarray:
    """Whether a break of the measure and area lies after the first day and not after the last."""
    asked = pd.DataFrame(
        {"row": range(len(spans)), "measure_code": spans["measure_code"].to_numpy(), "area_code": spans["area_code"].to_numpy(),
         "first": first.to_numpy(), "last": last.to_numpy()}
    )  # fmt: skip
    met = asked.merge(breaks, on="measure_code", suffixes=("", "_of_break"))
    met = met[met["area_code_of_break"].isna() | (met["area_code_of_break"] == met["area_code"])]
    met = met[(met["break_month"] > met["first"]) & (met["break_month"] <= met["last"])]
    return asked["row"].isin(met["row"]).to_numpy()


def differing(rows: pd.DataFrame, due: Due) -> dict[str, int]:
    """How many figures of each column are not what is due, by column; none for those that are all right."""
    found = {name: differ(rows[name], figure, within) for name, (figure, within) in due.items()}
    return {name: count for name, count in found.items() if count}


def unlike(found: pd.DataFrame, due: pd.DataFrame, key: list[str]) -> dict[str, int]:
    """Where two tables differ: how many rows only one of them has ('rows'), and how many values of each column that both have are not
    the same; nothing where they agree. A value that is missing on both sides is the same.

    Args:
        found: as the warehouse has it.
        due: as worked out here: the key and the columns that are compared.
        key: the columns that say which row is which.
    """
    assert len(found), "there is nothing to compare"
    assert not due.duplicated(key).any(), "a row is due twice"
    both = found.merge(due, on=key, how="outer", suffixes=("", "_due"), indicator=True)
    counts = {"rows": int((both["_merge"] != "both").sum())}
    both = both[both["_merge"] == "both"]
    for column in [name for name in due.columns if name not in key]:
        a, b = both[column], both[f"{column}_due"]
        if pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b):
            x, y = a.to_numpy(dtype=float), b.to_numpy(dtype=float)
            same = np.isclose(x, y, rtol=1e-9, atol=1e-9, equal_nan=True)
        else:
            same = ((a == b) | (a.isna() & b.isna())).to_numpy(dtype=bool)
        counts[column] = int((~same).sum())
    return {name: count for name, count in counts.items() if count}


def label(text: pd.Series) -> pd.Series:
    """A publisher's label as two spellings of it are compared: white space collapsed, case folded."""
    return text.map(lambda one: " ".join(str(one).split()).lower())


def months_of(loads: pd.DataFrame) -> pd.DataFrame:
    """A row for each load and month that it covers."""
    spans = [
        pd.date_range(first, last, freq="MS")
        for first, last in zip(loads["first_month_start_date"], loads["last_month_start_date"], strict=True)
    ]
    return loads.assign(month=spans).explode("month").astype({"month": "datetime64[us]"})


def newest_first(claims: pd.DataFrame, of: list[str]) -> pd.DataFrame:
    """The claims of each of these with their number, the newest first, and how many there are."""
    ordered = claims.sort_values(["release_date", "landed_at", "load_id"], ascending=False)
    groups = ordered.groupby(of, dropna=False)
    return ordered.assign(claim_number=groups.cumcount() + 1, claim_count=groups["load_id"].transform("size"))


def loads_of(read: Read, source: str) -> pd.DataFrame:
    """The files of a source that stand, with the name of their edition as figures carry it."""
    loads = read(f"select * from staging.stg_ops__load where source = '{source}'")
    day = loads["release_date"].dt.strftime("%Y-%m-%d")
    return loads.assign(source_release=loads["dataset"] + " " + day + " sha256:" + loads["sha256"].str[:8])
