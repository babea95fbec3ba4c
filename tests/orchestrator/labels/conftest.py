"""A desk with a remote model, an on-device model and capabilities, which write down all that reaches them."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.flows.model import Flows
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.running.linking import Linked

MODELS = """
[delegation.remote_providers.far]
provider = "far"
[delegation.remote_providers.other]
provider = "other"
[delegation.local_models.near]
provider = "near"
[security]
level = "full"
"""
LABELS = """
[labels.inputs]
email = ["pii"]
[labels.capabilities]
"crm.get" = ["pii"]
"""


class Desk:
    """Runs programs on a host with labels."""

    def __init__(self, kit, capability, observer):
        self.kit = kit
        self.heard, self.told = [], []
        self.capability, self.observer = capability, observer
        self.says = {"far": lambda _: "far", "other": lambda _: "other", "near": lambda _: "near"}
        self.engine = None
        self.kept = {}
        self.crm = lambda _request: "alice@example.com"

    def say(self, name, request):
        return self.says[name](request)

    def catalog(self, **more):
        models = [
            self.kit.provider(
                name, lambda request, name=name: self.says[name](request), remote=name != "near", **self.kept
            )
            for name in ("far", "other", "near")
        ]
        capabilities = [
            self.capability("crm.get", self.crm),
            self.capability("out.send", self.heard.append),
            self.capability("clock.now", lambda _: 5),
        ]
        observers = [self.observer("watch", self.told.append)]
        return self.kit.catalog(*models, engine=self.engine, capabilities=capabilities, observers=observers, **more)

    def open(self, config="", labels=LABELS, **more):
        return self.kit.open(self.catalog(**more), MODELS + labels + config)

    def run(self, text, *args, config="", labels=LABELS, **more):
        with self.open(config, labels, **more) as session:
            return session.run(Source("test.rtfs", text), args)

    def reached(self, name="far"):
        """Return what reached a model: the arguments of its requests, as a program writes them."""
        return [write(request.args) for request in self.kit.providers[name].requests]


@pytest.fixture
def floats(monkeypatch):
    """Let labels float: of what analysis tells of a program only whether its functions remember is looked at."""
    monkeypatch.setattr(Linked, "flows", property(lambda self: Flows((), {}, remembers=self.artifact.flows.remembers)))


@pytest.fixture
def desk(kit, capability, observer):
    return Desk(kit, capability, observer)
