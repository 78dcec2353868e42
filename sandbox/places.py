"""The local authorities of London by their ONS codes, with invented round populations (thousands) for the stand-ins."""

LONDON_REGION = ("E12000007", "London")
ENGLAND = ("E92000001", "England")
CITY, HACKNEY = "E09000001", "E09000012"

_NAMES = (
    "City of London", "Barking and Dagenham", "Barnet", "Bexley", "Brent", "Bromley", "Camden", "Croydon", "Ealing", "Enfield",
    "Greenwich", "Hackney", "Hammersmith and Fulham", "Haringey", "Harrow", "Havering", "Hillingdon", "Hounslow", "Islington",
    "Kensington and Chelsea", "Kingston upon Thames", "Lambeth", "Lewisham", "Merton", "Newham", "Redbridge",
    "Richmond upon Thames", "Southwark", "Sutton", "Tower Hamlets", "Waltham Forest", "Wandsworth", "Westminster",
)  # fmt: skip
LONDON = {f"E090000{number:02d}": name for number, name in enumerate(_NAMES, start=1)}
# Nobody counted these.
THOUSANDS = {code: 200 + 10 * (number * 7 % 20) for number, code in enumerate(LONDON)} | {CITY: 10}
