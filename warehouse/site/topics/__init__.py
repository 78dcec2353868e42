"""The thirteen pages of a pack, the same for every area."""

from warehouse.site.model import HEADLINES
from warehouse.site.topics import drivers, glance, health, people, places, trends, trust

TOPICS = (
    trust.STATUS,
    glance.GLANCE,
    glance.PROFILE,
    trends.TREND,
    trends.COMPARED,
    places.WHERE,
    places.WHEN,
    people.WHO,
    health.HEALTH,
    health.OUTCOMES,
    drivers.DRIVERS,
    drivers.DEPRIVATION,
    trust.TRUST,
)

__all__ = ["HEADLINES", "TOPICS"]
