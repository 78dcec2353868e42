"""Publishing: all marts move in one transaction, by difference, and what a row said before goes to history.

Readers are never blocked and never see half: an ordinary publish deletes, updates and inserts rows and takes no lock
that a reader could meet. Every release can be queried again (marts_history.<table>_as_of) and rolled back to.

A rollback pins the marts. What was rolled back from does not come back by itself: a candidate built from the same input
is refused until new files make another one, or until a person asks for it (`vru build`, which publishes with `force`).
New code alone does not lift the pin, since a deployment that has nothing to do with the bad data would bring it back.
"""

from warehouse.publish.pin import RolledBackFrom
from warehouse.publish.publishing import publish
from warehouse.publish.release_records import Publication, releases
from warehouse.publish.rollback import roll_back

__all__ = ["Publication", "RolledBackFrom", "publish", "releases", "roll_back"]
