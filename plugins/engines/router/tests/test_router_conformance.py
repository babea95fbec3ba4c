"""The engine keeps the contract of engines."""

from __future__ import annotations

import json

import pytest

from rtfs_engine_router.engine import RouterEngine
from rtfs_engine_router.settings import RouterSettings
from rtfs_framework.api import DelegationPlan, EngineSettings, LocalModel, LocalPure, PlanSource, RemoteModel
from rtfs_framework.testing.conformance.engine import EngineConformance


class Fixed:
    """Stands for a target that is named in the configuration."""

    def __init__(self, target):
        self.target = target

    def claims(self):
        return ()

    def decide(self, _context):
        return DelegationPlan(target=self.target, reasoning="by name", source=PlanSource.ENGINE)


class TestRouterEngine(EngineConformance):
    @pytest.fixture(autouse=True)
    def _a_model(self, tmp_path, model_data):
        self.folder = tmp_path
        (tmp_path / "router.json").write_text(json.dumps(model_data))

    def make(self, settings):
        return RouterEngine(settings)

    def settings(self):
        pairs = ((LocalModel("small"), RemoteModel("cloud")), (LocalPure(), RemoteModel("cloud")))
        ways = ({"symbols": ("*",)}, {"symbols": ("ai-*", "*-check"), "remote_share": 0.1, "adapt": False})
        return tuple(
            EngineSettings(
                own=RouterSettings(router="router.json", **way),
                children={"weak": (Fixed(weak),), "strong": (Fixed(strong),)},
                directory=str(self.folder),
            )
            for weak, strong in pairs
            for way in ways
        )
