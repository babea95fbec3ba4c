"""Prices that nobody typed: what an installed list says of the models that a configuration asks.

In: provider instances that can be asked, and an installed list (`api/prices.py`). Out: their specs with
prices and context window, and who says so. What the configuration says goes first. A list is not asked about
providers at this machine's own address: whoever serves a model here says what it costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from rtfs_framework.api import API_VERSION, OLDEST_API_VERSION
from rtfs_framework.api.endpoints import BadEndpoint, read_endpoint
from rtfs_framework.api.prices import ModelPrices, PriceList
from rtfs_framework.orchestrator.config.key_binding import base_url_of
from rtfs_framework.orchestrator.config.model import ProviderSpec
from rtfs_framework.orchestrator.performing.providers import ProviderInstance
from rtfs_framework.registry.faults import Part, PluginFault, ask

if TYPE_CHECKING:
    from rtfs_framework.orchestrator.concurrency.outside import Told
    from rtfs_framework.registry.discover import FoundPlugin


@attrs.define(slots=True, eq=False)
class Prices:
    """The installed list, loaded when it is first asked."""

    found: FoundPlugin
    directory: Callable[[], Path]
    """Where it may keep what can be made again."""
    day: date
    told: Told
    _list: PriceList | None = attrs.field(default=None, init=False)

    @property
    def part(self) -> Part:
        """Who offers the list."""
        return Part("data", self.found.name, self.found.provenance)

    def of(self, instance: ProviderInstance) -> ProviderSpec:
        """Return an instance's spec with the prices that are known of its model."""
        url = _asked_at(instance)
        found = None if url is None else self.find(url, instance.spec.model)
        return instance.spec if found is None else _priced(instance.spec, found)

    def find(self, url: str, model: str) -> ModelPrices | None:
        """Return what a model costs at a server; None when that is not known, or the list is broken (and told)."""
        try:
            return self._sound(ask(self.part, "`find`", self.known().find, url, model, self.day))
        except PluginFault as fault:
            self.told(self.part, fault, "", "prices that the configuration does not say are not known")
            return None

    def known(self) -> PriceList:
        """Return the list.

        Raises:
            PluginFault: It cannot be loaded.
        """
        if self._list is None:
            module = ask(self.part, "its import", self.found.load)
            version = getattr(module, "rtfs_api_version", None)
            if version.__class__ is not int or not OLDEST_API_VERSION <= version <= API_VERSION:
                raise PluginFault(self.part, "its module", f"was written for plugin API {version!r}, not {API_VERSION}")
            self._list = ask(self.part, "`price_list`", lambda: module.price_list(self.directory()))
        return self._list

    def every(self) -> list[tuple[str, ModelPrices]]:
        """Return all prices that are known, each with the vendor.

        Raises:
            PluginFault: The list is broken.
        """
        return ask(self.part, "`every`", lambda: list(self.known().every(self.day)))

    def _sound(self, found: object) -> ModelPrices | None:
        """Return what a list found, if it is what it should be."""
        if found is None:
            return None
        if not isinstance(found, ModelPrices):
            raise PluginFault(self.part, "`find`", f"returned a {type(found).__name__} instead of prices")
        numbers = (found.input, found.output, found.cached, found.request)
        if any(each is not None and not 0 <= each < float("inf") for each in numbers):
            raise PluginFault(self.part, "`find`", "returned a price that is none")
        return found


def price_all(instances: Iterable[ProviderInstance], prices: Prices) -> None:
    """Let providers know what their models cost."""
    for instance in instances:
        instance.spec = prices.of(instance)


def today(seconds: float) -> date:
    """Return the day (UTC) of a time of the clock."""
    return datetime.fromtimestamp(seconds, timezone.utc).date()


def _asked_at(instance: ProviderInstance) -> str | None:
    """Return the address that a list of prices may know; None where it is this machine's, or nobody says it."""
    url = base_url_of(instance.spec, instance.environ) or next(iter(instance.entry.keys.values()), None)
    try:
        return None if url is None or read_endpoint(url).is_loopback else url
    except BadEndpoint:
        return None


def _priced(spec: ProviderSpec, found: ModelPrices) -> ProviderSpec:
    """Return a spec with what was found, as far as the configuration does not say it.

    Steps and the price of a request belong to the prices that were found; where one of these was said, so were they.
    """
    said = spec.input_cost is not None or spec.output_cost is not None
    whole = spec.input_cost is not None and spec.output_cost is not None
    who = f"{found.source}, {found.dated}" if found.dated else found.source
    return attrs.evolve(
        spec,
        input_cost=found.input if spec.input_cost is None else spec.input_cost,
        output_cost=found.output if spec.output_cost is None else spec.output_cost,
        cached_cost=found.cached if spec.cached_cost is None and spec.input_cost is None else spec.cached_cost,
        request_cost=0.0 if said else found.request,
        price_steps=() if said else found.steps,
        context_window=found.context_window if spec.context_window is None else spec.context_window,
        priced_by="" if whole and found.context_window is None else who,
    )
