"""The ids of what Superset is given: by kind and name, so that the same assets have the same ids wherever they are made."""

from __future__ import annotations

import uuid

VERSION = "1.0.0"
NAMESPACE = uuid.UUID("6f8a1f0e-6d0b-5b0a-9a53-4b1f6f1f2c11")


def identity(*of: str) -> str:
    """The id of an asset, by its kind and name."""
    return str(uuid.uuid5(NAMESPACE, "/".join(of)))
