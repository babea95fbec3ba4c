"""What models cost, and who says so: data that plug-ins share.

A distribution that knows prices has an entry point `prices` in the group `rtfs_framework_data`. It names a module with
`rtfs_api_version` and a function `price_list(directory: Path) -> PriceList`; `directory` is for what may be kept and
can be made again. A host loads it when it first needs a price, and never for programs without a remote provider.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

import attrs


@attrs.frozen(slots=True)
class PriceStep:
    """Prices of a request with more than so many input tokens, for all of its tokens; None leaves a price as it is."""

    above: int
    input: float | None = None
    output: float | None = None
    cached: float | None = None


@attrs.frozen(slots=True, kw_only=True)
class ModelPrices:
    """What a model costs, in US dollars per million tokens. None is "not known", which is never the same as nothing."""

    model: str = ""
    """The model as whoever says the prices calls it."""
    input: float | None = None
    output: float | None = None
    cached: float | None = None
    """Of input tokens that the vendor still remembered; None where they cost what others do."""
    request: float = 0.0
    """US dollars for each request, besides its tokens."""
    steps: tuple[PriceStep, ...] = ()
    """In the order of `above`."""
    context_window: int | None = None
    """Tokens that the model takes in at once."""
    source: str = ""
    """Who says so: a package with its version, a file."""
    dated: str = ""
    """The day (YYYY-MM-DD) from which the price holds, else that of the newest price that its source knows."""


class PriceList(Protocol):
    """Prices as one source knows them. It never asks a network."""

    @property
    def source(self) -> str:
        """Its name and version."""
        ...

    def find(self, url: str, model: str, day: date) -> ModelPrices | None:
        """Return what a model costs on a day at the server of a base URL; None when either is not known."""
        ...

    def every(self, day: date) -> Iterable[tuple[str, ModelPrices]]:
        """Yield all that is known, each with the vendor's name."""
        ...
