"""Where the invented crimes of the stand-in happen: a few map points in each borough, and some elsewhere.

LSOA codes and names are the ONS's (Open Government Licence v3.0), points lie somewhere in the middle of the borough, street names are made
up, and how much happens where is nobody's number.
"""

from dataclasses import dataclass

# From this month on, an LSOA that was split or merged for the census of 2021 has its new code.
NEW_LSOAS_FROM = "2024-01"


@dataclass(frozen=True)
class Lsoa:
    """An LSOA as it is named before and since `NEW_LSOAS_FROM`, with its map point."""

    code_2011: str
    name_2011: str
    code_2021: str
    name_2021: str
    longitude: str
    latitude: str
    location: str


def _two(name: str, east: float, north: float, lsoas: tuple[str, ...], *, weight: int = 1) -> tuple[Lsoa, ...]:
    """Two LSOAs of a borough: one the census left alone, one it may have changed; the first as often as `weight` says."""
    same, same_name, old, old_name, new, new_name = lsoas
    one = Lsoa(same, same_name, same, same_name, f"{east:.6f}", f"{north:.6f}", "On or near High Road")
    other = Lsoa(
        old, old_name, new, new_name, f"{east + 0.001:.6f}", f"{north + 0.001:.6f}", f"On or near Station Road, {name}"
    )
    return (one,) * weight + (other,)


