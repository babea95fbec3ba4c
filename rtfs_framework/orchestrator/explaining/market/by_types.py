"""Finding capabilities by what they take and give: what turns a `:url` into a `Document`?

A capability is found where the language's own subtyping proves that it takes what is there and gives what is wanted:
as one of its arguments, or as an entry of a map that it takes. Where none does it alone, two may, one after the other:
that is a suggestion. What says nothing of its types, or gives `:any`, is never found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types import model as ty
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.types.subtypes import is_subtype

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.explaining.market.offers import Offer

MOST_CHAINS = 10
"""Suggestions of two that are told."""


@attrs.frozen(slots=True)
class Fit:
    """A capability that takes what is there and gives what is wanted."""

    offer: Offer
    call: str
    """How it is called: `_` stands for what is there, and a type for what else it needs."""
    distance: int
    """0 where the types are just those; more where they are wider, or more is needed."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"call": self.call, **self.offer.to_json()}


@attrs.frozen(slots=True)
class Chain:
    """Two capabilities, of which the second takes what the first gives."""

    first: Fit
    second: Fit

    @property
    def call(self) -> str:
        """How both are called."""
        return self.second.call.replace("_", self.first.call, 1)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"call": self.call, "ids": [self.first.offer.id, self.second.offer.id]}


def fitting(found: Sequence[Offer], takes: Sequence[Type], gives: Type | None) -> list[Fit]:
    """Return the capabilities that take values of all these types, and give one; the nearest come first."""
    fits = [fit for each in found if (fit := _fit(each, takes, gives)) is not None]
    return sorted(fits, key=lambda fit: (fit.distance, fit.offer.id))


def chained(found: Sequence[Offer], takes: Sequence[Type], gives: Type) -> list[Chain]:
    """Return pairs that do what none does alone, the nearest first; the second needs only what the first gives."""
    chains: list[Chain] = []
    for first in fitting(found, takes, None):
        between = first.offer.entry.returns
        if between is None or _is_any(between):
            continue
        chains += [Chain(first, second) for second in fitting(found, (between,), gives) if not _more_needed(second)]
    chains = [each for each in chains if each.first.offer.id != each.second.offer.id]
    ordered = sorted(chains, key=lambda each: (each.first.distance + each.second.distance, each.call))
    return ordered[:MOST_CHAINS]


def _fit(offer: Offer, takes: Sequence[Type], gives: Type | None) -> Fit | None:
    entry = offer.entry
    if gives is not None and (entry.returns is None or not is_subtype(entry.returns, gives, no_names)):
        return None
    if not takes:
        return Fit(offer, offer.usage.partition(" -> ")[0], _width(entry.returns, gives))
    if entry.parameters is None:
        return None
    placed = _placed(entry.parameters, takes)
    if placed is None:
        return None
    texts, distance = placed
    return Fit(offer, f"(call :{offer.id} {' '.join(texts)})", distance + _width(entry.returns, gives))


def _placed(parameters: Sequence[Type], takes: Sequence[Type]) -> tuple[list[str], int] | None:
    """Return the arguments of a call that is given these values in order, and how far that is from just them."""
    left, texts, distance = list(takes), [], 0
    for parameter in parameters:
        put = _put(left[0], parameter) if left else None
        if put is None:
            texts.append(show_type(parameter))
            distance += 4
            continue
        left.pop(0)
        texts.append(put[0])
        distance += put[1]
    return None if left else (texts, distance)


def _put(given: Type, parameter: Type) -> tuple[str, int] | None:
    """Return a value of a type as an argument: as it is, or as an entry of a map."""
    if is_subtype(given, parameter, no_names):
        return "_", _width(given, parameter)
    if not isinstance(parameter, ty.MapType):
        return None
    for entry in parameter.entries:
        others = [each for each in parameter.entries if each is not entry and not each.optional]
        if is_subtype(given, entry.type, no_names) and not _is_any(entry.type):
            more = "".join(f" {write(each.key)} {show_type(each.type)}" for each in others)
            return f"{{{write(entry.key)} _{more}}}", 1 + 4 * len(others) + _width(given, entry.type)
    return None


def _more_needed(fit: Fit) -> bool:
    """Tell whether a call needs more than what is there, or takes anything whatever."""
    parameters = fit.offer.entry.parameters or ()
    return len(parameters) != 1 or fit.distance >= _ANY_WIDTH or ":" in fit.call.partition("_")[2]


_ANY_WIDTH = 16


def _width(narrow: Type | None, wide: Type | None) -> int:
    """Return how much more a type allows than another that fits it."""
    if narrow is None or wide is None or narrow == wide:
        return 0
    return _ANY_WIDTH if _is_any(wide) else 1


def _is_any(type_: Type) -> bool:
    return type_ is Primitive.ANY


def by_words(found: Sequence[Offer], text: str) -> list[Offer]:
    """Return the capabilities that have all words of a text in id, names, summary or effects; ids count most."""
    words = text.lower().split()
    ranked = [(rank, each) for each in found if (rank := _rank(each, words)) is not None]
    return [each for _, each in sorted(ranked, key=lambda pair: (pair[0], pair[1].id))]


def _rank(offer: Offer, words: Sequence[str]) -> int | None:
    texts = list(_texts(offer))
    places = [next((i for i, text in enumerate(texts) if word in text), None) for word in words]
    known = [place for place in places if place is not None]
    return sum(known) if len(known) == len(places) else None


def _texts(offer: Offer) -> Iterator[str]:
    yield offer.id.lower()
    yield " ".join((*offer.aliases, *offer.names)).lower()
    yield f"{offer.entry.summary} {offer.usage}".lower()
    yield " ".join((*offer.effects, offer.provenance.distribution)).lower()
