"""How much of what is recorded where: round numbers made up for the stand-in, of a plausible order and no more.

The labels are the publisher's, spelt as in its files of 2025-26. The numbers are nobody's: nothing here was measured.
"""

from dataclasses import dataclass

# Months January to December, each averaging 1.
FLAT = (1.00, 0.94, 1.02, 0.99, 1.03, 1.02, 1.03, 1.00, 0.99, 1.02, 0.99, 0.97)
SUMMER = (0.94, 0.88, 0.98, 1.00, 1.06, 1.08, 1.09, 1.03, 1.00, 1.01, 0.97, 0.96)
WINTER = (1.10, 0.99, 1.00, 0.93, 0.93, 0.91, 0.92, 0.92, 0.96, 1.05, 1.14, 1.15)


@dataclass(frozen=True)
class Category:
    """A category as printed, its offences a month in London around January 2025, and its level in April 2010 as a share
    of that; `first` and `last` bound the months (YYYYMM) in which the publisher used it."""

    major: str
    minor: str
    monthly: float
    level_2010: float = 1.0
    season: tuple[float, ...] = FLAT
    first: str = ""
    last: str = "999912"


CATEGORIES = (
    Category("ARSON AND CRIMINAL DAMAGE", "ARSON", 180, 1.0, SUMMER),
    Category("ARSON AND CRIMINAL DAMAGE", "CRIMINAL DAMAGE", 4500, 1.3),
    Category("BURGLARY", "BURGLARY - RESIDENTIAL", 0.5, first="202501"),
    Category("BURGLARY", "BURGLARY BUSINESS AND COMMUNITY", 1500, 1.4, WINTER),
    Category("BURGLARY", "DOMESTIC BURGLARY", 3000, 1.4, WINTER, last="202304"),
    Category("BURGLARY", "RES BURGLARY OF A HOME", 2100, 1.0, WINTER, first="202305"),
    Category("BURGLARY", "RES BURGLARY OF UNCONNECTED BUILDING", 800, 1.0, WINTER, first="202305"),
    Category("DRUG OFFENCES", "POSSESSION OF DRUGS", 2800, 1.4),
    Category("DRUG OFFENCES", "TRAFFICKING OF DRUGS", 1200, 0.4),
    Category("FRAUD AND FORGERY", "FRAUD AND FORGERY", 6, 1.5),
    Category("MISCELLANEOUS CRIMES AGAINST SOCIETY", "MISC CRIMES AGAINST SOCIETY", 1000, 0.8),
    Category("NFIB FRAUD", "NFIB", 0.5, first="202402"),
    Category("POSSESSION OF WEAPONS", "POSSESSION OF WEAPONS", 500, 0.9),
    Category("PUBLIC ORDER OFFENCES", "OTHER OFFENCES PUBLIC ORDER", 650, 0.8, SUMMER),
    Category("PUBLIC ORDER OFFENCES", "PUBLIC FEAR ALARM OR DISTRESS", 2800, 0.7, SUMMER),
    Category("PUBLIC ORDER OFFENCES", "RACE OR RELIGIOUS AGG PUBLIC FEAR", 1000, 0.5, SUMMER),
    Category("PUBLIC ORDER OFFENCES", "VIOLENT DISORDER", 6, 1.2, SUMMER),
    Category("ROBBERY", "ROBBERY OF BUSINESS PROPERTY", 400, 0.6, WINTER),
    Category("ROBBERY", "ROBBERY OF PERSONAL PROPERTY", 2200, 1.2, WINTER),
    Category("SEXUAL OFFENCES", "OTHER SEXUAL OFFENCES", 1300, 0.5, SUMMER),
    Category("SEXUAL OFFENCES", "RAPE", 720, 0.4),
    Category("THEFT", "BICYCLE THEFT", 1300, 1.3, SUMMER),
    Category("THEFT", "OTHER THEFT", 9000, 1.1),
    Category("THEFT", "SHOPLIFTING", 6500, 0.5),
    Category("THEFT", "THEFT FROM THE PERSON", 7000, 0.4, WINTER),
    Category("VEHICLE OFFENCES", "AGGRAVATED VEHICLE TAKING", 50, 1.2),
    Category("VEHICLE OFFENCES", "INTERFERING WITH A MOTOR VEHICLE", 850, 0.9),
    Category("VEHICLE OFFENCES", "THEFT FROM A VEHICLE", 4400, 1.4, WINTER),
    Category("VEHICLE OFFENCES", "THEFT OR UNAUTH TAKING OF A MOTOR VEH", 2600, 0.8),
    Category("VIOLENCE AGAINST THE PERSON", "DEATH SERIOUS INJURY ILLEGAL DRIVING", 12, 0.5),
    Category("VIOLENCE AGAINST THE PERSON", "HOMICIDE", 9, 1.1),
    Category("VIOLENCE AGAINST THE PERSON", "STALKING AND HARASSMENT", 4600, 0.4),
    Category("VIOLENCE AGAINST THE PERSON", "VIOLENCE WITH INJURY", 5500, 0.9, SUMMER),
    Category("VIOLENCE AGAINST THE PERSON", "VIOLENCE WITHOUT INJURY", 9200, 0.5, SUMMER),
)

# Shares of London's offences, per thousand; they need not add up, the figures divide by their sum.
BOROUGHS = {
    "Barking and Dagenham": 21,
    "Barnet": 30,
    "Bexley": 16,
    "Brent": 33,
    "Bromley": 25,
    "Camden": 42,
    "Croydon": 36,
    "Ealing": 33,
    "Enfield": 30,
    "Greenwich": 28,
    "Hackney": 34,
    "Hammersmith and Fulham": 24,
    "Haringey": 31,
    "Harrow": 16,
    "Havering": 20,
    "Hillingdon": 31,
    "Hounslow": 27,
    "Islington": 32,
    "Kensington and Chelsea": 24,
    "Kingston upon Thames": 13,
    "Lambeth": 40,
    "Lewisham": 30,
    "Merton": 15,
    "Newham": 40,
    "Redbridge": 26,
    "Richmond upon Thames": 13,
    "Southwark": 40,
    "Sutton": 14,
    "Tower Hamlets": 38,
    "Waltham Forest": 26,
    "Wandsworth": 28,
    "Westminster": 85,
}

AIRPORTS = "London Heathrow and London City Airports"
# While the airports were printed apart, Hillingdon was short of what they held.
AIRPORTS_SHARE = 6
AIRPORTS_TAKEN_FROM = "Hillingdon"
AIRPORTS_FIRST, AIRPORTS_LAST = "202304", "202402"

UNKNOWN = "Unknown"
UNKNOWN_SHARE = 10
# From here on nearly every record is placed.
UNKNOWN_SHARE_LATER = 3
UNKNOWN_LATER_FROM = "202410"
# In this month a tenth of the records has no borough.
UNKNOWN_SHARE_OF_ONE_MONTH = 100
UNKNOWN_MONTH = "202310"
