"""Which indicators the stand-in serves: numbers and names as the publisher has them, everything counted is invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Indicator:
    """An indicator: `level` is its rate in London, `per` the people it is per, `share` of residents the denominator is of.

    `years` is how many are pooled in a period, `area_types` where it has values; `quirk` is what its file does as the publisher's do.
    """

    number: int
    name: str
    age: str
    level: float
    year_type: str = "Financial"
    per: int = 100_000
    share: float = 1.0
    years: int = 1
    sexes: tuple[str, ...] = ("Persons",)
    area_types: tuple[int, ...] = (501, 502)
    quirk: str = ""


ALL = ("Persons", "Male", "Female")
OLD = (401, 402)

INDICATORS = (
    Indicator(11201, "Violent crime - hospital admissions for violence (including sexual violence)", "All ages", 45, "Financial multi-year", years=3, sexes=ALL, quirk="city_in_hackney"),
    Indicator(11202, "Violent crime - violence offences per 1,000 population", "All ages", 28, per=1000),
    Indicator(92863, "Domestic abuse-related incidents and crimes", "16+ yrs", 31, per=1000, share=0.8, quirk="force_wide"),
    Indicator(11203, "Violent crime - sexual offences per 1,000 population", "All ages", 2.6, per=1000, quirk="inequalities"),
    Indicator(10401, "First time entrants to the youth justice system", "10-17 yrs", 160, "Calendar", share=0.1),
    Indicator(10301, "Pupil absence", "5-15 yrs", 6.5, "Academic", per=100, share=0.13),
    Indicator(93203, "16 to 17 year olds not in education, employment or training (NEET) or whose activity is not known", "16-17 yrs", 4, "Calendar", per=100, share=0.02, sexes=ALL),
    Indicator(90803, "Children in care", "<18 yrs", 52, "Financial year end point", per=10_000, share=0.22),
    Indicator(90886, "Children who started to be subject to a child protection plan", "<18 yrs", 40, "Financial year end point", per=10_000, share=0.22),
    Indicator(90402, "Children leaving care", "<18 yrs", 26, per=10_000, share=0.22, quirk="ragged"),
    Indicator(93701, "Children in absolute low income families (under 16s)", "<16 yrs", 14, per=100, share=0.2),
    Indicator(93700, "Children in relative low income families (under 16s)", "<16 yrs", 17, per=100, share=0.2),
    Indicator(93553, "Deprivation score (IMD 2019)", "All ages", 22, "Calendar", per=1, quirk="no_count"),
    Indicator(11501, "Statutory homelessness - eligible homeless people not in priority need", "Not applicable", 3.1, per=1000, share=0.4, area_types=OLD),
    Indicator(93735, "Homelessness: households owed a duty under the Homelessness Reduction Act", "Not applicable", 14, per=1000, share=0.4),
    Indicator(93736, "Homelessness: households with dependent children owed a duty under the Homelessness Reduction Act", "Not applicable", 16, per=1000, share=0.13),
    Indicator(91126, "Unemployment (model-based)", "16+ yrs", 5, "Calendar", per=100, share=0.5),
    Indicator(92313, "Percentage of people in employment", "16-64 yrs", 74, per=100, share=0.66, sexes=ALL),
    Indicator(90813, "Hospital admissions as a result of self-harm (10-24 years)", "10-24 yrs", 190, share=0.18, sexes=ALL, quirk="newline"),
    Indicator(21001, "Emergency Hospital Admissions for Intentional Self-Harm", "All ages", 80, sexes=ALL, quirk="city_in_hackney"),
    Indicator(90285, "Hospital admissions caused by unintentional and deliberate injuries in young people (aged 15 to 24 years)", "15-24 yrs", 95, per=10_000, share=0.12, sexes=ALL),
    Indicator(90284, "Hospital admissions caused by unintentional and deliberate injuries in children (aged 0 to 14 years)", "<15 yrs", 75, per=10_000, share=0.18, sexes=ALL, quirk="city_in_hackney"),
    Indicator(92904, "Admission episodes for alcohol-specific conditions - Under 18s", "<18 yrs", 15, "Financial multi-year", share=0.22, years=3, sexes=ALL, quirk="suppressed"),
    Indicator(91414, "Admission episodes for alcohol-related conditions (Narrow): Old Method", "All ages", 560, area_types=OLD),
    Indicator(90808, "Hospital admissions due to substance misuse (15-24 years)", "15-24 yrs", 60, "Financial multi-year", share=0.12, years=3),
    Indicator(91117, "Estimated prevalence of opiate and/or crack cocaine use", "15-64 yrs", 9, per=1000, share=0.68, quirk="stray_n"),
    Indicator(92454, "Number in treatment at specialist drug misuse services", "18+ yrs", 3, per=1000, share=0.77),
    Indicator(92455, "Number in treatment at specialist alcohol misuse services", "18+ yrs", 2, per=1000, share=0.77),
    Indicator(90244, "Successful completion of drug treatment: opiate users", "18+ yrs", 6, "Calendar", per=100, share=0.005),
    Indicator(90245, "Successful completion of drug treatment: non opiate users", "18+ yrs", 34, "Calendar", per=100, share=0.005),
    Indicator(92447, "Successful completion of alcohol treatment", "18+ yrs", 37, "Calendar", per=100, share=0.005),
    Indicator(41001, "Suicide rate", "10+ yrs", 8, "Calendar", share=0.88, years=3, sexes=ALL, quirk="suppressed"),
    Indicator(92708, "Resident population", "All ages", 1, "Calendar", per=1, sexes=ALL),
    Indicator(11001, "Killed and seriously injured (KSI) casualties on England's roads", "All ages", 40, "Calendar", years=3),
)  # fmt: skip
