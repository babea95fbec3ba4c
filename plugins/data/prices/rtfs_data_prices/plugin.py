"""What this distribution offers to rtfs_framework: a list of prices. The package with the data comes with first use."""

from __future__ import annotations

from pathlib import Path

from rtfs_data_prices.kept import KeptPrices
from rtfs_framework.api import PriceList

rtfs_api_version = 2


def price_list(directory: Path) -> PriceList:
    """Return the prices that the installed package `genai-prices` holds; what was found is kept in `directory`."""
    return KeptPrices(directory)
