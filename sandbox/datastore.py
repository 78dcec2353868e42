"""The London Datastore as its clients meet it: CKAN's package_show, and downloads that redirect to a file store.

Platform only: which datasets there are and what their files hold is told by the publisher's own folder.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote, unquote

from sandbox.exchange import Request, Response, etag_of, http_date

_OGL_URL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
_SYNTHETIC_NOTE = "Stand-in publisher: every figure in this dataset is invented."


@dataclass(frozen=True)
class Upload:
    """One file of a dataset as uploaded on one day. `content` makes its bytes, the same at every call."""

    resource_id: str
    name: str
    file_name: str
    published_on: date
    content: Callable[[], bytes]

    @property
    def published_at(self) -> datetime:
        """The moment of upload: nine in the morning UTC."""
        return datetime(self.published_on.year, self.published_on.month, self.published_on.day, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Dataset:
    """A dataset: `id5` is the Datastore's five-character id, `slug` its page without that id.

    `uploads` tells the files on offer on a day, newest first; none before the dataset's first day.
    """

    id5: str
    slug: str
    title: str
    uploads: Callable[[date], Sequence[Upload]]

    @property
    def page_name(self) -> str:
        """The slug with the id, as in the address of the dataset's page."""
        return f"{self.slug}-{self.id5}"


class Datastore:
    """The London Datastore's corner of the server."""

    def __init__(self, datasets: Sequence[Dataset], today: Callable[[], date]) -> None:
        self._datasets = {name: dataset for dataset in datasets for name in (dataset.id5, dataset.page_name)}
        self._today = today

    def answer(self, request: Request) -> Response | None:
        """package_show, a download's redirect or a file; None for any other path."""
        # Split before decoding: a slash inside a file name is not a step of the path.
        match [unquote(part) for part in request.target.partition("?")[0].split("/")[1:]]:
            case ["api", "action", "package_show"] | ["api", "3", "action", "package_show"]:
                return self._package_show(request)
            case ["download", dataset, resource_id, file_name]:
                return self._redirect(request, dataset, resource_id, file_name)
            case ["files", "london", "dataset", dataset, published_on, resource_id, file_name]:
                return self._file(dataset, published_on, resource_id, file_name)
            case ["api", *_] | ["download", *_] | ["files", "london", *_]:
                return _not_found()
            case _:
                return None

    def _package_show(self, request: Request) -> Response:
        wanted = request.query.get("id")
        if wanted is None:
            return _json(409, {"success": False, "error": {"id": ["Missing value"], "__type": "Validation Error"}})
        dataset = self._datasets.get(wanted)
        if dataset is None:
            return _json(404, {"success": False, "error": {"message": "Not found", "__type": "Not Found Error"}})
        uploads = dataset.uploads(self._today())
        result = {
            "id": dataset.id5,
            "name": dataset.page_name,
            "title": dataset.title,
            "notes": _SYNTHETIC_NOTE,
            "license_id": "uk-ogl",
            "license_title": "UK Open Government Licence (OGL v3)",
            "license_url": _OGL_URL,
            "resources": [_resource(request.base_url, dataset, upload) for upload in uploads],
        }
        return _json(200, {"success": True, "result": result})

    def _redirect(self, request: Request, dataset: str, resource_id: str, file_name: str) -> Response:
        known = self._datasets.get(dataset)
        if known is None:
            return _not_found()
        for upload in known.uploads(self._today()):
            if (upload.resource_id, upload.file_name) == (resource_id, file_name):
                day = upload.published_on.isoformat()
                steps = ("files", "london", "dataset", known.page_name, day, resource_id, quote(file_name))
                return Response(302, {"Location": "/".join((request.base_url, *steps))})
        return _not_found()

    def _file(self, dataset: str, published_on: str, resource_id: str, file_name: str) -> Response:
        try:
            day = date.fromisoformat(published_on)
        except ValueError:
            return _not_found()
        known = self._datasets.get(dataset)
        if known is None or day > self._today():
            return _not_found()
        # Also what was on offer on the day of the upload: a redirect handed out yesterday still leads to its file.
        for upload in (*known.uploads(self._today()), *known.uploads(day)):
            if (upload.resource_id, upload.file_name, upload.published_on) == (resource_id, file_name, day):
                return _served(upload)
        return _not_found()


def _resource(base_url: str, dataset: Dataset, upload: Upload) -> dict[str, object]:
    return {
        "id": upload.resource_id,
        "name": upload.name,
        "url": "/".join((base_url, "download", dataset.id5, upload.resource_id, quote(upload.file_name))),
        "format": upload.file_name.rpartition(".")[2],
        "mimetype": _media_type(upload),
        "size": len(upload.content()),
        "last_modified": upload.published_at.isoformat(),
    }


def _served(upload: Upload) -> Response:
    body = upload.content()
    headers = {
        "Content-Type": _media_type(upload),
        "Content-Disposition": f'attachment; filename="{upload.file_name}"',
        "ETag": etag_of(body),
        "Last-Modified": http_date(upload.published_at),
    }
    return Response(200, headers, body)


def _media_type(upload: Upload) -> str:
    is_workbook = upload.file_name.endswith(".xlsx")
    return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" if is_workbook else "text/csv"


def _json(status: int, document: dict[str, object]) -> Response:
    return Response(status, {"Content-Type": "application/json;charset=utf-8"}, json.dumps(document).encode())


def _not_found() -> Response:
    return Response(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 Not Found\n")
