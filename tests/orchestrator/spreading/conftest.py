"""Records spread over workers that are this process: a host of their own, from the texts that travelled."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ExecutorEntry, InferenceReply, Usage
from rtfs_framework.orchestrator.spreading import spread as spreading
from rtfs_framework.orchestrator.spreading import worker
from rtfs_framework.registry.collect import aliases_of
from rtfs_framework.registry.problems import Provenance
from rtfs_framework.testing.inline_executor import InlineExecutor

PRICES = "input_cost = 1\noutput_cost = 2\n"
CONFIG = "[delegation.remote_providers.cloud]\nprovider = 'cloud'\n"
MAIN = '(defn ^:delegation :remote "cloud" f [x] x)\n(defn main [record] (str (f (get record "text")) "!"))\n'


@pytest.fixture
def world(kit, remote_settings, monkeypatch):
    """Return a class that opens sessions on one provider and spreads records over an executor."""

    class World:
        prices, main, environ = PRICES, MAIN, {**kit.environ, "ACME_API_KEY": "key-of-acme"}
        answer = staticmethod(lambda request: InferenceReply(text=request.args[0].upper(), usage=Usage(100, 50)))
        executor = None
        capabilities = observers = ()
        loses, workers = (), 2

        def __init__(self):
            self.entry = kit.provider("cloud", self.answered, remote=True, settings=remote_settings)

        def answered(self, request):
            return self.answer(request)

        @property
        def requests(self):
            return [each.args[0] for each in kit.providers["cloud"].requests]

        def catalog(self):
            def make(settings):
                assert settings.address == "there"
                self.executor = InlineExecutor(settings.work, workers=self.workers, loses=self.loses)
                return self.executor

            entry = ExecutorEntry(name="inline", summary="Here.", factory=make)
            offered = {"inline": (entry, Provenance("acme-plugin", "1.2", "acme"))}
            aliases = aliases_of({each.id: each for each in self.capabilities})
            made = kit.catalog(self.entry, capabilities=self.capabilities, observers=self.observers)
            return attrs.evolve(made, executors=offered, aliases=aliases)

        def open(self, config="", **options):
            options = {"environ": self.environ, **options}
            return kit.open(self.catalog(), config + CONFIG + self.prices, **options)

        def spread(self, session, texts, program=None, on=("inline", "there")):
            linked = session.link(program or self.main)
            records = ({"text": text} for text in texts)
            return spreading.Spread.over(session, linked, records, on, self.environ)

        def total(self, session):
            """Return nano-dollars, tokens and calls that the budget `b` has counted."""
            counted = [each.counted for each in session.host.counting.budgets.ledger.accounts("b")]
            return tuple(sum(getattr(each, kind) for each in counted) for kind in ("nano", "tokens", "calls"))

    made = World()
    monkeypatch.setattr(worker, "installed", lambda _: made.catalog())
    monkeypatch.setattr(worker.os, "environ", made.environ)
    yield made
    worker.close_all()
