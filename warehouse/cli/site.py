"""Commands about what people look at: the site, one area's pack."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from ingest.errors import Refusal
from warehouse import site
from warehouse.cli import printing
from warehouse.cli.group import json_option, main, say
from warehouse.platform.settings import settings


@main.command("site")
@click.option("--release", "release_id", type=int, help="An earlier release (`vru releases`), of the partner edition.")
@click.option("--edition", help="open or partner; both where it is left out.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The site's folder; `site` in the home where it is left out."
)
@click.option("--serve", "is_served", is_flag=True, help="Build nothing: show what stands, on this machine alone.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8321, show_default=True, help="With --serve; 0 for a free one."
)
@click.option(
    "--wait",
    "is_awaited",
    is_flag=True,
    help="With --serve: also before there is a site, and at a free port where that one is taken.",
)
@click.option(
    "--listen",
    type=click.Choice([site.LOOPBACK, "0.0.0.0"]),  # noqa: S104 - of a container alone, whose port Compose publishes on loopback
    default=site.LOOPBACK,
    show_default=True,
    help="With --serve: 0.0.0.0 in a container whose port is published on loopback alone.",
)
@json_option
def run_site(
    release_id: int | None,
    edition: str | None,
    out: Path | None,
    is_served: bool,
    port: int,
    is_awaited: bool,
    listen: str,
    as_json: bool,
) -> None:
    """Build the site of a release: a pack for each borough and the overview of London, in an open and a partner edition.

    Whole or not at all; a page whose figures are as they were is not written again.
    """
    folder = (out or settings().home / "site").absolute()
    if is_served:
        site.serve(folder, port, say, is_awaited=is_awaited, listen=listen)
        return
    asked = _edition(edition)
    editions = (asked,) if asked else ("partner",) if release_id is not None else tuple(site.EDITIONS)
    built = site.build(settings(), release_id=release_id, editions=editions, out=folder, echo=say)
    if as_json:
        click.echo(printing.as_json({**dataclasses.asdict(built), "index": str(built.index)}))
        return
    printing.banner()
    click.echo(
        f"release {built.release_id}: {built.rendered} pages written, {built.kept} kept as they were; {built.files} files to take away written"
    )
    click.echo(built.index)


@main.command("pack")
@click.argument("area")
@click.option("--release", "release_id", type=int, help="An earlier release (`vru releases`), of the partner edition.")
@click.option("--edition", default="partner", show_default=True, help="open or partner.")
@click.option(
    "--format", "form", default="html", show_default=True, help=f"{', '.join(site.FORMATS[:-1])} or {site.FORMATS[-1]}."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The pack's folder, or its file where the format is one; in `packs` of the home where it is left out.",
)
@json_option
def run_pack(area: str, release_id: int | None, edition: str, form: str, out: Path | None, as_json: bool) -> None:
    """One borough's pack: as pages that open without a server, or as one file. AREA is its name or code.

    PDF is tagged for screen readers (PDF/UA); XLSX and ODS have a sheet for each table.
    """
    asked = _edition(edition) or "partner"
    written, pages = site.write_pack(settings(), area, asked, out, form=form, release_id=release_id, echo=say)
    if as_json:
        click.echo(printing.as_json({"index": str(written), "pages": pages}))
        return
    printing.banner()
    click.echo(f"{pages} pages" if form == "html" else f"{pages} pages of the site")
    click.echo(written)


def _edition(asked: str | None) -> str | None:
    if asked is None or asked in site.EDITIONS:
        return asked
    raise Refusal(
        "OPTION_INVALID",
        f"there is no edition {asked!r}",
        kept="no file was written",
        next_step=f"choose {' or '.join(site.EDITIONS)}",
    )
