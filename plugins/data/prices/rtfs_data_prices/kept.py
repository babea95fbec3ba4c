"""Prices that were looked up before, in one small file: the package with the data takes half a second to import.

In: a base URL, a model, a day. Out: its prices. What the file says holds for the installed data only (told by the time
and size of its file), and until the day of the next price that is announced. A file that cannot be read or written
costs time, nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs

from rtfs_framework.api import ModelPrices, PriceStep, private_folder

_FILE = "prices.json"
_MOST = 512
"""Look-ups that are kept; with more, the oldest go."""


class KeptPrices:
    """The prices of `genai-prices`, and a file of those that were asked for."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE

    @property
    def source(self) -> str:
        """Name and version of the package that knows the prices."""
        from importlib.metadata import version

        return f"genai-prices {version('genai-prices')}"

    def find(self, url: str, model: str, day: date) -> ModelPrices | None:
        """Return what a model costs on a day at the server of a base URL."""
        key = f"{url} {model}"
        kept = self._read().get(key)
        if kept is not None:
            with suppress(KeyError, TypeError, ValueError):
                if kept["day"] <= day.isoformat() < (kept["until"] or "9999"):
                    return None if kept["prices"] is None else _prices(kept["prices"])
        from rtfs_data_prices.snapshot import find

        found = find(url, model, day)
        prices = None if found is None else found.prices
        self._write(key, {
            "day": day.isoformat(),
            "until": found.until.isoformat() if found is not None and found.until is not None else None,
            "prices": None if prices is None else attrs.asdict(prices),
        })  # fmt: skip
        return prices

    def every(self, day: date) -> Iterable[tuple[str, ModelPrices]]:
        """Yield all models with their vendor."""
        from rtfs_data_prices.snapshot import every

        found: Iterator[tuple[str, ModelPrices]] = every(day)
        return found

    @cached_property
    def _data(self) -> list[Any]:
        """What tells the installed data from another version of it, without an import."""
        spec = find_spec("genai_prices")
        folder = Path(spec.origin).parent if spec is not None and spec.origin else Path()
        known = (folder / "data.py").stat()
        return [str(folder), known.st_mtime_ns, known.st_size]

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            return dict(kept["found"]) if kept["of"] == self._data else {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def _write(self, key: str, found: dict[str, Any]) -> None:
        """Keep what was found, beside what another process may have kept meanwhile."""
        latest = {name: each for name, each in self._read().items() if name != key}
        while len(latest) >= _MOST:
            del latest[next(iter(latest))]
        beside = self._file.with_name(f"{_FILE}.{os.getpid()}")
        with suppress(OSError):
            private_folder(self._file.parent)
            beside.write_text(json.dumps({"of": self._data, "found": {**latest, key: found}}), encoding="utf-8")
            beside.replace(self._file)


def _prices(kept: dict[str, Any]) -> ModelPrices:
    steps = tuple(PriceStep(**each) for each in kept["steps"])
    return ModelPrices(**{**kept, "steps": steps})
