"""Stand-in publishers: a local HTTP server that speaks each publisher's contract with invented figures.

    with sandbox.serve(today=date(2026, 11, 22), seed=1) as publisher:
        requests.get(f"{publisher.base_url}/api/action/package_show", params={"id": "exy3m"})

Nothing here imports another room of this project, and nothing here is real: every answer says `X-Synthetic-Data: true`.
"""

from contextlib import AbstractContextManager
from datetime import date

from sandbox.datastore import Datastore
from sandbox.fingertips.site import Fingertips
from sandbox.mhclg.indices import Mhclg
from sandbox.mps import dashboards, homicide, recorded_crime, vawg
from sandbox.nomis.site import Nomis
from sandbox.police_uk.archive import PoliceUk
from sandbox.server import LoggedRequest, Publisher, serve_sites

__all__ = ["LoggedRequest", "Publisher", "serve"]


def serve(
    *, today: date | None = None, seed: int = 1, host: str = "127.0.0.1", port: int = 0
) -> AbstractContextManager[Publisher]:
    """Serves every stand-in publisher from a thread of this process until the `with` block ends.

    Args:
        today: the publishers' day; None follows London's calendar. `Publisher.advance_to` moves it.
        seed: which invented world; the same seed and day give the same bytes.
        host: an IPv4 loopback address.
        port: 0 takes a free one.

    Raises:
        ValueError: `host` is not loopback, or `today` is before the first release a publisher knows.
        OSError: the port is taken.
    """
    if today is not None:
        recorded_crime.latest_release(today)
    return serve_sites(
        # The Datastore answers for whatever else lies under /api.
        lambda clock: [
            Fingertips(seed, clock),
            Nomis(seed, clock),
            Datastore(
                [publication.dataset(seed) for publication in (recorded_crime, dashboards, homicide, vawg)], clock
            ),
            PoliceUk(seed, clock),
            Mhclg(seed),
        ],
        today=today,
        host=host,
        port=port,
    )
