"""What must never be written: the variables that settings `*_env` name, whichever kind of plug-in has them."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api.targets import RemoteModel
from rtfs_framework.orchestrator.config.budgets import LedgerSpec
from rtfs_framework.orchestrator.config.key_binding import secrets_of
from rtfs_framework.orchestrator.config.model import CacheSpec, Config, EmbedderSpec, EngineSpec, ProviderSpec
from rtfs_framework.orchestrator.config.publishing import PublishingSpec, StoreSpec
from rtfs_framework.orchestrator.config.queue import QueueSpec
from rtfs_framework.orchestrator.config.tables.guards import GuardSpec
from rtfs_framework.orchestrator.config.tables.observers import ObserverSpec


@attrs.frozen
class Own:
    login_env: str = "MINE"
    headers_env: dict[str, str] = attrs.field(factory=lambda: {"x": "ALSO"})
    name: str = "NEITHER"


OWN = Own()
ENVIRON = {"MINE": "mine-1234", "ALSO": "also-1234", "NEITHER": "neither-1234"}


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(
            {"providers": (ProviderSpec(id="p", plugin="p", target=RemoteModel("p"), own=OWN),)}, id="provider"
        ),
        pytest.param({"caches": {"l2": CacheSpec(own=OWN)}}, id="cache"),
        pytest.param({"queue": QueueSpec(own=OWN)}, id="queue"),
        pytest.param({"ledger": LedgerSpec(store="s", own=OWN)}, id="ledger"),
        pytest.param({"publishing": PublishingSpec(stores=(StoreSpec(name="s", plugin="s", own=OWN),))}, id="store"),
        pytest.param({"guards": (GuardSpec(name="g", plugin="g", own=OWN),)}, id="guard"),
        pytest.param({"observers": {"o": ObserverSpec(own=OWN)}}, id="observer"),
        pytest.param({"embedder": EmbedderSpec(name="e", then=EmbedderSpec(name="f", own=OWN))}, id="embedder"),
        pytest.param(
            {"engine": EngineSpec(name="e", plugin="e", children={"c": (EngineSpec(name="c", plugin="c", own=OWN),)})},
            id="engine",
        ),
    ],
)
def test_what_settings_name_is_a_secret(says):
    assert sorted(secrets_of(Config(**says), ENVIRON)) == ["also-1234", "mine-1234"]


def test_what_is_named_like_a_secret_is_one_and_nothing_else_is():
    environ = {**ENVIRON, "ACME_API_KEY": "key-1234", "EMPTY_TOKEN": ""}
    assert secrets_of(Config(), environ) == ["key-1234"]
