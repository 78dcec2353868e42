"""The page for the engineer: how the warehouse stands. Counts, codes and names of checks; no row, no value."""

from __future__ import annotations

import datetime as dt
from typing import Any, LiteralString

from psycopg.rows import dict_row

from warehouse import alerts
from warehouse.airflow import internals
from warehouse.platform.connection import GATE, LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.reports import status
from warehouse.site import formats
from warehouse.site.model import LONDON, Column
from warehouse.site.rendering import Page
from warehouse.site.shown import Shown
from warehouse.site.topics import findings

NEWEST = 30
_QUARANTINED = """select l.source, l.dataset, r.code, count(*) as rows, max(l.loaded_at) as newest
    from quarantine.refused_row as r inner join ops.load as l on r.load_id = l.load_id
    group by l.source, l.dataset, r.code order by count(*) desc, l.source, l.dataset, r.code"""
_RELEASES = """select release_id, judged_at, published_at, state, verdict, verdict_reason from ops.release order by release_id desc limit 30"""
_CHECKS = """select q.suite, q.check_name, q.severity, q.outcome, q.unexpected_count
    from ops.quality_result as q where q.outcome <> 'passed' and q.candidate_id = (
        select candidate_id from ops.release order by release_id desc limit 1
    ) order by q.severity, q.suite, q.check_name"""


def status_page(settings: Settings, banners: list[dict[str, str]]) -> Page:
    """The page, as the home stands at this moment.

    Args:
        banners: what is said above every page of the site.
    """
    tables = [
        _table("Releases", "Every verdict of the gate, newest first", ["Release", "Judged", "Published", "State", "Verdict", "Why"], [
            [str(row["release_id"]), _moment(row["judged_at"]), _moment(row["published_at"]), row["state"], row["verdict"], row["verdict_reason"] or "nothing"]
            for row in _rows(settings, GATE, _RELEASES)
        ], "nothing has been judged yet"),
        _table("Checks that did not pass", "Of the newest verdict", ["Suite", "Check", "Severity", "Outcome", "Rows"], [
            [row["suite"], row["check_name"], row["severity"], row["outcome"], formats.count(row["unexpected_count"] or 0)]
            for row in _rows(settings, GATE, _CHECKS)
        ], "every check passed"),
        _table("Alerts", "Newest first", ["Raised", "Code", "Kind", "Subject", "Delivered"], [
            [_moment(alert["raised_at"]), alert["code"] or "none", alert["kind"], alert["subject"], _moment(alert["delivered_at"])]
            for alert in alerts.alerts(settings)[:NEWEST]
        ], "no alert was ever raised"),
        _table("Freshness", "Every dataset", ["Dataset", "Source", "Newest month", "Loaded to", "Fetched", "State", "Code"], [
            [
                row["dataset"], row["source"], _month(row["newest_period_start_date"]), _month(row["newest_loaded_period_start_date"]),
                _moment(row["fetched_at"]), row["state"], row["code"] or "none",
            ]
            for row in status.datasets(settings)
        ], "no dataset is declared"),
        _table("Quarantine by code", "Rows that were refused, of every load that is known", ["Code", "Source", "Dataset", "Rows", "Newest"], [
            [row["code"] or "none", row["source"], row["dataset"], formats.count(row["rows"]), _moment(row["newest"])]
            for row in _rows(settings, LOADER, _QUARANTINED)
        ], "no row is in quarantine"),
    ]  # fmt: skip
    context: dict[str, Any] = {
        "heading": "How the warehouse stands", "area_label": "", "edition": "", "banners": banners, "is_alone": True,
        "asks": "Did the nights go well, and is everything fresh?", "paragraphs": [], "tables": tables,
    }  # fmt: skip
    return Page("engineer.html", "plain.html.j2", LONDON, context, (_nights(settings),))


def _nights(settings: Settings) -> Shown:
    runs = internals.ended_runs(settings, "nightly", limit=NEWEST)
    rows = tuple(
        {
            "begun": formats.moment(run.begun_at), "state": run.state, "minutes": round(run.seconds / 60, 2),
        }
        for run in runs
    )  # fmt: skip
    return Shown(
        key="nights",
        title=f"The newest night took {rows[0]['minutes']} minutes" if rows else "Nights",
        subtitle=f"Minutes of {findings.counted(len(rows), 'run')} of the nightly job, newest first",
        chart="dots" if rows else "",
        unit="minutes",
        columns=(Column("begun", "Begun"), Column("state", "Ended", "code"), Column("minutes", "Minutes", "number")),
        rows=rows,
        chart_rows=tuple(
            {"label": f"{row['begun']}, {row['state']}", "value": row["minutes"], "lower": None, "upper": None, "benchmark": None} for row in rows
        ),
        note="", sql="-- of Airflow's own database: its runs of the DAG nightly", measures=(), editions=(), trace="",
        missing="" if rows else "No night has been run by Airflow in this home yet.",
    )  # fmt: skip


def _table(title: str, subtitle: str, columns: list[str], rows: list[list[str]], nothing: str) -> dict[str, Any]:
    listed = [{"id": "", "cells": row} for row in rows]
    return {"title": title, "subtitle": subtitle, "columns": columns, "rows": listed, "nothing": nothing}


def _rows(settings: Settings, role: str, query: LiteralString) -> list[dict[str, Any]]:
    with connect(settings, role) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query).fetchall()


def _moment(value: dt.datetime | None) -> str:
    return formats.moment(value) if value else "not yet"


def _month(value: dt.date | None) -> str:
    return formats.month(value) if value else formats.MISSING
