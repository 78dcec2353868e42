"""The one HTTP client of all connectors."""

from ingest.http.answers import KEPT, NEXT_RUN, Body, RangeNotSupported
from ingest.http.client import Client

__all__ = ["KEPT", "NEXT_RUN", "Body", "Client", "RangeNotSupported"]
