"""Units of measure: both texts must name the same ones, equally often, however they are written."""

from __future__ import annotations

import re
from collections import Counter

from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_NAMES = {
    "metre": "meter meters metre metres", "kilometre": "kilometer kilometers kilometre kilometres km kms",
    "centimetre": "centimeter centimeters centimetre centimetres cm", "millimetre": "millimeter millimeters millimetre "
    "millimetres mm", "mile": "mile miles mi", "yard": "yard yards yd", "foot": "foot feet ft", "inch": "inches",
    "nautical": "nautical", "gram": "gram grams gramme grammes", "kilogram": "kilogram kilograms kilo kilos kg kgs",
    "milligram": "milligram milligrams mg", "microgram": "microgram micrograms mcg", "pound": "pound pounds lb lbs",
    "ounce": "ounce ounces oz", "ton": "ton tons", "tonne": "tonne tonnes", "stone": "stones",
    "litre": "liter liters litre litres", "millilitre": "milliliter milliliters millilitre millilitres ml",
    "gallon": "gallon gallons gal", "pint": "pint pints", "quart": "quart quarts", "cup": "cup cups",
    "tablespoon": "tablespoon tablespoons tbsp", "teaspoon": "teaspoon teaspoons tsp",
    "celsius": "celsius centigrade", "fahrenheit": "fahrenheit", "kelvin": "kelvin kelvins",
    "bit": "bits mbps kbps gbps", "byte": "byte bytes", "kilobyte": "kilobyte kilobytes kb", "megabyte": "megabyte "
    "megabytes mb", "gigabyte": "gigabyte gigabytes gb", "terabyte": "terabyte terabytes tb", "petabyte": "petabyte "
    "petabytes pb", "kibibyte": "kib", "mebibyte": "mib", "gibibyte": "gib", "tebibyte": "tib",
    "second": "second seconds sec secs", "millisecond": "millisecond milliseconds ms", "microsecond": "microsecond "
    "microseconds",
    "nanosecond": "nanosecond nanoseconds ns", "minute": "minute minutes min mins", "hour": "hour hours "
    "hr hrs hourly", "day": "day days daily", "week": "week weeks weekly", "fortnight": "fortnight fortnights",
    "month": "month months monthly", "quarter": "quarters quarterly",
    "year": "year years yearly annual annually yr yrs",
    "decade": "decade decades", "century": "century centuries", "watt": "watt watts", "kilowatt": "kilowatt kilowatts "
    "kw", "megawatt": "megawatt megawatts mw", "gigawatt": "gigawatt gigawatts",
    "kilowatt hour": "kwh", "megawatt hour":
    "mwh", "volt": "volt volts", "ampere": "ampere amperes amp amps", "milliampere": "milliamp milliamps mah", "ohm":
    "ohm ohms", "joule": "joule joules", "calorie": "calorie calories cal kcal kilocalories", "hertz": "hertz hz",
    "kilohertz": "khz kilohertz", "megahertz": "mhz megahertz", "gigahertz": "ghz gigahertz",
    "pascal": "pascal pascals",
    "bar": "millibar mbar", "psi": "psi", "newton": "newtons", "horsepower": "horsepower hp bhp", "acre": "acre acres",
    "hectare": "hectare hectares", "knot": "knots", "mph": "mph", "km/h": "kmh kph", "degree": "degree degrees",
    "radian": "radian radians", "decibel": "decibel decibels db", "mole": "moles", "pixel": "pixel pixels px",
    "lightyear": "lightyear lightyears parsec parsecs", "barrel": "barrel barrels", "carat": "carat carats",
    "word": "words", "token": "tokens", "square": "square sq", "cubic": "cubic",
}  # fmt: skip
_CANONICAL = {name: unit for unit, names in _NAMES.items() for name in names.split()}
_AFTER_NUMBER = {"m": "metre", "g": "gram", "l": "litre", "t": "tonne", "h": "hour", "s": "second", "min": "minute",
                 "c": "celsius", "f": "fahrenheit", "k": "kilo", "w": "watt", "v": "volt", "a": "ampere", "in": "inch",
                 "b": "byte", "d": "day", "y": "year", "n": "newton", "j": "joule", "pa": "pascal"}  # fmt: skip
