"""Finding the loads with which a build fails, by building without some of those that no good build has had."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from ingest.errors import Refusal, Wrong
from warehouse.build import loads, set_aside, transform
from warehouse.build.loads import Load
from warehouse.build.set_aside import BUILD
from warehouse.platform.settings import Settings

ATTEMPTS = 12  # builds, to find the load with which one fails
FILES_TOLD = 10  # by name, where no load is found


def build_without(
    settings: Settings, connection: psycopg.Connection, failed: transform.BuildFailed
) -> tuple[str | None, list[Load]]:
    """Build without the loads with which the build fails, looked for among those that no good build has had.

    Returns:
        The candidate, and the loads that were set aside for it.

    Raises:
        Refusal: it fails without those of any one source too, or what failed is made from no load; all stand again.
    """
    good = {
        load_id
        for (load_id,) in connection.execute(
            """select load_id from ops.candidate_load where candidate_id = (
                   select candidate_id from ops.release where state in ('published', 'unchanged') order by release_id desc limit 1
               )"""
        )
    }
    standing = [load for load in loads.read_loads(connection) if load.state == "loaded"]
    new = [load for load in standing if load.load_id not in good]
    search = _Search(settings, connection, failed, new)
    for source in (*failed.closest, *failed.others):
        out = [load.landed_path for load in new if load.source == source]
        if not out:
            continue
        # Where nothing else stands there is no build without all of them.
        if len(out) == len(standing) or search.builds_without(out):
            candidate, aside = search.narrowed(out)
            if candidate is not None:
                return candidate, aside
    search.leave_out(())
    files = "; ".join(load.label for load in new[:FILES_TOLD])
    more = f" and {len(new) - FILES_TOLD} more" if len(new) > FILES_TOLD else ""
    raise Refusal(
        failed.code,
        failed.problem + (f"; new since the last good build: {files}{more}" if new else ""),
        where=failed.where,
        kept=failed.kept,
        next_step=failed.next_step,
    )


class _Search:
    """Builds that leave some of the new loads out, named by their paths: a load that comes back has a new line in the ledger."""

    def __init__(
        self,
        settings: Settings,
        connection: psycopg.Connection,
        failed: transform.BuildFailed,
        suspects: Sequence[Load],
    ) -> None:
        self.settings, self.connection = settings, connection
        self.suspects = {load.landed_path for load in suspects}
        self.wrong = Wrong("BUILD_FAILS_WITH_IT", f"the build fails with it: {failed.problem}")
        self.builds_left = ATTEMPTS
        self.candidate: str | None = None

    def leave_out(self, paths: Sequence[str]) -> list[Load]:
        """Set aside the suspects of these paths, and let all others stand; returns those that are aside."""
        aside = []
        for load in [one for one in loads.read_loads(self.connection) if one.landed_path in self.suspects]:
            if load.landed_path not in paths:
                if load.state == "set_aside":
                    set_aside.take_back(self.settings, self.connection, load)
            elif load.state == "loaded":
                aside.append(set_aside.put_aside(self.connection, load, BUILD, self.wrong))
            else:
                aside.append(load)
        return aside

    def builds_without(self, paths: Sequence[str]) -> bool:
        """Whether a build without the loads of these paths succeeds."""
        self.leave_out(paths)
        self.builds_left -= 1
        try:
            self.candidate = transform.build(self.settings)
        except Refusal:
            self.candidate = None
        return self.candidate is not None

    def narrowed(self, out: Sequence[str]) -> tuple[str | None, list[Load]]:
        """Of paths without which the build succeeds, those that must stay out: halves are tried while builds are left.

        Returns:
            The candidate built without them, and their loads.
        """
        while len(out) > 1 and self.builds_left > 1:
            halves = out[: len(out) // 2], out[len(out) // 2 :]
            smaller = next((half for half in halves if self.builds_without(half)), None)
            if smaller is None:
                break
            out = smaller
        if self.candidate is None:
            self.builds_without(out)
        return self.candidate, self.leave_out(out)
