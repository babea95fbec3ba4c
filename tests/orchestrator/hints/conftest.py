"""A desk for calls with hints: scripted capabilities and models, a clock of its own, and waits that take no time."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from rtfs_framework.registry.collect import aliases_of
from rtfs_framework.testing import FakeClock

GRANT = '[security]\ngrant = ["*"]\n'


@attrs.define
class Desk:
    """Runs programs; what is asked is answered from scripts, whose last word is said again and again."""

    kit: object
    source: object
    capability: object
    clock: FakeClock
    waits: list
    asked: dict = attrs.field(factory=dict)
    told: list = attrs.field(factory=list)

    def says(self, name, script):
        self.asked[name] = 0

        def answer(request):
            said = script[min(self.asked[name], len(script) - 1)]
            self.asked[name] += 1
            self.told.append((name, getattr(request, "args", ())))
            if isinstance(said, tuple):  # it takes so many seconds first
                self.clock.advance(said[0])
                said = said[1]
            if isinstance(said, Exception):
                raise said
            return said

        return answer

    def open(self, config="", models=None, observers=(), more=None, options=None, **capabilities):
        more = more or {}
        providers = [self.kit.provider(name, self.says(name, script)) for name, script in (models or {}).items()]
        made = [
            self.capability(name, self.says(name, script), **more.get(name, {}))
            for name, script in capabilities.items()
        ]
        catalog = self.kit.catalog(*providers, capabilities=made, observers=observers)
        catalog = attrs.evolve(catalog, aliases=aliases_of({each.id: each for each in made}))
        config = config if "grant" in config else GRANT + config
        return self.kit.open(catalog, config, clock=self.clock, **(options or {}))

    def run(self, text, config="", **parts):
        """Return the value or the error, and the record of the last call."""
        with self.open(config, **parts) as session:
            result = session.run(self.source(f"(try [{text} nil] (catch _ e [nil (getMessage e)]))"))
        value, error = result.value
        calls = [each for each in result.calls if each.kind in ("capability", "delegated")]
        return (error if value is None else value), calls[-1]


@pytest.fixture
def desk(kit, source, capability, monkeypatch):
    """Return a desk."""
    clock, waits = FakeClock(), []

    async def pause(seconds):
        waits.append(round(seconds, 6))
        clock.advance(seconds)
        await asyncio.sleep(0)

    for place in ("dispatch", "hinting"):
        monkeypatch.setattr(f"rtfs_framework.orchestrator.performing.{place}.pause", pause)
    return Desk(kit, source, capability, clock, waits)


@pytest.fixture
def read(kit, source):
    """Return what makes a value of a text."""

    def value(text):
        with kit.open(config="") as session:
            return session.run(source(text)).value

    return value
