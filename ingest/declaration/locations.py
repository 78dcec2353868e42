"""Where files come from: a connector that several sources use, or one of the source's own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ingest.declaration.columns import Identifier, Pattern, Strict


class DatastoreFile(Strict):
    """A file of a London Datastore dataset, found among the dataset's resources by its name, or by a pattern of the names it has had."""

    kind: Literal["london_datastore"]
    package: str
    file_name: str
    file_pattern: Pattern | None = None


class FileAtUrl(Strict):
    """A file at one address, which says which edition it is: the path below the source's base URL."""

    kind: Literal["file_at_url"]
    path: str


class Inbox(Strict):
    """A folder into which files of a publisher that publishes nowhere are put: `inbox/<source>/<folder>/` of this home, or of an
    object store where VRU_INBOX_URL names one.

    folder: the dataset's name unless given: two datasets may read the same file.
    download: the path, below the source's base URL, of an export that the publisher agreed to serve to us. Off unless given, and
    without effect unless there is a key (`VRU_<SOURCE>_KEY` or `secrets/<source>_key`).
    """

    kind: Literal["inbox"]
    folder: Identifier | None = None
    download: str | None = None


class Own(Strict):
    """A connector of the source's own, `connector.py` in its folder, which knows what it asks for."""

    kind: Literal["own"]


Location = Annotated[DatastoreFile | FileAtUrl | Inbox | Own, Field(discriminator="kind")]
