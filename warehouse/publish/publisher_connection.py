"""The connection that publishes: one publishes at a time, a failure becomes a sentence, and the planner's statistics are brought up to date."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import sql

from ingest import queue
from ingest.errors import Refusal
from warehouse.platform import locking
from warehouse.platform.connection import PUBLISHER, connect
from warehouse.platform.settings import Settings
from warehouse.publish import mart_schema
from warehouse.publish.release_records import UNTOUCHED, Publication

LOCK = "vru publish"
# Longer than any publish takes, so that two at once come one after the other.
TURN_TIMEOUT = "5min"


@contextlib.contextmanager
def publisher(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection whose failures read as sentences."""
    with connect(settings, PUBLISHER, autocommit=True) as connection:
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        try:
            yield connection
        except psycopg.errors.IntegrityError as error:
            # The detail would quote a row; the names are enough.
            raise Refusal(
                "MART_RULE_BROKEN",
                f"the rows break the rule {error.diag.constraint_name or error.diag.column_name} of "
                f"{error.diag.schema_name}.{error.diag.table_name}",
                kept=UNTOUCHED,
                next_step="a rollback to before the rule needs the rule dropped from schema marts by hand; otherwise "
                "correct the model in dbt_project/models/marts",
            ) from error
        except psycopg.OperationalError as error:
            raise Refusal(
                "DATABASE_REFUSED",
                f"the database gave up while publishing: {' '.join(str(error).split())}",
                kept="the marts, whole: as they were, or published if the connection was lost at the very end",
                next_step="mend what it names and publish again; nothing is published twice",
            ) from error


def take_turn(connection: psycopg.Connection) -> None:
    """Wait for whoever publishes now, in a transaction: one publishes at a time."""
    # Under READ COMMITTED, what is read after the wait is what the publisher before us left.
    queue.take(connection, LOCK, "transaction", TURN_TIMEOUT)
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(locking.LOCK_TIMEOUT)))


def analyze(connection: psycopg.Connection, publication: Publication) -> None:
    """Tell the planner about what moved, and mark the marts' pages as seen by all, so that an index answers without them; what was
    published stays published if that fails."""
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("set lock_timeout = '5s'")
        for name, counts in publication.row_changes.items():
            if any(counts.values()):
                mart, past = (sql.Identifier(schema, name) for schema in (mart_schema.MARTS, mart_schema.PAST))
                connection.execute(sql.SQL("vacuum (analyze, truncate off) {}").format(mart))
                connection.execute(sql.SQL("analyze {}").format(past))
