"""Currencies: by sign, by code, by name. Both texts must name the same ones, equally often."""

from __future__ import annotations

import re

from rtfs_cache_similar.gates.seen import Seen, differing, of_text

_NAMES = {
    "dollar": "dollar dollars buck bucks", "cent": "cent cents", "euro": "euro euros eur", "pound": "sterling gbp quid",
    "penny": "pence penny pennies", "yen": "yen jpy", "yuan": "yuan cny renminbi rmb", "rupee": "rupee rupees inr rs",
    "paise": "paise", "franc": "franc francs chf", "krona": "krona kronor sek", "krone": "krone kroner nok dkk",
    "rouble": "ruble rubles rouble roubles rub", "won": "krw", "real": "reais brl", "peso": "peso pesos mxn", "rand":
    "zar", "lira": "lira try", "zloty": "zloty pln", "forint": "forint huf", "koruna": "koruna czk", "shekel": "shekel "
    "shekels ils", "dirham": "dirham dirhams aed", "riyal": "riyal sar", "dinar": "dinar dinars", "baht": "baht thb",
    "ringgit": "ringgit myr", "rupiah": "rupiah idr", "dong": "vnd", "bitcoin": "bitcoin bitcoins btc", "ether":
    "ethereum ether eth", "litecoin": "litecoin ltc", "dogecoin": "dogecoin doge", "tether": "usdt tether", "satoshi":
    "satoshis", "naira": "naira ngn", "hryvnia": "hryvnia uah",
}  # fmt: skip
_CANONICAL = {name: money for money, names in _NAMES.items() for name in names.split()}
_CODES = {"usd": "US dollar", "cad": "Canadian dollar", "aud": "Australian dollar", "nzd": "New Zealand dollar",
          "sgd": "Singapore dollar", "hkd": "Hong Kong dollar"}  # fmt: skip
_SIGNS = {"$": "dollar", "\u20ac": "euro", "\u00a3": "pound", "\u00a5": "yen", "\u20b9": "rupee", "\u20bd": "rouble",
          "\u20a9": "won", "\u20ba": "lira", "\u00a2": "cent", "\u20bf": "bitcoin", "\u20aa": "shekel",
          "\u20b4": "hryvnia", "\u0e3f": "baht", "\u20ab": "dong"}  # fmt: skip
_ORDINARY = frozenset({"try", "rs", "rub", "real", "rand"})
"""Codes that are words, too: they count in capital letters."""
_CAPITAL = re.compile(r"\b[A-Z]{2,4}\b")

_OF_COUNTRY = re.compile(r"\b(A|US|C|CA|AU|NZ|HK|S)\$")


def gate(first: Seen, second: Seen) -> str | None:
    """Close where the currencies differ."""
    return differing("currencies", currencies(first), currencies(second))


@of_text
def currencies(text: Seen) -> tuple[str, ...]:
    """Return the currencies of a text, each under one name, sorted."""
    found = [_CANONICAL[word] for word in text.words if word in _CANONICAL and word not in _ORDINARY]
    found += [_CODES[word] for word in text.words if word in _CODES]
    if not text.signs.isdisjoint(_SIGNS):
        found += [_SIGNS[sign] for sign in text.text if sign in _SIGNS]
        found += [hit.group(1) for hit in _OF_COUNTRY.finditer(text.text)]
    if text.may_have(*_ORDINARY):
        found += [_CANONICAL[word.lower()] for word in _CAPITAL.findall(text.text) if word.lower() in _ORDINARY
                  and word.lower() in _CANONICAL]  # fmt: skip
    return tuple(sorted(found))
