"""A list of prices with one model."""

from __future__ import annotations

from rtfs_framework.api import ModelPrices

rtfs_api_version = 2


class One:
    """Knows one model."""

    source = "acme 1"

    def find(self, url, model, day):
        """Return its price."""
        del url, day
        return ModelPrices(model=model, input=1.0) if model == "one" else None

    def every(self, day):
        """Yield it."""
        yield "acme", self.find("", "one", day)


def price_list(directory):
    """Return the list."""
    del directory
    return One()
