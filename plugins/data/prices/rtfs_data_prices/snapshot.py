"""The data inside the package `genai-prices`, as it was installed: nothing here or there asks a network.

In: a base URL or a vendor, a model and a day. Out: its prices, and until when they are known to hold. Importing this
takes half a second (the package imports pydantic), which is why `kept` remembers what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timezone
from decimal import Decimal
from functools import cache
from typing import Any

import attrs
from genai_prices import __version__
from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from rtfs_framework.api import ModelPrices, PriceStep

SOURCE = f"genai-prices {__version__}"
_THOUSAND = 1000
_MIDNIGHT = time(tzinfo=timezone.utc)


@attrs.frozen(slots=True)
class Found:
    """What a model costs, and the day from which its vendor has announced another price, if it has."""

    prices: ModelPrices
    until: date | None = None


def find(url: str, model: str, day: date) -> Found | None:
    """Return what a model costs at a server, None where the data knows no such server or model."""
    for vendor in providers:
        if _is_at(vendor, url):
            known = vendor.find_model(model, all_providers=providers)
            return None if known is None else _found(known, day)
    return None


def every(day: date) -> Iterator[tuple[str, ModelPrices]]:
    """Yield all models with their vendor."""
    for vendor in providers:
        for model in vendor.models:
            yield vendor.id, _found(model, day).prices


def _is_at(vendor: Provider, url: str) -> bool:
    """Tell whether a URL is a vendor's. A pattern that ends amid the host's name does not fit a longer name."""
    found = re.match(vendor.api_pattern, url)
    if found is None:
        return False
    rest = url[found.end() :]
    return found.group().endswith((".", "/")) or rest[:1] in {"", "/", ":"}


def _found(model: ModelInfo, day: date) -> Found:
    priced = model.prices
    if isinstance(priced, ModelPrice):
        return Found(_prices(model, [priced], _newest(day)))
    constraints = [each.constraint for each in priced]
    starts = [each.start_date for each in constraints if isinstance(each, StartDateConstraint)]
    hours = {_MIDNIGHT}
    for each in constraints:
        if isinstance(each, TimeOfDateConstraint):
            hours |= {_aware(each.start_time), _aware(each.end_time)}
    moments = sorted(datetime.combine(day, hour).astimezone(timezone.utc) for hour in hours)
    in_force = [model.get_prices(each) for each in moments] if priced else []
    since = max((each for each in starts if each <= day), default=None)
    until = min((each for each in starts if each > day), default=None)
    return Found(_prices(model, in_force, since or _newest(day)), until)


def _aware(hour: time) -> time:
    return hour if hour.tzinfo is not None else hour.replace(tzinfo=timezone.utc)


def _prices(model: ModelInfo, in_force: list[ModelPrice], dated: date | None) -> ModelPrices:
    """Return a model's prices; where they depend on the hour, those of the dearest hour."""
    steps = sorted({start for each in in_force for start in _starts(each)})
    return ModelPrices(
        model=model.id,
        input=_dearest(in_force, "input_mtok"),
        output=_dearest(in_force, "output_mtok"),
        cached=_dearest(in_force, "cache_read_mtok"),
        request=(_dearest(in_force, "requests_kcount") or 0.0) / _THOUSAND,
        steps=tuple(
            PriceStep(
                start,
                _dearest(in_force, "input_mtok", start),
                _dearest(in_force, "output_mtok", start),
                _dearest(in_force, "cache_read_mtok", start),
            )
            for start in steps
        ),
        context_window=model.context_window,
        source=SOURCE,
        dated="" if dated is None else dated.isoformat(),
    )


def _starts(price: ModelPrice) -> Iterator[int]:
    for name in ("input_mtok", "output_mtok", "cache_read_mtok"):
        tiered: Any = getattr(price, name, None)
        if isinstance(tiered, TieredPrices):
            yield from (tier.start for tier in tiered.tiers)


def _dearest(in_force: Iterable[ModelPrice], name: str, start: int = -1) -> float | None:
    """Return the highest of prices, for requests beyond a number of tokens; None where one of them is not known."""
    found = [_at(getattr(each, name, None), start) for each in in_force]
    known = [each for each in found if each is not None]
    return max(known) if known and len(known) == len(found) else None


def _at(price: Any, start: int) -> float | None:
    if isinstance(price, TieredPrices):
        beyond = [tier.price for tier in price.tiers if tier.start <= start]
        price = beyond[-1] if beyond else price.base
    return float(price) if isinstance(price, Decimal) else None


@cache
def _newest(day: date) -> date | None:
    """Return the day of the newest price that the data knows: it was made then, or later."""
    starts = (
        each.constraint.start_date
        for vendor in providers
        for model in vendor.models
        if not isinstance(model.prices, ModelPrice)
        for each in model.prices
        if isinstance(each.constraint, StartDateConstraint)
    )
    return max((each for each in starts if each <= day), default=None)