BOROUGHS: tuple[Lsoa, ...] = (
    *_two(
        "Barking and Dagenham",
        0.154,
        51.538,
        (
            "E01000006",
            "Barking and Dagenham 016A",
            "E01000109",
            "Barking and Dagenham 004D",
            "E01034470",
            "Barking and Dagenham 004G",
        ),
        weight=1,
    ),
    *_two(
        "Barnet",
        -0.212,
        51.618,
        ("E01000158", "Barnet 015A", "E01000262", "Barnet 017D", "E01033911", "Barnet 017E"),
        weight=1,
    ),
    *_two(
        "Bexley",
        0.134,
        51.452,
        ("E01000325", "Bexley 014A", "E01000432", "Bexley 008E", "E01033789", "Bexley 008H"),
        weight=1,
    ),
    *_two(
        "Brent",
        -0.285,
        51.562,
        ("E01000493", "Brent 030D", "E01033464", "Brent 010F", "E01033933", "Brent 010G"),
        weight=1,
    ),
    *_two(
        "Bromley",
        0.054,
        51.374,
        ("E01000687", "Bromley 037D", "E01000740", "Bromley 005A", "E01034383", "Bromley 005F"),
        weight=1,
    ),
    *_two(
        "Camden",
        -0.176,
        51.553,
        ("E01000938", "Camden 024B", "E01000864", "Camden 015A", "E01035707", "Camden 015F"),
        weight=2,
    ),
    *_two(
        "Croydon",
        -0.089,
        51.372,
        ("E01000975", "Croydon 022A", "E01001117", "Croydon 015C", "E01034139", "Croydon 015F"),
        weight=2,
    ),
    *_two(
        "Ealing",
        -0.342,
        51.522,
        ("E01001195", "Ealing 021A", "E01001238", "Ealing 015B", "E01034026", "Ealing 015F"),
        weight=1,
    ),
    *_two(
        "Enfield",
        -0.077,
        51.655,
        ("E01001419", "Enfield 020A", "E01001506", "Enfield 014B", "E01033926", "Enfield 014E"),
        weight=1,
    ),
    *_two(
        "Greenwich",
        0.049,
        51.461,
        ("E01001681", "Greenwich 020C", "E01001706", "Greenwich 005B", "E01034173", "Greenwich 005F"),
        weight=1,
    ),
    *_two(
        "Hackney",
        -0.043,
        51.546,
        ("E01033706", "Hackney 027F", "E01033701", "Hackney 002F", "E01035638", "Hackney 002G"),
        weight=2,
    ),
    *_two(
        "Hammersmith and Fulham",
        -0.202,
        51.485,
        (
            "E01001851",
            "Hammersmith and Fulham 010A",
            "E01001874",
            "Hammersmith and Fulham 001A",
            "E01035484",
            "Hammersmith and Fulham 001F",
        ),
        weight=1,
    ),
    *_two(
        "Haringey",
        -0.09,
        51.608,
        ("E01002078", "Haringey 015C", "E01002080", "Haringey 015D", "E01033943", "Haringey 015E"),
        weight=1,
    ),
    *_two(
        "Harrow",
        -0.377,
        51.587,
        ("E01002106", "Harrow 008A", "E01002117", "Harrow 002D", "E01034589", "Harrow 002F"),
        weight=1,
    ),
    *_two(
        "Havering",
        0.236,
        51.571,
        ("E01002243", "Havering 013A", "E01002293", "Havering 007A", "E01033784", "Havering 007F"),
        weight=1,
    ),
    *_two(
        "Hillingdon",
        -0.426,
        51.578,
        ("E01002392", "Hillingdon 020A", "E01002515", "Hillingdon 015D", "E01034601", "Hillingdon 015G"),
        weight=1,
    ),
    *_two(
        "Hounslow",
        -0.421,
        51.436,
        ("E01002555", "Hounslow 022A", "E01002684", "Hounslow 006D", "E01034032", "Hounslow 006G"),
        weight=1,
    ),
    *_two(
        "Islington",
        -0.131,
        51.55,
        ("E01002799", "Islington 018D", "E01002731", "Islington 007B", "E01035651", "Islington 007E"),
        weight=1,
    ),
    *_two(
        "Kensington and Chelsea",
        -0.201,
        51.514,
        (
            "E01002812",
            "Kensington and Chelsea 013A",
            "E01002820",
            "Kensington and Chelsea 016A",
            "E01035713",
            "Kensington and Chelsea 016F",
        ),
        weight=1,
    ),
    *_two(
        "Kingston upon Thames",
        -0.253,
        51.41,
        (
            "E01002987",
            "Kingston upon Thames 011B",
            "E01033568",
            "Kingston upon Thames 004F",
            "E01034576",
            "Kingston upon Thames 004H",
        ),
        weight=1,
    ),
    *_two(
        "Lambeth",
        -0.122,
        51.464,
        ("E01003013", "Lambeth 036A", "E01003109", "Lambeth 003E", "E01033862", "Lambeth 003F"),
        weight=2,
    ),
    *_two(
        "Lewisham",
        -0.008,
        51.441,
        ("E01003231", "Lewisham 015B", "E01003250", "Lewisham 001E", "E01034387", "Lewisham 001F"),
        weight=1,
    ),
    *_two(
        "Merton",
        -0.223,
        51.414,
        ("E01003372", "Merton 008B", "E01003475", "Merton 001D", "E01034578", "Merton 001F"),
        weight=1,
    ),
    *_two(
        "Newham",
        0.03,
        51.531,
        ("E01003574", "Newham 017D", "E01003617", "Newham 012B", "E01034199", "Newham 012E"),
        weight=2,
    ),
    *_two(
        "Redbridge",
        0.085,
        51.578,
        ("E01003746", "Redbridge 001C", "E01003758", "Redbridge 023D", "E01034480", "Redbridge 023E"),
        weight=1,
    ),
    *_two(
        "Richmond upon Thames",
        -0.294,
        51.464,
        (
            "E01003837",
            "Richmond upon Thames 022D",
            "E01003838",
            "Richmond upon Thames 022E",
            "E01003838",
            "Richmond upon Thames 022E",
        ),
        weight=1,
    ),
    *_two(
        "Southwark",
        -0.061,
        51.47,
        ("E01004002", "Southwark 029A", "E01003927", "Southwark 002A", "E01033867", "Southwark 002F"),
        weight=2,
    ),
    *_two(
        "Sutton",
        -0.168,
        51.363,
        ("E01004076", "Sutton 011A", "E01004188", "Sutton 004E", "E01034153", "Sutton 004F"),
        weight=1,
    ),
    *_two(
        "Tower Hamlets",
        -0.039,
        51.525,
        ("E01004232", "Tower Hamlets 003C", "E01004318", "Tower Hamlets 006D", "E01035664", "Tower Hamlets 006E"),
        weight=2,
    ),
    *_two(
        "Waltham Forest",
        -0.023,
        51.585,
        ("E01004333", "Waltham Forest 024A", "E01004461", "Waltham Forest 014E", "E01034485", "Waltham Forest 014F"),
        weight=1,
    ),
    *_two(
        "Wandsworth",
        -0.214,
        51.451,
        ("E01004482", "Wandsworth 030A", "E01033101", "Wandsworth 004F", "E01035488", "Wandsworth 004H"),
        weight=1,
    ),
    *_two(
        "Westminster",
        -0.166,
        51.52,
        ("E01004731", "Westminster 020A", "E01033600", "Westminster 007F", "E01035715", "Westminster 007H"),
        weight=4,
    ),
)
CITY: tuple[Lsoa, ...] = (
    *_two(
        "City of London",
        -0.093,
        51.512,
        ("E01000001", "City of London 001A", "E01000002", "City of London 001B", "E01000002", "City of London 001B"),
        weight=4,
    ),
)
ELSEWHERE: tuple[Lsoa, ...] = (
    Lsoa("E01031444", "Arun 016B", "E01031444", "Arun 016B", "-0.681541", "50.792113", "On or near Sea Lane"),
    Lsoa("E01031365", "Adur 002D", "E01031365", "Adur 002D", "-0.271604", "50.834400", "On or near Harbour (Station)"),
)
NOWHERE = Lsoa("", "", "", "", "", "", "No location")