_LEFT_OUT = frozenset(
    {
        "day",
        "year",
        "month",
        "hour",
        "minute",
        "word",
        "square",
        "cup",
        "stone",
        "token",
        "foot",
        "bar",
        "degree",
        "inch",
        "mole",
        "second",
    }
)
"""Units that may be left out where no number stands before them: 'the movie of the year 2016'."""
_COUNTED = re.compile(
    r"\b(?:\d+|per|one|two|three|four|five|six|seven|eight|nine|ten|twelve|half|twenty|thirty|an?)[\s-]"
    r"(?:second|minute|hour|day|week|month|year|degree|inch|foot|feet|cup)s?\b",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(?<![A-Za-z\d])\d[\d.,]*\s?(?P<unit>[a-zA-Z]{1,7})\b")
_DEGREES = re.compile(r"\u00b0\s?(?P<scale>[CFK])\b")
_MICRO = re.compile(r"\d\s?(?P<unit>[\u03bc\u00b5][a-zA-Z]{1,2})\b")
_LETTER_CASE = re.compile(r"\d\s?(?:[MGTKk]b|[MGTKk]bit)(?:ps|/s)?\b")
_CASED = re.compile(r"\d\s?(?P<unit>[mM](?:[WVAJNg]|Hz|Pa|eV)?|[bBgGsStTwWcCfFvV]|[kMGTP]?[bB](?:ps|/s)?)\b")
_PER = re.compile(r"(?<=[a-z])\s?/\s?(h|s|min|day|month|year)\b")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the units differ."""
    cased = _cased(first), _cased(second)
    if cased[0] != cased[1] and [each.lower() for each in cased[0]] == [each.lower() for each in cased[1]]:
        return differing("units", *cased)
    if units(first) == units(second):
        return None
    mine, others = Counter(units(first)), Counter(units(second))
    only, theirs = mine - others, others - mine
    loose = not (only and theirs) and set(only | theirs) <= _LEFT_OUT and not (_measured(first) or _measured(second))
    return None if loose else differing("units", list(mine.elements()), list(others.elements()))


@of_text
def _cased(text: Seen) -> tuple[str, ...]:
    """Return the symbols after numbers whose meaning is in their case: 'm' and 'M', 'mW' and 'MW', 'Mb' and 'MB'."""
    if not text.counts:
        return ()
    found = (hit.group("unit") for hit in _CASED.finditer(text.text))
    return tuple(sorted(found, key=lambda each: (each.lower(), each)))


@of_text
def _measured(text: Seen) -> bool:
    """Tell whether a text has a number right before a word that may be a unit of time."""
    return bool(_COUNTED.search(text.text))


@of_text
def units(text: Seen) -> tuple[str, ...]:
    """Return the units of a text, each under one name, sorted."""
    found = [_CANONICAL[word] for word in text.words if word in _CANONICAL]
    if text.counts:
        found += _after_digits(text)
    if "\u00b0" in text.signs:
        found += [hit.group("scale") for hit in _DEGREES.finditer(text.text)]
    if "/" in text.text:
        found += [f"per {hit.group(1)}" for hit in _PER.finditer(text.text)]
    return tuple(sorted(found))


def _after_digits(text: Seen) -> list[str]:
    found: list[str] = []
    for hit in _GLUED.finditer(text.text):
        word = hit.group("unit").lower()
        if word in _AFTER_NUMBER and word not in _CANONICAL and (hit.group("unit") != "in" or " " not in hit.group(0)):
            found.append(_AFTER_NUMBER[word])
        elif word in _CANONICAL and " " not in hit.group(0):
            found.append(_CANONICAL[word])
    found += [hit.group("unit") for hit in _MICRO.finditer(text.text)]
    return [*found, *("bits" for _ in _LETTER_CASE.finditer(text.text))]
