"""Letting a published candidate's rows go: they stand in the marts, and the next build makes the candidate's tables anew.

They are a third of what a home would keep from one night to the next.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from warehouse.platform.connection import TRANSFORMER, connect
from warehouse.platform.settings import Settings

# Nobody waits for it, and it waits for nobody: what stays is emptied after the next build.
LOCK_TIMEOUT = "5s"
# What every build makes anew and only the marts are made from. Seeds and int_SOURCE_* stay from one build to the next.
MADE_FOR_THE_MARTS = "^(window_(chart|count|rank|series)$|int_placed_share$|report_)"


def empty(settings: Settings, candidate_id: str) -> bool:
    """Empty the tables of a candidate that was published, unless a build has begun since, or somebody reads them.

    Args:
        candidate_id: what the marts hold now.

    Returns:
        Whether they were emptied.
    """
    with connect(settings, TRANSFORMER) as connection:
        try:
            return _empty(connection, candidate_id)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable):
            connection.rollback()
            return False


def _empty(connection: psycopg.Connection, candidate_id: str) -> bool:
    tables = connection.execute(
        """select n.nspname, c.relname from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
           where c.relkind = 'r' and (n.nspname = 'candidate' or n.nspname = 'intermediate' and c.relname ~ %s)
             and pg_has_role(c.relowner, 'usage') order by 1, 2""",
        [MADE_FOR_THE_MARTS],
    ).fetchall()
    if not tables:
        return False
    named = sql.SQL(", ").join(sql.Identifier(*name) for name in tables)
    connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))
    connection.execute(sql.SQL("lock table {} in access exclusive mode").format(named))
    # A build announces itself before it touches a table, so a newer one has touched none of these, or is the newest here.
    done = connection.execute(
        """update ops.candidate set emptied_at = now()
           where candidate_id = %s and candidate_id = (
               select c.candidate_id from ops.candidate as c order by c.begun_at desc, c.candidate_id desc limit 1)""",
        [candidate_id],
    )
    if not done.rowcount:
        return False
    connection.execute(sql.SQL("truncate {}").format(named))
    return True
